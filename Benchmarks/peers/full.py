"""A whole full-size random model in diffusers' layout, and what diffusers computes with it.

    python Benchmarks/peers/full.py DIR --arch sd21        then: attune-bench full DIR/model
    python Benchmarks/peers/full.py DIR --arch sdxl

DIR/unet is the one of peers/unet.py. Writes DIR/model (the UNet linked, VAE, text encoders, tokenizers, scheduler) and
DIR/model/full-io.safetensors: prompt embeddings, latents after two guided DDIM steps at 64×64, and the VAE both ways at 512²
and 1024²; times the VAE's decoding.
"""
import argparse
import json
import os
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from unet import fill, make_unet, report, timed

TINY = Path(__file__).resolve().parents[2] / "datasets" / "tiny-sd"
PROMPT = "a red circle and a blue square"
CLIP_L = dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
              hidden_act="quick_gelu", projection_dim=768)
OPEN_CLIP_H = dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=23, num_attention_heads=16,
                   hidden_act="gelu", projection_dim=512)
BIG_G = dict(hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=20,
             hidden_act="gelu", projection_dim=1280)


def tokenizer(pad=None):
    made = CLIPTokenizer.from_pretrained(TINY / "tokenizer")
    if pad:
        made.pad_token = pad
    return made


def text_encoder(kind, settings, tokenizer):
    """vocab_size is that of CLIP; the tokenizer of tiny-sd uses the first of its ids."""
    config = CLIPTextConfig(
        vocab_size=49408, max_position_embeddings=77, eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id, pad_token_id=tokenizer.pad_token_id, **settings)
    return fill(kind(config).eval())


def make_vae(scale):
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4, sample_size=512,
        scaling_factor=scale)
    return fill(vae.eval())


def make_pipeline(arch, folder):
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
        steps_offset=1, timestep_spacing="leading")
    unet = make_unet(arch, folder)
    unet.register_to_config(sample_size=64)
    if arch == "sd21":
        tokens = tokenizer("!")
        return StableDiffusionPipeline(
            unet=unet, vae=make_vae(0.18215), text_encoder=text_encoder(CLIPTextModel, OPEN_CLIP_H, tokens),
            tokenizer=tokens, scheduler=scheduler, safety_checker=None, feature_extractor=None,
            requires_safety_checker=False)
    first, second = tokenizer(), tokenizer("!")
    return StableDiffusionXLPipeline(
        unet=unet, vae=make_vae(0.13025), text_encoder=text_encoder(CLIPTextModel, CLIP_L, first), tokenizer=first,
        text_encoder_2=text_encoder(CLIPTextModelWithProjection, BIG_G, second), tokenizer_2=second,
        scheduler=scheduler, force_zeros_for_empty_prompt=True, add_watermarker=False)


def save(pipeline, folder):
    """As `save_pretrained`, with the UNet's weights linked instead of copied."""
    target = folder / "model"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for name, part in pipeline.components.items():
        if part is not None and name != "unet":
            part.save_pretrained(target / name)
    for name in pipeline.components:
        if name.startswith("tokenizer"):  # transformers 5 writes tokenizer.json alone
            for file in ("vocab.json", "merges.txt"):
                shutil.copy(TINY / "tokenizer" / file, target / name / file)
    (target / "unet").mkdir()
    weights = "diffusion_pytorch_model.safetensors"
    os.link(folder / "unet" / weights, target / "unet" / weights)
    pipeline.unet.save_config(target / "unet")
    pipeline.save_config(target)
    return target


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--arch", default="sd21", choices=["sd21", "sdxl"])
    parser.add_argument("--runs", type=int, default=1, help="of the VAE's decoding")
    parser.add_argument("--vae-only", action="store_true", help="write and time no more than the VAE")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    io = {}
    if arguments.vae_only:
        target, vae = arguments.folder / "model", make_vae(0.18215)
        target.mkdir(exist_ok=True)
        vae.save_pretrained(target / "vae")
    else:
        pipeline = make_pipeline(arguments.arch, arguments.folder)
        target, vae = save(pipeline, arguments.folder), pipeline.vae
        encoded = pipeline.encode_prompt(
            prompt=PROMPT, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=True)
        io["tokens"] = encoded[0]
        if arguments.arch == "sdxl":
            io["pooled"] = encoded[2]
        io["latent"] = pipeline(
            PROMPT, height=512, width=512, num_inference_steps=2, guidance_scale=5.0, output_type="latent",
            generator=[torch.Generator().manual_seed(42)]).images
        del pipeline  # the VAE at 1024² needs the UNet's memory
    generator = torch.Generator().manual_seed(3)
    for side in (512,) if arguments.vae_only else (512, 1024):
        z = torch.randn(1, 4, side // 8, side // 8, generator=generator)
        io[f"latents-{side}"], io[f"pixels-{side}"] = z, vae.decode(z).sample
        if not arguments.vae_only:
            image = torch.rand(1, 3, side, side, generator=generator) * 2 - 1
            io[f"image-{side}"], io[f"moments-{side}"] = image, vae.encode(image).latent_dist.parameters
        report(f"vae decode {side}", timed(arguments.runs, lambda: vae.decode(z).sample))
    save_file({k: v.contiguous() for k, v in io.items()}, target / "full-io.safetensors")
    (target / "full.json").write_text(json.dumps(dict(prompt=PROMPT, seed=42, steps=2, guidance=5.0)))


if __name__ == "__main__":
    main()
