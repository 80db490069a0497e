"""Writes errors.json: denoising errors of tiny-sd under several prompts as PyTorch and diffusers compute them, and what
scipy makes of them as contrast.

Run from the repository: python Tests/Goldens/make_error_goldens.py (torch, diffusers, transformers, scipy).
"""

import json
from pathlib import Path

import numpy as np
import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from scipy.special import log_softmax
from transformers import CLIPTextModel, CLIPTokenizer

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "datasets/tiny-sd"
PROMPTS = ["a red circle and a blue square", "", "a blue circle and a red square", "a red circle and a blue star"]
TIMESTEPS = [801, 501, 251, 101]
DRAWS, SEED, SHAPE = 2, 7, (4, 16, 16)


def words(seed: int, stream: int, blocks: np.ndarray) -> np.ndarray:
    """Philox4x32-10 (Salmon et al. 2011) of counters (block, stream) and key seed: [n, 4]."""
    mask = np.uint64(0xFFFFFFFF)
    c = [blocks & mask, blocks >> np.uint64(32), np.full_like(blocks, stream & 0xFFFFFFFF), np.full_like(blocks, stream >> 32)]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(b >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), b & mask, (a >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), a & mask]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, axis=1).astype(np.float64)


def noise(t: int, draw: int) -> torch.Tensor:
    """Box-Muller over the words, channels last as Attune draws them; given channels first."""
    c, h, w = SHAPE
    drawn = words(SEED, t << 32 | draw, np.arange(c * h * w // 4, dtype=np.uint64)).reshape(-1, 2)
    radius, angle = np.sqrt(-2 * np.log((drawn[:, 0] + 0.5) / 2**32)), 2 * np.pi * (drawn[:, 1] + 0.5) / 2**32
    values = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(h, w, c)
    return torch.from_numpy(values).permute(2, 0, 1)[None].float()


tokenizer = CLIPTokenizer.from_pretrained(MODEL / "tokenizer")
encoder = CLIPTextModel.from_pretrained(MODEL / "text_encoder", torch_dtype=torch.float32)
unet = UNet2DConditionModel.from_pretrained(MODEL / "unet", torch_dtype=torch.float32)
scheduler = DDPMScheduler.from_pretrained(MODEL / "scheduler")
latent = torch.randn((1, *SHAPE), generator=torch.Generator().manual_seed(3))
with torch.no_grad():
    ids = tokenizer(PROMPTS, padding="max_length", max_length=tokenizer.model_max_length, return_tensors="pt").input_ids
    text = encoder(ids)[0]
    errors, deltas = np.zeros((DRAWS, len(TIMESTEPS), len(PROMPTS))), np.zeros((DRAWS, len(TIMESTEPS)))
    for draw in range(DRAWS):
        for step, t in enumerate(TIMESTEPS):
            epsilon = noise(t, draw)
            noised = scheduler.add_noise(latent, epsilon, torch.tensor([t]))
            output = unet(noised.repeat(len(PROMPTS), 1, 1, 1), t, encoder_hidden_states=text).sample.double()
            errors[draw, step] = (output - epsilon).pow(2).sum(dim=(1, 2, 3))
            deltas[draw, step] = (output[0] - output[1]).pow(2).sum()

kept = [step for step, t in enumerate(TIMESTEPS) if t > 200]
named = errors[:, kept][:, :, [0, 2, 3]]
document = {
    "prompts": PROMPTS, "timesteps": TIMESTEPS, "draws": DRAWS, "seed": SEED, "latent": latent.flatten().tolist(),
    "errors": errors.flatten().tolist(), "deltas": deltas.tolist(),
    "contrast": log_softmax(-named / 0.5, axis=-1)[..., 0].mean(),
    "contrast_mean": log_softmax(-named.mean(axis=(0, 1)) / 0.5)[0],
    "contrast_hard": named.mean(axis=(0, 1))[1:].min() - named.mean(axis=(0, 1))[0],
    "pointwise": (errors[:, kept, 1] - errors[:, kept, 0]).mean(),
}  # fmt: skip
Path(__file__).with_name("errors.json").write_text(json.dumps(document) + "\n")
