"""Candidates made with PyTorch and diffusers (on a GPU, if there is one), written as a batch that Attune imports.

    pip install torch diffusers transformers h5py hdf5plugin pillow numpy
    python examples/write_batch.py datasets/tiny-sd --prompts datasets/prompts/demo.txt --to batch.h5
    attune import --corpus C --format shard batch.h5

`write_batch` needs only numpy, h5py, hdf5plugin and Pillow: copy it into your own program. docs/interchange.md explains it,
schemas/shard.md is the format. `--made-up 4` writes four samples of noise, to try it without a model.
"""
import argparse
import hashlib
import io
import json
import re
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
from PIL import Image

# --- The batch ---------------------------------------------------------------------------------------------------------


def canonical(value):
    """Canonical JSON (RFC 8785): sorted names, no blanks, 5.0 written as 5. Enough for the values of a manifest."""

    def plain(v):
        if isinstance(v, dict):
            return {k: plain(v[k]) for k in v}
        if isinstance(v, (list, tuple)):
            return [plain(x) for x in v]
        if isinstance(v, float) and v.is_integer():
            return int(v)
        return v

    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def manifest(sample, latent, pixels, schedule):
    """The sample's manifest: what it is and how it was made. Its SHA-256 is the sample's id."""
    height, width, _ = pixels.shape
    recipe = {
        "prompt": sample["prompt"],
        "seed": str(sample["seed"]),  # 64 bits, hence text
        "model": sample["model"],
        "sampler": sample["sampler"],
        "steps": sample["steps"],
        "guidance": sample["guidance"],
        "width": width,
        "height": height,
    }
    if sample.get("adapter"):
        recipe["adapter"] = sample["adapter"]
    whole = dict(
        recipe,
        recipe_sha256=sha256(canonical(recipe)),
        pixels_sha256=sha256(pixels.tobytes()),
        latent_sha256=sha256(latent.tobytes()),
        latent_shape=list(latent.shape),
    )
    if sample.get("tag"):
        whole["tag"] = sample["tag"]
    if len(sample["timesteps"]):
        whole["schedule"] = schedule
    return canonical(whole)


def joined(pieces):
    """The concatenated pieces, and the offsets at which each begins and the last ends."""
    offsets = np.cumsum([0] + [len(p) for p in pieces], dtype="<i8")
    return np.frombuffer(b"".join(pieces), "u1"), offsets


def write_batch(path, samples, schedule):
    """Writes samples, each a dict:

    prompt, seed, model (model_digest of its folder), sampler, steps, guidance; adapter and tag if they apply;
    image: uint8 [height, width, 3]; latent: float32 [C, h, w], scaled as the UNet takes it;
    timesteps: training timesteps from noisy to clean; delta_sq: at each, the sum over C*h*w of
    (eps(z, p, t) - eps(z, none, t))**2, NaN if a step was not guided. Both may be empty.
    """
    manifests, images, latents = [], [], {}
    latent_rows, prompts = [], {}
    for sample in samples:
        latent = np.ascontiguousarray(sample["latent"], "<f4")
        pixels = np.ascontiguousarray(sample["image"], "u1")
        png = io.BytesIO()
        Image.fromarray(pixels).save(png, "PNG")
        images.append(png.getvalue())
        manifests.append(manifest(sample, latent, pixels, schedule))
        rows = latents.setdefault("x".join(map(str, latent.shape)), [])
        latent_rows.append(len(rows))
        rows.append(latent)
        prompts.setdefault(sample["prompt"], len(prompts))
    longest = max(len(s["timesteps"]) for s in samples)
    timesteps = np.full((len(samples), longest), -1, "<i4")
    deltas = np.full((len(samples), longest), np.nan, "<f4")
    for row, sample in enumerate(samples):
        timesteps[row, : len(sample["timesteps"])] = sample["timesteps"]
        deltas[row, : len(sample["delta_sq"])] = sample["delta_sq"]

    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        file.attrs["format"] = np.bytes_("attune-shard")
        file.attrs["version"] = np.bytes_("1")

        def put(name, values):
            file.create_dataset(name, data=values, track_times=False)

        put("samples/id", np.array([list(hashlib.sha256(m).digest()) for m in manifests], "u1"))
        put("samples/prompt", np.array([prompts[s["prompt"]] for s in samples], "<i8"))
        put("samples/latent_row", np.array(latent_rows, "<i8"))
        for name, offsets, pieces in [
            ("samples/manifest", "samples/manifest_offset", manifests),
            ("prompts/text", "prompts/text_offset", [p.encode() for p in prompts]),
            ("images/png", "images/offset", images),
        ]:
            data, starts = joined(pieces)
            put(name, data)
            put(offsets, starts)
        for name, rows in latents.items():
            file.create_dataset(
                "latents/" + name, data=np.stack(rows), chunks=(1,) + rows[0].shape, track_times=False,
                **hdf5plugin.Zstd(clevel=3))
        put("traces/timestep", timesteps)
        put("traces/delta_sq", deltas)


def weight_files(folder, stems, variant):
    """The files of a component's weights: of the requested variant, else the plain files, else the only variant."""
    def copy(mark):
        for stem in stems:
            if (folder / f"{stem}{mark}.safetensors").exists():
                return [f"{stem}{mark}.safetensors"]
            for index in [folder / f"{stem}.safetensors.index{mark}.json", folder / f"{stem}.safetensors{mark}.index.json"]:
                if index.exists():
                    return sorted(set(json.loads(index.read_text())["weight_map"].values()))

    found = (variant and copy("." + variant)) or copy("")
    if not found and not variant:
        names = "|".join(map(re.escape, stems))
        pattern = rf"(?:{names})\.(?:safetensors\.(?:index\.)?)?([\w-]+)\.(?:safetensors|json|index\.json)"
        marks = {m[1] for m in (re.fullmatch(pattern, f.name) for f in folder.iterdir()) if m and "-of-" not in m[1]} - {"index"}
        found = copy("." + marks.pop()) if len(marks) == 1 else None
    if not found:
        raise FileNotFoundError(f"{folder} has no {stems[0]}.safetensors")
    return found


def tokenizer_says_more(folder):
    """Whether tokenizer.json has something that the older files next to it lack, or is the only tokenizer file."""
    if not (folder / "vocab.json").exists():
        return True
    fast = json.loads((folder / "tokenizer.json").read_text())
    vocab = json.loads((folder / "vocab.json").read_text())
    lines = [line.split() for line in (folder / "merges.txt").read_text().splitlines() if not line.startswith("#version")]
    merges = [merge.split() if isinstance(merge, str) else merge for merge in fast["model"]["merges"]]
    config = folder / "tokenizer_config.json"
    if config.exists() and "added_tokens_decoder" in json.loads(config.read_text()):
        added = []
    else:
        added = [token["content"] for token in fast.get("added_tokens", []) if token["content"] not in vocab]
    return fast["model"]["vocab"] != vocab or merges != [line for line in lines if line] or bool(added)


def model_digest(folder, variant=None):
    """Attune's name for a model: SHA-256 over the names and contents of the files that it reads."""
    folder = Path(folder)
    names = ["model_index.json", "scheduler/scheduler_config.json"]
    for part, stems in [
        ("text_encoder", ["model", "pytorch_model"]), ("text_encoder_2", ["model", "pytorch_model"]),
        ("unet", ["diffusion_pytorch_model", "model"]), ("vae", ["diffusion_pytorch_model", "model"]),
    ]:
        if not (folder / part).exists():
            continue
        names.append(f"{part}/config.json")
        names += [f"{part}/{file}" for file in weight_files(folder / part, stems, variant)]
    for part in ["tokenizer", "tokenizer_2"]:
        for name in ["added_tokens.json", "merges.txt", "special_tokens_map.json", "tokenizer_config.json", "vocab.json"]:
            if (folder / part / name).exists():
                names.append(f"{part}/{name}")
        if (folder / part / "tokenizer.json").exists() and tokenizer_says_more(folder / part):
            names.append(f"{part}/tokenizer.json")
    whole = hashlib.sha256()
    for name in sorted(names, key=str.encode):
        whole.update(f"{name}\0{sha256((folder / name).read_bytes())}\n".encode())
    return "sha256:" + whole.hexdigest()


# --- The candidates ----------------------------------------------------------------------------------------------------


def candidates(arguments):
    """Guided DDPM sampling with diffusers; the trace is read off each step."""
    import torch
    from diffusers import DDPMScheduler, StableDiffusionPipeline

    device = "cuda" if torch.cuda.is_available() else "cpu"
    pipeline = StableDiffusionPipeline.from_pretrained(
        arguments.model, safety_checker=None, torch_dtype=torch.float32).to(device)
    scheduler = DDPMScheduler.from_config(pipeline.scheduler.config)
    scheduler.set_timesteps(arguments.steps)
    model = model_digest(arguments.model)
    side, scale = pipeline.unet.config.sample_size, pipeline.vae.config.scaling_factor

    def embed(text):
        return pipeline.encode_prompt(text, device, 1, False)[0]

    samples = []
    with torch.no_grad():
        for prompt in Path(arguments.prompts).read_text(encoding="utf-8").split("\n"):
            prompt = prompt.split("\t")[0].strip()
            if not prompt:
                continue
            text = torch.cat([embed(""), embed(prompt)])
            for seed in range(arguments.seed, arguments.seed + arguments.images_per_prompt):
                generator = torch.Generator().manual_seed(seed)
                z = torch.randn(1, 4, side, side, generator=generator).to(device)
                deltas = []
                for t in scheduler.timesteps:
                    without, given = pipeline.unet(torch.cat([z, z]), t, text).sample.chunk(2)
                    deltas.append((given - without).float().square().sum().item())
                    guided = without + arguments.guidance * (given - without)
                    z = scheduler.step(guided, t, z, generator=generator).prev_sample
                pixels = pipeline.vae.decode(z / scale).sample[0].permute(1, 2, 0)
                samples.append({
                    "prompt": prompt, "seed": seed, "model": model, "sampler": "ddpm", "steps": arguments.steps,
                    "guidance": arguments.guidance, "tag": arguments.tag,
                    "image": ((pixels / 2 + 0.5).clamp(0, 1) * 255).round().cpu().numpy().astype("u1"),
                    "latent": z[0].float().cpu().numpy(),
                    "timesteps": scheduler.timesteps.tolist(), "delta_sq": deltas,
                })
    config = scheduler.config
    return samples, {
        "beta_start": config.beta_start, "beta_end": config.beta_end, "beta_schedule": config.beta_schedule,
        "num_train_timesteps": config.num_train_timesteps,
    }


def made_up(count):
    draw = np.random.default_rng(1)
    samples = [{
        "prompt": "noise \u2605", "seed": seed, "model": "sha256:made-up", "sampler": "ddpm", "steps": 3, "guidance": 7.5,
        "image": draw.integers(0, 256, (16, 16, 3), "u1"), "latent": draw.standard_normal((4, 2, 2)),
        "timesteps": [751, 501, 251], "delta_sq": [3.0, 2.0, 1.0 + seed],
    } for seed in range(count)]
    return samples, {
        "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="a model's folder in the diffusers layout (SD-1.x or SD-2.x)")
    parser.add_argument("--prompts", help="a file of prompts, one per line")
    parser.add_argument("--images-per-prompt", type=int, default=4)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--guidance", type=float, default=7.5)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--tag", default="written-elsewhere")
    parser.add_argument("--made-up", type=int, metavar="COUNT")
    parser.add_argument("--to", required=True)
    arguments = parser.parse_args()
    if not arguments.made_up and not (arguments.model and arguments.prompts):
        parser.error("give a model and --prompts, or --made-up COUNT")
    samples, schedule = made_up(arguments.made_up) if arguments.made_up else candidates(arguments)
    write_batch(arguments.to, samples, schedule)
    print(f"{len(samples)} samples in {arguments.to}")


if __name__ == "__main__":
    main()
