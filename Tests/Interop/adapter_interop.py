"""Adapters between Attune and diffusers/PEFT, both ways, on the bundled model.

    pip install torch diffusers transformers peft safetensors
    python Tests/Interop/adapter_interop.py [--work DIR]

1. PEFT makes DoRA and LoRA adapters with alpha != rank; diffusers saves them with the UNet's output.
2. The Swift test AdapterInteropTests reads them, compares its own output, and writes adapters of its own.
3. diffusers loads those with load_lora_weights and compares.
"""
import argparse, os, pathlib, subprocess, sys, tempfile
import torch
from diffusers import StableDiffusionPipeline
from peft import LoraConfig
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "datasets" / "tiny-sd"
TARGETS = ["to_k", "to_q", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2"]
TOLERANCE = 1e-4


def pipeline():
    return StableDiffusionPipeline.from_pretrained(MODEL, safety_checker=None, torch_dtype=torch.float32)


def inputs():
    g = torch.Generator().manual_seed(7)
    return {"sample": torch.randn(2, 4, 16, 16, generator=g), "context": torch.randn(2, 24, 128, generator=g),
            "timesteps": torch.tensor([17.0, 801.0])}


@torch.no_grad()
def output(unet, x):
    return unet(x["sample"], x["timesteps"].long(), x["context"]).sample


def relative(a, b):
    return ((a - b).norm() / b.norm()).item()


def write_peft(folder, use_dora):
    pipe, x = pipeline(), inputs()
    base = output(pipe.unet, x)
    torch.manual_seed(3)
    pipe.unet.add_adapter(LoraConfig(r=4, lora_alpha=6, init_lora_weights="gaussian", use_dora=use_dora, target_modules=TARGETS))
    with torch.no_grad():
        for name, p in pipe.unet.named_parameters():
            if "lora_B" in name: p.add_(torch.randn(p.shape) * 0.05)
            if "magnitude" in name: p.mul_(1 + 0.1 * torch.randn(p.shape))
    from peft.utils import get_peft_model_state_dict
    pipe.save_lora_weights(folder, unet_lora_layers=get_peft_model_state_dict(pipe.unet), safe_serialization=True,
                           unet_lora_adapter_metadata=pipe.unet.peft_config["default"].to_dict())
    x["out"] = output(pipe.unet, x)
    assert relative(x["out"], base) > 1e-2, "the adapter should change something"
    save_file(x, os.path.join(folder, "io.safetensors"))


def check_ours(folder):
    pipe, x = pipeline(), load_file(os.path.join(folder, "io.safetensors"))
    base = output(pipe.unet, x)
    pipe.load_lora_weights(folder)
    out = output(pipe.unet, x)
    error, effect = relative(x["out"], out), relative(out, base)
    print(f"{os.path.basename(folder)}: adapter changes the output by {effect:.3f}, Attune differs from diffusers by {error:.1e}")
    return error < TOLERANCE and effect > 1e-2


def main():
    ap = argparse.ArgumentParser(); ap.add_argument("--work"); a = ap.parse_args()
    work = a.work or tempfile.mkdtemp(prefix="attune-interop-")
    for kind in ("dora", "lora"):
        os.makedirs(os.path.join(work, "peft-" + kind), exist_ok=True)
        write_peft(os.path.join(work, "peft-" + kind), kind == "dora")
    swift = lambda *words: subprocess.run(["swift", *words], cwd=ROOT, check=True, env={**os.environ, "ATTUNE_INTEROP": work})
    swift("build", "-c", "release", "--build-tests")
    swift("test", "-c", "release", "--skip-build", "--filter", "AdapterInteropTests")
    ok = all([check_ours(os.path.join(work, "attune-" + kind)) for kind in ("dora", "lora")])
    sys.exit(0 if ok else 1)


if __name__ == "__main__": main()
