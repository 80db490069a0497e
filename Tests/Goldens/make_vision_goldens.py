"""Small vision encoders as transformers saves them, images, and what transformers computes from them.

    pip install torch torchvision transformers pillow safetensors
    python make_vision_goldens.py OUT       # Tests/Goldens/vision

OUT/clip, clip-whole (with its text encoder, and a configuration of the kind that OpenAI published) and dinov2 are folders
of transformers; OUT/values.safetensors has images [H, W, 3] as float32, what the image processors make of them
(`<model>.pixels.<i>`, [3, H, W]) and the features (`<model>.features`, one row an image). Float32 on the CPU.
"""
import json, os, sys, zlib
import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import (CLIPConfig, CLIPModel, CLIPVisionConfig, CLIPVisionModelWithProjection, Dinov2Config,
                          Dinov2Model)
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil


def jitter(model):
    """Weights that are all of some consequence, the same each time."""
    generator = torch.Generator()
    with torch.no_grad():
        for key, value in model.state_dict().items():
            if not value.dtype.is_floating_point: continue
            x = torch.randn(value.numel(), generator=generator.manual_seed(zlib.crc32(key.encode()))).reshape(value.shape)
            if value.dim() > 1: x = x / value[0].numel() ** 0.5
            elif "norm" in key and key.endswith("weight") or "lambda" in key: x = 1 + 0.3 * x
            else: x = 0.2 * x
            value.copy_(x)
    return model.eval()


def images():
    """Smooth, with edges; wide, tall and small."""
    for index, (width, height) in enumerate([(61, 40), (37, 50), (23, 21)]):
        y, x = np.mgrid[0:height, 0:width]
        wave = np.stack([np.sin((x * (c + 2) + y * (3 - c)) / 9 + index) for c in range(3)], -1)
        image = 127 + 100 * wave
        image[height // 3: height // 2, width // 4: width // 2] = [250, 20, 130]
        yield image.round().astype(np.uint8)


def run(name, model, processor, output, out, values):
    model.save_pretrained(f"{out}/{name}")
    processor.save_pretrained(f"{out}/{name}")
    rows = []
    for index, image in enumerate(images()):
        pixels = processor(Image.fromarray(image), return_tensors="pt")["pixel_values"]
        with torch.no_grad(): rows.append(output(pixels))
        values[f"{name}.pixels.{index}"] = pixels[0].float().contiguous()
    values[f"{name}.features"] = torch.cat(rows).contiguous()


def main(out):
    vision = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, image_size=32,
                  patch_size=8)
    values = {f"image.{i}": torch.from_numpy(image).float() for i, image in enumerate(images())}
    clip = jitter(CLIPVisionModelWithProjection(CLIPVisionConfig(projection_dim=24, **vision)))
    processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    run("clip", clip, processor, lambda x: clip(x).image_embeds, out, values)

    whole = jitter(CLIPModel(CLIPConfig(
        projection_dim=24, vision_config=dict(vision, hidden_act="gelu"),
        text_config=dict(vocab_size=40, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
                         max_position_embeddings=8))))
    run("clip-whole", whole, processor,
        lambda x: whole.visual_projection(whole.vision_model(x).pooler_output), out, values)
    with open(f"{out}/clip-whole/preprocessor_config.json", "w") as file:
        json.dump({"crop_size": 32, "do_center_crop": True, "do_normalize": True, "do_resize": True,
                   "feature_extractor_type": "CLIPFeatureExtractor", "image_mean": processor.image_mean,
                   "image_std": processor.image_std, "resample": 3, "size": 32}, file)

    dino = jitter(Dinov2Model(Dinov2Config(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, mlp_ratio=2,
                                           image_size=42, patch_size=7)))
    processor = BitImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 28, "width": 35},
                                     image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])
    run("dinov2", dino, processor, lambda x: dino(x).pooler_output, out, values)
    square = torch.nn.functional.interpolate(values["dinov2.pixels.0"][None], size=(42, 42))
    with torch.no_grad(): values["dinov2.native"] = dino(square).pooler_output
    values["dinov2.square"] = square[0].contiguous()
    save_file(values, f"{out}/values.safetensors")


main(sys.argv[1])
