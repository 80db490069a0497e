"""PyTorch and PEFT on a full-size UNet with random weights: forward pass at batch 2, DoRA step at batch 1, peak memory.

    python Benchmarks/peers/unet.py DIR --arch sd21 --latents 64
    python Benchmarks/peers/unet.py DIR --arch sdxl --latents 64 128 --no-train
    python Benchmarks/peers/unet.py DIR --dtype bfloat16        forward in bfloat16, steps under autocast
    python Benchmarks/peers/unet.py DIR --openvino --dtype bfloat16 --no-train
    python Benchmarks/peers/unet.py DIR --lora --no-forward     LoRA in place of DoRA
    python Benchmarks/peers/unet.py DIR --device cuda           on a GPU, channels last, deterministic as Attune is

Writes DIR/unet in diffusers' layout and, for each latent size, DIR/io-SIZE.safetensors with inputs and output, unless they
are there; `attune-bench unet DIR` reads both. Prints one JSON line a measurement.
"""
import argparse
import json
import resource
import statistics
import time
import zlib
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file

ARCHITECTURES = {
    "sd21": dict(
        sample_size=64, block_out_channels=(320, 640, 1280, 1280), attention_head_dim=[5, 10, 20, 20],
        cross_attention_dim=1024, use_linear_projection=True),
    "sdxl": dict(
        sample_size=128, block_out_channels=(320, 640, 1280), attention_head_dim=[5, 10, 20], cross_attention_dim=2048,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=[1, 2, 10], use_linear_projection=True, addition_embed_type="text_time",
        addition_time_embed_dim=256, projection_class_embeddings_input_dim=2816),
}
TARGETS = ["to_k", "to_q", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2"]


def report(what, runs, engine="pytorch", **figures):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps(dict(engine=engine, what=what, seconds=statistics.median(runs), runs=runs, rss_gb=peak, **figures)),
          flush=True)


def relative_error(found, folder, size):
    """Against the float32 output that is kept; None before there is one."""
    io = folder / f"io-{size}.safetensors"
    if not io.exists():
        return None
    expected = load_file(io)["out"]
    return ((found.float() - expected).norm() / expected.norm()).item()


def fill(module):
    """Weights that depend on nothing but their names and shapes, of a size that keeps activations near one."""
    generator = torch.Generator()
    with torch.no_grad():
        for name, weight in module.state_dict().items():
            if not weight.is_floating_point():
                continue
            noise = torch.randn(weight.numel(), generator=generator.manual_seed(zlib.crc32(name.encode())))
            noise = noise.reshape(weight.shape)
            if weight.dim() > 1:
                weight.copy_(noise / weight[0].numel() ** 0.5)
            else:
                weight.copy_(1 + 0.1 * noise if name.endswith("weight") else 0.1 * noise)
    return module


def make_unet(arch, folder):
    if (folder / "unet").exists():
        return UNet2DConditionModel.from_pretrained(folder / "unet").eval()
    with torch.device("meta"):
        unet = UNet2DConditionModel(**ARCHITECTURES[arch])
    unet = fill(unet.to_empty(device="cpu").eval())
    unet.save_pretrained(folder / "unet", max_shard_size="100GB")
    return unet


def inputs(arch, size, device="cpu"):
    generator = torch.Generator().manual_seed(1)
    sample = torch.randn(2, 4, size, size, generator=generator)
    text = torch.randn(2, 77, ARCHITECTURES[arch]["cross_attention_dim"], generator=generator)
    added = {}
    if arch == "sdxl":
        added = dict(
            text_embeds=torch.randn(2, 1280, generator=generator),
            time_ids=torch.tensor([[1024.0, 1024, 0, 0, 1024, 1024]] * 2))
    return (sample.to(device), torch.tensor([500, 500], device=device), text.to(device),
            {name: value.to(device) for name, value in added.items()})


def timed(count, body):
    """Times of `count` runs after one that does not count."""
    runs = []
    for _ in range(count + 1):
        begin = time.perf_counter()
        body()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        runs.append(time.perf_counter() - begin)
    return runs[1:]


def forward(unet, arch, size, folder, count, dtype):
    sample, timestep, text, added = inputs(arch, size, unet.device)
    extra = dict(added_cond_kwargs={k: v.to(dtype) for k, v in added.items()}) if added else {}
    out = None

    def once():
        nonlocal out
        with torch.no_grad():
            out = unet(sample.to(dtype), timestep, text.to(dtype), **extra).sample.cpu()

    runs = timed(count, once)
    io = folder / f"io-{size}.safetensors"
    if not io.exists() and dtype == torch.float32:
        kept = {"sample": sample, "timestep": timestep, "context": text, "out": out.contiguous(), **added}
        save_file({name: value.cpu() for name, value in kept.items()}, io)
    report("unet forward", runs, arch=arch, batch=2, latent=size, dtype=str(dtype).split(".")[1],
           relative_error=relative_error(out, folder, size))


def forward_openvino(unet, arch, size, folder, count, dtype):
    """The same network as OpenVINO compiles it for this processor."""
    import openvino

    sample, timestep, text, added = inputs(arch, size)
    if added:
        raise SystemExit("--openvino takes sd21 only")
    path = folder / "openvino" / "unet.xml"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)

        class Plain(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.unet = unet.requires_grad_(False)

            def forward(self, sample, timestep, text):
                return self.unet(sample, timestep, text, return_dict=False)[0]

        with torch.no_grad():
            model = openvino.convert_model(Plain().eval(), example_input=(sample, timestep, text))
        openvino.save_model(model, path, compress_to_fp16=False)
        del model
    core = openvino.Core()
    core.set_property("CPU", {"INFERENCE_PRECISION_HINT": "bf16" if dtype == torch.bfloat16 else "f32"})
    compiled = core.compile_model(path, "CPU")
    request = compiled.create_infer_request()
    out = None

    def once():
        nonlocal out
        out = request.infer([sample.numpy(), timestep.numpy(), text.numpy()])[0]

    runs = timed(count, once)
    report("unet forward", runs, engine="openvino", arch=arch, batch=2, latent=size, dtype=str(dtype).split(".")[1],
           relative_error=relative_error(torch.from_numpy(out), folder, size))


def train(unet, arch, size, count, dtype, dora):
    from peft import LoraConfig

    sample, timestep, text, added = inputs(arch, size, unet.device)
    unet.requires_grad_(False)
    unet.add_adapter(
        LoraConfig(r=32, lora_alpha=32, init_lora_weights="gaussian", use_dora=dora, target_modules=TARGETS))
    unet.enable_gradient_checkpointing()
    unet.train()
    parameters = [p for p in unet.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4)
    extra = dict(added_cond_kwargs={k: v[:1] for k, v in added.items()}) if added else {}

    half = dtype != torch.float32

    def once():
        with torch.autocast(sample.device.type, dtype=dtype if half else torch.bfloat16, enabled=half):
            output = unet(sample[:1], timestep[:1], text[:1], **extra).sample
        torch.nn.functional.mse_loss(output.float(), sample[1:]).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()

    report("DoRA step" if dora else "LoRA step", timed(count, once), arch=arch, batch=1, latent=size,
           dtype=str(dtype).split(".")[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--arch", default="sd21", choices=ARCHITECTURES)
    parser.add_argument("--latents", type=int, nargs="+", default=[64])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-forward", action="store_true")
    parser.add_argument("--no-train", action="store_true")
    parser.add_argument("--dtype", default="float32", choices=["float32", "tf32", "bfloat16", "float16"],
                        help="of a forward pass's weights and activations; a step's are float32 under autocast")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--openvino", action="store_true", help="OpenVINO in place of PyTorch")
    parser.add_argument("--lora", action="store_true", help="LoRA steps in place of DoRA's")
    arguments = parser.parse_args()
    if arguments.dtype == "tf32":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    dtype = torch.float32 if arguments.dtype == "tf32" else getattr(torch, arguments.dtype)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    converted = arguments.openvino and (arguments.folder / "openvino" / "unet.xml").exists()
    unet = None if converted else make_unet(arguments.arch, arguments.folder).to(arguments.device)
    if unet is not None and arguments.device != "cpu":
        unet = unet.to(memory_format=torch.channels_last)
    if not arguments.no_forward:
        for size in arguments.latents:
            if arguments.openvino:
                forward_openvino(unet, arguments.arch, size, arguments.folder, arguments.runs, dtype)
            else:
                forward(unet.to(dtype), arguments.arch, size, arguments.folder, arguments.runs, dtype)
    if not arguments.no_train and not arguments.openvino:
        train(unet.float(), arguments.arch, arguments.latents[0], arguments.runs, dtype, not arguments.lora)


if __name__ == "__main__":
    main()
