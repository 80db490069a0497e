"""Steps per second of training every weight of a UNet in PyTorch, as `attune train --targets all` does it.

    all_weights.py MODEL [--batch 64] [--steps 12] [--compile]

Latents, noise and texts are random: their values change no time. The first two steps are not counted.
"""
import argparse
import time

import torch
from diffusers import DDPMScheduler, UNet2DConditionModel

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--steps", type=int, default=12)
parser.add_argument("--compile", action="store_true")
a = parser.parse_args()

unet = UNet2DConditionModel.from_pretrained(a.model, subfolder="unet").float().train()
scheduler = DDPMScheduler.from_pretrained(a.model, subfolder="scheduler")
optimizer = torch.optim.AdamW(unet.parameters(), lr=1e-4)
run = torch.compile(unet) if a.compile else unet
side, width = unet.config.sample_size, unet.config.cross_attention_dim
times = []
for step in range(a.steps + 2):
    begin = time.perf_counter()
    z, noise = torch.randn(2, a.batch, unet.config.in_channels, side, side)
    t = torch.randint(0, scheduler.config.num_train_timesteps, (a.batch,))
    text = torch.randn(a.batch, 24, width)
    loss = torch.nn.functional.mse_loss(run(scheduler.add_noise(z, noise, t), t, text).sample, noise)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(unet.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    if step > 1:
        times.append(time.perf_counter() - begin)
times.sort()
print(f"{1 / times[len(times) // 2]:.3f} steps/s, batch {a.batch}, {torch.get_num_threads()} threads")
