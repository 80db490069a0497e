"""Adapters between Attune and diffusers, PEFT and kohya's scripts, both ways, on the bundled model.

    PYTHON -m pip install torch diffusers transformers peft safetensors pillow
    PYTHON Tests/Interop/adapter_interop.py [--work DIR]        (make interop PEER_PYTHON=PYTHON)

1. PEFT makes adapters whose alpha is not their rank, and saves them in every way that people meet: diffusers'
   pytorch_lora_weights.safetensors, PEFT's folder, kohya's flat names. `attune sample --adapter` must give diffusers' images.
2. `attune train` makes DoRA and LoRA adapters, from nothing and from a warm start; diffusers loads them with load_lora_weights
   and must give the images of `attune sample`.
3. Small models in the layouts of the Hub, and adapters under every name that people meet (adapter_styles.py), give diffusers'
   images; what cannot be applied is refused in one line.
4. The Swift test AdapterInteropTests compares outputs of the UNet, to 1e-4, with adapters unfolded and folded;
   TokenizerInteropTests the ids of 3,000 texts in ten tokenizer folders with those of transformers.

The same images: within 2/255 on 99 % of the values.
"""
import argparse, json, os, pathlib, re, subprocess, sys, tempfile
import numpy as np
import torch
import transformers
from diffusers import DDIMScheduler, StableDiffusionPipeline
from diffusers.utils import logging
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from PIL import Image
from safetensors.torch import load_file, save_file

import adapter_styles as styles
import tokenizer_folders

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "datasets" / "tiny-sd"
ATTUNE = pathlib.Path(os.environ.get("ATTUNE", ROOT / ".build" / "release" / "attune"))
TARGETS = ["to_k", "to_q", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2"]
PROMPTS = ["a red circle", "three pink stars"]
STEPS, GUIDANCE, SEEDS = 12, 5.0, [42]

logging.disable_progress_bar(); logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar(); transformers.utils.logging.set_verbosity_error()


def pipeline():
    pipe = StableDiffusionPipeline.from_pretrained(MODEL, safety_checker=None, torch_dtype=torch.float32)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def images(pipe):
    """What diffusers makes: one image per prompt and seed."""
    made = []
    for prompt in PROMPTS:
        generators = [torch.Generator().manual_seed(seed) for seed in SEEDS]
        out = pipe([prompt] * len(SEEDS), num_inference_steps=STEPS, guidance_scale=GUIDANCE, generator=generators, output_type="np")
        made += [np.round(image * 255).astype(int) for image in out.images]
    return np.stack(made)


def attune(*words):
    return subprocess.run([str(ATTUNE), *map(str, words)], check=True, stdout=subprocess.PIPE, text=True).stdout


def attune_images(work, name, adapter=None):
    """What `attune sample` makes, in the same order."""
    folder, prompts = work / ("images-" + name), work / "prompts.txt"
    prompts.write_text("\n".join(PROMPTS))
    attune("sample", "--model", MODEL, "--prompts", prompts, "--to", folder, "--images-per-prompt", len(SEEDS), "--seed", SEEDS[0],
           "--steps", STEPS, "--guidance", GUIDANCE, "--sampler", "ddim", *(["--adapter", adapter] if adapter else []))
    return np.stack([np.asarray(Image.open(path).convert("RGB")).astype(int) for path in sorted(folder.rglob("*.png"))])


def compare(name, ours, theirs, base):
    close = float((np.abs(ours - theirs) <= 2).mean())
    effect = None if base is None else float((np.abs(theirs - base) > 2).mean())
    good = close >= 0.99 and (name == "no adapter" or effect is None or effect > 0.05)
    change = "" if effect is None else f"; the adapter changes {effect:.0%}"
    print(f"{name:<34} {close:9.4%} of values within 2/255{change}   {'ok' if good else 'WRONG'}", flush=True)
    return good


# --- adapters made by PEFT ---------------------------------------------------------------------------------------------------

def shake(module):
    torch.manual_seed(3)
    with torch.no_grad():
        for name, p in module.named_parameters():
            if "lora_B" in name: p.add_(torch.randn(p.shape) * 0.05)
            if "magnitude" in name: p.mul_(1 + 0.1 * torch.randn(p.shape))


def config(use_dora, **more):
    return LoraConfig(r=4, lora_alpha=6, init_lora_weights="gaussian", use_dora=use_dora, target_modules=TARGETS, **more)


def save_as_diffusers(folder, use_dora):
    pipe = pipeline()
    pipe.unet.add_adapter(config(use_dora)); shake(pipe.unet)
    pipe.save_lora_weights(folder, unet_lora_layers=get_peft_model_state_dict(pipe.unet), safe_serialization=True,
                           unet_lora_adapter_metadata=pipe.unet.peft_config["default"].to_dict())
    return pipe


def save_as_peft(folder, **how):
    pipe = pipeline()
    model = get_peft_model(pipe.unet, config(**how)); shake(model)
    model.save_pretrained(folder)
    return pipe


def save_as_kohya(folder, use_dora):
    pipe = pipeline()
    pipe.unet.add_adapter(config(use_dora)); shake(pipe.unet)
    flat = {}
    for key, value in get_peft_model_state_dict(pipe.unet).items():
        path, _, part = key.partition(".lora_")
        name = "lora_unet_" + path.replace(".", "_")
        if part.startswith("A"): flat[name + ".lora_down.weight"] = value.contiguous()
        elif part.startswith("B"): flat[name + ".lora_up.weight"] = value.contiguous()
        else: flat[name + ".dora_scale"] = value.reshape(-1, 1).contiguous()
        flat[name + ".alpha"] = torch.tensor(6.0)
    os.makedirs(folder, exist_ok=True)
    save_file(flat, folder / "kohya.safetensors")
    return pipe


def from_peft(work, base):
    """Every way of saving, and where Attune finds the adapter."""
    patterns = dict(rank_pattern={"attn1.to_q": 8, "ff.net.2": 2}, alpha_pattern={"attn1.to_q": 3, r"mid_block\..*to_v": 16})
    cases = [
        ("diffusers DoRA", lambda f: save_as_diffusers(f, True), "pytorch_lora_weights.safetensors"),
        ("diffusers LoRA", lambda f: save_as_diffusers(f, False), "pytorch_lora_weights.safetensors"),
        ("PEFT DoRA", lambda f: save_as_peft(f, use_dora=True), ""),
        ("PEFT LoRA, rank-stabilized", lambda f: save_as_peft(f, use_dora=False, use_rslora=True), "adapter_model.safetensors"),
        ("PEFT DoRA, patterns", lambda f: save_as_peft(f, use_dora=True, **patterns), ""),
        ("kohya LoRA", lambda f: save_as_kohya(f, False), "kohya.safetensors"),
        ("kohya DoRA", lambda f: save_as_kohya(f, True), "kohya.safetensors"),
    ]
    good = True
    for name, save, file in cases:
        folder = work / name.replace(" ", "-").replace(",", "").lower()
        pipe = save(folder)
        good &= compare(name, attune_images(work, folder.name, folder / file), images(pipe), base)
    return good


# --- adapters made by Attune -------------------------------------------------------------------------------------------------

def from_attune(work, base):
    corpus, prompts = work / "corpus", work / "prompts.txt"
    attune("init", "--corpus", corpus)
    attune("generate", "--corpus", corpus, "--model", MODEL, "--prompts", prompts, "--images-per-prompt", 4, "--steps", 10)
    attune("select", "--corpus", corpus, "best", "--top", 2)
    warm = work / "diffusers-lora" / "pytorch_lora_weights.safetensors"
    good = True
    for name, options in [
        ("Attune DoRA", ["--rank", 3, "--alpha", 5]), ("Attune LoRA", ["--rank", 3, "--alpha", 5, "--adapter-kind", "lora"]),
        ("Attune from a warm start", ["--warm-start", warm]),
    ]:
        run = name.replace(" ", "-").lower()
        attune("train", "--corpus", corpus, "best", "--model", MODEL, "--run", run, "--steps", 8, "--batch", 2, "--accumulate", 1,
               "--lr", 2e-2, *options)
        folder = corpus / "runs" / run / "adapter"
        pipe = pipeline()
        pipe.load_lora_weights(folder)
        good &= compare(name, attune_images(work, run, folder), images(pipe), base)
    return good


# --- folders and adapters of other programs ----------------------------------------------------------------------------------

def attune_sample(work, name, model, *words, prompts=styles.PROMPTS):
    """What `attune sample` makes of a model in adapter_styles, in its settings."""
    folder, file = work / ("images-" + re.sub(r"\W+", "-", name)), work / "prompts.txt"
    file.write_text("\n".join(prompts))
    sampler = "euler" if "sdxl" in str(model) else "ddim"
    attune("sample", "--model", model, "--prompts", file, "--to", folder, "--images-per-prompt", 1, "--seed", styles.SEED,
           "--steps", styles.STEPS, "--guidance", styles.GUIDANCE, "--sampler", sampler, *words)
    return np.stack([np.asarray(Image.open(path).convert("RGB")).astype(int) for path in sorted(folder.rglob("*.png"))])


def from_others(work):
    work = work / "styles"; work.mkdir(exist_ok=True)
    models, good, bases = styles.save_models(work), True, {}
    for name, folder in models.items():
        bases[folder] = styles.images(styles.load(folder))
        good &= compare("no adapter", attune_sample(work, name, folder), bases[folder], bases[folder])
    for name, folder, words, variant in styles.other_layouts(work, models["sd15-mini"]):
        theirs = styles.images(styles.load(folder, "fp16" if name == "fp16 alone" else variant))
        good &= compare(name, attune_sample(work, name, folder, *words), theirs, None)
    for name, folder in styles.textual_inversion(work):
        prompts = ["three pink <cat-toy>", "a star in <my style>"]
        base = styles.images(styles.load(MODEL), prompts)
        good &= compare(name, attune_sample(work, name, folder, prompts=prompts), styles.images(styles.load(folder), prompts), base)
    for name, folder, tensors, fold in styles.cases(models):
        file = work / "adapters" / (re.sub(r"\W+", "-", name) + ".safetensors")
        styles.write(tensors, file)
        pipe = styles.load(folder)
        if fold: fold(pipe)
        else: pipe.load_lora_weights(file.parent, weight_name=file.name)
        good &= compare(name, attune_sample(work, name, folder, "--adapter", file), styles.images(pipe), bases[folder])
    for name, tensors, said in styles.refusals(models):
        file = work / "refused" / (re.sub(r"\W+", "-", name) + ".safetensors")
        styles.write(tensors, file)
        run = subprocess.run([str(ATTUNE), "sample", "--model", models["sd15-mini"], "--prompts", work / "prompts.txt", "--to",
                              work / "refused" / "images", "--adapter", file], capture_output=True, text=True)
        lines = run.stderr.strip().splitlines()
        right = run.returncode == 1 and len(lines) == 1 and all(word in lines[0] for word in said)
        good &= right
        print(f"{name:<32} {'refused' if right else 'WRONG'}: {run.stderr.strip()}", flush=True)
    return good


# --- outputs of the UNet, in Swift ----------------------------------------------------------------------------------------

@torch.no_grad()
def output(unet, x):
    return unet(x["sample"], x["timesteps"].long(), x["context"]).sample


def relative(a, b):
    return ((a - b).norm() / b.norm()).item()


def outputs(work):
    generator = torch.Generator().manual_seed(7)
    x = {"sample": torch.randn(2, 4, 16, 16, generator=generator), "context": torch.randn(2, 24, 128, generator=generator),
         "timesteps": torch.tensor([17.0, 801.0])}
    for kind in ("dora", "lora"):
        folder = work / ("peft-" + kind)
        x["out"] = output(save_as_diffusers(folder, kind == "dora").unet, x)
        save_file(x, folder / "io.safetensors")
    swift = lambda *words: subprocess.run(["swift", *words], cwd=ROOT, check=True, env={**os.environ, "ATTUNE_INTEROP": str(work)})
    swift("build", "-c", "release", "--build-tests")
    tokenizer_folders.write_cases(work / "tokenizers")
    swift("test", "-c", "release", "--skip-build", "--filter", "AdapterInteropTests|TokenizerInteropTests")
    good = True
    for kind in ("dora", "lora"):
        pipe, theirs = pipeline(), load_file(work / ("attune-" + kind) / "io.safetensors")
        pipe.load_lora_weights(work / ("attune-" + kind))
        error = relative(theirs["out"], output(pipe.unet, theirs))
        good &= error < 1e-4
        print(f"outputs of the UNet with {kind}: Attune differs from diffusers by {error:.1e}")
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work")
    parser.add_argument("--others-only", action="store_true", help="step 3 alone")
    parser.add_argument("--images-only", action="store_true", help="leave out step 4, which builds the tests")
    arguments = parser.parse_args()
    work = pathlib.Path(arguments.work or tempfile.mkdtemp(prefix="attune-interop-"))
    work.mkdir(parents=True, exist_ok=True)
    if arguments.others_only: sys.exit(0 if from_others(work) else 1)
    base = images(pipeline())
    good = compare("no adapter", attune_images(work, "base"), base, base)
    good &= from_peft(work, base)
    good &= from_attune(work, base)
    good &= from_others(work)
    if not arguments.images_only: good &= outputs(work)
    sys.exit(0 if good else 1)


if __name__ == "__main__": main()
