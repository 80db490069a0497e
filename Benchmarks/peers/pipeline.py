"""What a user would run instead of Attune: diffusers for guided generation with MI, PEFT for DoRA steps.

    pip install torch diffusers transformers peft safetensors
    python Benchmarks/peers/pipeline.py datasets/tiny-sd --prompts FILE

Prints one JSON line a stage. Loading the model is timed apart, as `attune` times it within its commands.
"""
import argparse
import json
import time
from pathlib import Path

import torch
from diffusers import DDPMScheduler, StableDiffusionPipeline
from peft import LoraConfig


def report(stage, seconds, **figures):
    print(json.dumps({"stage": stage, "seconds": round(seconds, 3), **figures}), flush=True)


def embed(pipeline, text):
    tokens = pipeline.tokenizer(
        text, padding="max_length", truncation=True, max_length=pipeline.tokenizer.model_max_length, return_tensors="pt")
    return pipeline.text_encoder(tokens.input_ids)[0]


@torch.no_grad()
def candidates(pipeline, scheduler, prompt, arguments):
    """Latents, images and MI of one prompt's candidates, all in one batch."""
    count = arguments.images_per_prompt
    condition = torch.cat([embed(pipeline, "").expand(count, -1, -1), embed(pipeline, prompt).expand(count, -1, -1)])
    generators = [torch.Generator().manual_seed(arguments.seed + i) for i in range(count)]
    side = pipeline.unet.config.sample_size
    scheduler.set_timesteps(arguments.steps)
    latents = torch.cat([torch.randn(1, 4, side, side, generator=g) for g in generators])
    beta, alpha, kept = scheduler.betas, scheduler.alphas, scheduler.alphas_cumprod
    weight = beta * len(beta) / (2 * alpha * (1 - kept))
    terms = []
    for t in scheduler.timesteps:
        without, given = pipeline.unet(torch.cat([latents, latents]), t, condition).sample.chunk(2)
        if t > 50:
            terms.append(weight[t] * (given - without).square().flatten(1).sum(1))
        guided = without + arguments.guidance * (given - without)
        latents = scheduler.step(guided, t, latents, generator=generators[0]).prev_sample
    images = pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor).sample
    return latents, images, torch.stack(terms).mean(0)


def generate(pipeline, scheduler, prompts, arguments):
    began = time.perf_counter()
    best = []
    for prompt in prompts:
        latents, _, mi = candidates(pipeline, scheduler, prompt, arguments)
        with torch.no_grad():
            best.append((latents[mi.argmax()], embed(pipeline, prompt)[0]))
    seconds = time.perf_counter() - began
    images = len(prompts) * arguments.images_per_prompt
    report("generate", seconds, images=images, images_per_second=round(images / seconds, 2))
    return best


def train(pipeline, scheduler, data, arguments):
    unet = pipeline.unet.requires_grad_(False)
    unet.add_adapter(LoraConfig(
        r=32, lora_alpha=32, use_dora=True, init_lora_weights="gaussian",
        target_modules=["to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2"]))
    trained = [p for p in unet.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=1e-2)
    began = time.perf_counter()
    for step in range(arguments.train_steps):
        rows = [data[(step * arguments.batch + i) % len(data)] for i in range(arguments.batch)]
        latents, context = (torch.stack(column) for column in zip(*rows))
        noise = torch.randn_like(latents)
        t = torch.randint(0, 1000, (len(rows),))
        loss = torch.nn.functional.mse_loss(unet(scheduler.add_noise(latents, noise, t), t, context).sample, noise)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
    seconds = time.perf_counter() - began
    report("train", seconds, steps=arguments.train_steps, steps_per_second=round(arguments.train_steps / seconds, 3))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--prompts", required=True)
    parser.add_argument("--images-per-prompt", type=int, default=16)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--guidance", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--train-steps", type=int, default=20)
    parser.add_argument("--batch", type=int, default=8)
    arguments = parser.parse_args()
    began = time.perf_counter()
    pipeline = StableDiffusionPipeline.from_pretrained(arguments.model, safety_checker=None, torch_dtype=torch.float32)
    scheduler = DDPMScheduler.from_config(pipeline.scheduler.config)
    report("load", time.perf_counter() - began)
    prompts = Path(arguments.prompts).read_text().splitlines()
    train(pipeline, scheduler, generate(pipeline, scheduler, prompts, arguments), arguments)


if __name__ == "__main__":
    main()
