"""Candidates out of a diffusers pipeline, with the trace that MI is read off."""

from __future__ import annotations

import inspect
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .corpus import Corpus
from .errors import BadQuery, NotFound, Unsupported, need
from .model import model_digest
from .trace import TraceHook
from .writer import SCHEDULE, Writer, recipe

_SAMPLERS = {
    "ddpm": "DDPMScheduler", "ddim": "DDIMScheduler", "pndm": "PNDMScheduler", "euler": "EulerDiscreteScheduler",
    "flow-euler": "FlowMatchEulerDiscreteScheduler",
}  # fmt: skip


@dataclass
class Outcome:
    """What a call of generate did."""

    made: int
    skipped: int
    files: list[Path]


def read_prompts(path: str | os.PathLike[str]) -> list[str]:
    """Prompts as `attune generate` reads them: one per line, text before a tab, each once."""
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise NotFound(str(path), f"cannot be read as a prompt file ({error.strerror}): check the path") from None
    except UnicodeDecodeError as error:
        raise BadQuery(str(path), f"is not UTF-8 at byte {error.start}: save the file as UTF-8") from None
    lines = (line.split("\t")[0].strip(" \r") for line in text.split("\n"))
    prompts = list(dict.fromkeys(line for line in lines if line))
    if not prompts:
        raise BadQuery(str(path), "has no prompts; put one on each line")
    return prompts


def part_of(prompts: Sequence[str], part: str | None) -> list[str]:
    """The i-th of n parts of the prompts, `part` being "i/n" as under an array job, counted from 1."""
    if part is None:
        return list(prompts)
    numbers = part.split("/")
    if len(numbers) != 2 or not all(n.isdigit() for n in numbers) or not 1 <= int(numbers[0]) <= int(numbers[1]):
        raise BadQuery(part, "is not a part; give i/n, counted from 1, as in 2/8")
    return list(prompts)[int(numbers[0]) - 1 :: int(numbers[1])]


def generate(
    model: str | os.PathLike[str], prompts: Sequence[str] | str | os.PathLike[str], to: str | os.PathLike[str], *,
    corpus: Corpus | str | os.PathLike[str] | None = None, images_per_prompt: int = 50, steps: int = 100,
    guidance: float = 7.5, sampler: str | None = None, seed: int = 42, batch: int = 16, samples_per_file: int = 256,
    tag: str | None = None, part: str | None = None, device: str | None = None, dtype: str = "float32",
    width: int | None = None, height: int | None = None, pipeline: Any = None,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:  # fmt: skip
    """Makes candidates with a diffusers pipeline and writes them into the folder `to`, for
    `attune import --format shard TO`.

    Candidate i of every prompt uses seed + i, each image with a generator of its own, as `attune generate` does; with
    float32 the traces agree with its traces. What `to` or `corpus` has is skipped, so the same call resumes after a stop.

    model: a folder in the diffusers layout, with a UNet or a transformer. prompts: a list, or a prompt file.
    sampler: ddpm, ddim, pndm, euler, or None for the model's own scheduler. device: cuda, cuda:1, mps, cpu (default: the
    best there is). dtype: float32, float16, bfloat16. part: "i/n", one of n processes or GPUs.
    pipeline: one that is loaded already (with a LoRA, say; give such samples a tag); `model` still names it.
    """
    try:
        import torch
    except ImportError:
        raise need("torch", "to generate", "generate") from None
    for name, value in (("images_per_prompt", images_per_prompt), ("steps", steps), ("batch", batch)):
        if value < 1:
            raise BadQuery(name, f"is {value}; it must be at least 1")
    if not np.isfinite(guidance):
        raise BadQuery("guidance", f"is {guidance}; it must be a number")
    texts = read_prompts(prompts) if isinstance(prompts, (str, os.PathLike)) else list(dict.fromkeys(prompts))
    texts = part_of(texts, part)
    device = device or _best_device(torch)
    digest = model_digest(model)
    if pipeline is None:
        pipeline = _load(torch, model, dtype)
    pipeline = pipeline.to(device)
    pipeline.set_progress_bar_config(disable=True)
    name = _set_sampler(pipeline, sampler)
    side = _side(pipeline)
    width, height = width or side, height or side
    plan = [(text, (seed + i) & ((1 << 64) - 1)) for text in texts for i in range(images_per_prompt)]
    is_flow = "FlowMatch" in type(pipeline.scheduler).__name__
    config = pipeline.scheduler.config
    schedule = None if is_flow else {member: config[member] for member in SCHEDULE}

    with Writer(to, corpus=corpus, schedule=schedule, batch_size=samples_per_file, tag=tag, model=digest) as writer:
        common: dict[str, Any] = {"model": digest, "sampler": name, "steps": steps, "guidance": float(guidance)}
        done = 0
        for group in _groups(plan, batch):
            recipes = [recipe(prompt=p, seed=s, width=width, height=height, **common) for p, s in group]
            wanted = [group[i] for i in writer.missing(recipes)]
            writer.skipped += len(group) - len(wanted)
            if wanted:
                for (prompt, number), made in zip(
                    wanted, _make(torch, pipeline, wanted, steps, guidance, width, height, device)
                ):
                    writer.add(prompt=prompt, seed=number, **common, **made)
            done += len(group)
            if progress is not None:
                progress(done, len(plan))
    return Outcome(writer.added, writer.skipped, writer.files)


def _groups(plan: list[tuple[str, int]], size: int) -> Iterator[list[tuple[str, int]]]:
    for start in range(0, len(plan), size):
        yield plan[start : start + size]


def _best_device(torch: Any) -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _load(torch: Any, model: str | os.PathLike[str], dtype: str) -> Any:
    try:
        import diffusers
    except ImportError:
        raise need("diffusers", "to generate", "generate") from None
    kind = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}.get(dtype)
    if kind is None:
        raise BadQuery("dtype", f"is {dtype!r}; it must be float32, float16 or bfloat16")
    # The argument has a new name; older releases know the old one only.
    version = tuple(int(n) for n in diffusers.__version__.split(".")[:2])
    options: dict[str, Any] = {"dtype" if version >= (0, 42) else "torch_dtype": kind, **_absent(diffusers, Path(model))}
    try:
        return diffusers.DiffusionPipeline.from_pretrained(str(model), local_files_only=True, **options)
    except (OSError, ValueError) as error:
        raise Unsupported(str(model), f"cannot be loaded by diffusers: {error}") from error


def _absent(diffusers: Any, folder: Path) -> dict[str, None]:
    """The optional parts that a folder does not have, such as SD-3's T5; and the safety checker, which paints over."""
    try:
        name = json.loads((folder / "model_index.json").read_bytes())["_class_name"]
        parts = inspect.signature(getattr(diffusers, name).__init__).parameters
    except (OSError, ValueError, KeyError, AttributeError):
        return {}
    absent: dict[str, None] = {
        part: None for part in ("text_encoder_2", "tokenizer_2", "text_encoder_3", "tokenizer_3", "image_encoder",
                                "feature_extractor") if part in parts and not (folder / part).exists()}  # fmt: skip
    return {**absent, "safety_checker": None} if "safety_checker" in parts else absent


def _set_sampler(pipeline: Any, sampler: str | None) -> str:
    import diffusers

    kind = type(pipeline.scheduler).__name__
    if sampler is not None:
        if sampler not in _SAMPLERS:
            raise BadQuery(sampler, f"is not a sampler; there are {', '.join(_SAMPLERS)}")
        if (sampler == "flow-euler") != ("FlowMatch" in kind):
            raise Unsupported(sampler, f"does not go with a model that was trained for {kind}")
        # As Stable Diffusion uses it, and Attune's pndm is: without the Runge-Kutta start.
        more = {"skip_prk_steps": True} if sampler == "pndm" else {}
        pipeline.scheduler = getattr(diffusers, _SAMPLERS[sampler]).from_config(pipeline.scheduler.config, **more)
        return sampler
    return next((name for name, other in _SAMPLERS.items() if other == kind), kind)


def _side(pipeline: Any) -> int:
    denoiser = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    if denoiser is None:
        raise Unsupported(type(pipeline).__name__, "has neither a UNet nor a transformer")
    factor = getattr(pipeline, "vae_scale_factor", 8)
    size = getattr(pipeline, "default_sample_size", None) or denoiser.config.get("sample_size")
    if not isinstance(size, int):
        raise BadQuery("width", f"is unknown for {type(pipeline).__name__}: give width and height")
    return int(size * factor)


def _make(
    torch: Any, pipeline: Any, wanted: list[tuple[str, int]], steps: int, guidance: float, width: int, height: int,
    device: str,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    # On the CPU, so that an image is the same on every device.
    generators = [torch.Generator().manual_seed(number if number < 1 << 63 else number - (1 << 64)) for _, number in wanted]
    with torch.no_grad(), TraceHook(pipeline, len(wanted)) as hook:
        latents = pipeline(
            [prompt for prompt, _ in wanted], num_inference_steps=steps, guidance_scale=guidance, width=width,
            height=height, generator=generators, output_type="latent").images  # fmt: skip
        if latents.ndim != 4:
            raise Unsupported(
                type(pipeline).__name__, f"gives latents of shape {list(latents.shape)}: only [n, C, h, w] can be stored")
        pixels = _decode(torch, pipeline, latents)
    for image, latent, trace in zip(pixels, latents, hook.traces()):
        yield {"image": image, "latent": latent.float().cpu().numpy(), **trace}


def _decode(torch: Any, pipeline: Any, latents: Any) -> Any:
    vae = pipeline.vae
    dtype = vae.dtype
    # SDXL's VAE overflows in float16.
    upcast = dtype == torch.float16 and bool(vae.config.get("force_upcast", False))
    if upcast:
        vae.to(torch.float32)
    try:
        scaled = latents.to(vae.dtype) / vae.config.scaling_factor + (vae.config.get("shift_factor") or 0)
        images = [vae.decode(row.unsqueeze(0)).sample[0] for row in scaled]
    finally:
        if upcast:
            vae.to(dtype)
    whole = (torch.stack(images).float() / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1)
    return (whole * 255).round().cpu().numpy().astype(np.uint8)


def show_progress(done: int, total: int) -> None:
    """A line on standard error that counts."""
    end = "\n" if done >= total else ""
    print(f"\rgenerate {done}/{total} images", end=end, file=sys.stderr, flush=True)
