"""Attune's name for a model folder."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from .errors import NotFound

_WEIGHTS = {
    "text_encoder": ("model", "pytorch_model"), "text_encoder_2": ("model", "pytorch_model"),
    "text_encoder_3": ("model", "pytorch_model"), "transformer": ("diffusion_pytorch_model", "model"),
    "unet": ("diffusion_pytorch_model", "model"), "vae": ("diffusion_pytorch_model", "model"),
}  # fmt: skip
_TOKENIZER = ("merges.txt", "special_tokens_map.json", "tokenizer_config.json", "vocab.json")
#: What Attune itself does not read counts for models that have it.
_FURTHER = ("tokenizer_3/spiece.model", "tokenizer_3/tokenizer.json", "tokenizer_3/tokenizer_config.json")


def model_digest(folder: str | os.PathLike[str]) -> str:
    """`sha256:` and the SHA-256 over names and contents of the files of a diffusers folder that make images.

    It is what `attune generate` writes into manifests, so that `train` knows the latents as its model's own.
    """
    root = Path(folder)
    whole = hashlib.sha256()
    for name in sorted(_files(root), key=str.encode):
        try:
            whole.update(f"{name}\0{_sha256(root / name)}\n".encode())
        except OSError as error:
            raise NotFound(str(root / name), f"cannot be read ({error.strerror}): is {folder} a diffusers folder?") from None
    return f"sha256:{whole.hexdigest()}"


def _files(root: Path) -> list[str]:
    names = ["model_index.json", "scheduler/scheduler_config.json"]
    for part, stems in _WEIGHTS.items():
        if not (root / part).exists():
            continue
        names.append(f"{part}/config.json")
        for stem in stems:
            index = root / part / f"{stem}.safetensors.index.json"
            if (root / part / f"{stem}.safetensors").exists():
                names.append(f"{part}/{stem}.safetensors")
                break
            if index.exists():
                names += sorted({f"{part}/{f}" for f in json.loads(index.read_text())["weight_map"].values()})
                break
        else:
            raise NotFound(str(root / part), f"has no {stems[0]}.safetensors: save the model with safe_serialization")
    for part in ("tokenizer", "tokenizer_2"):
        names += [f"{part}/{name}" for name in _TOKENIZER if (root / part / name).exists()]
    return names + [name for name in _FURTHER if (root / name).exists()]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 22):
            digest.update(block)
    return digest.hexdigest()
