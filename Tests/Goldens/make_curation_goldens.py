"""Images, their perceptual hashes by the package imagehash, and near-duplicates of them.

    pip install numpy pillow scipy imagehash==4.3.2
    python make_curation_goldens.py OUT       # Tests/Goldens/curation

OUT/<n>.png are the images, OUT/<n>-<kind>.jpg their near-duplicates.
"""
import json, os, sys
import numpy as np
from PIL import Image, ImageOps
import imagehash


def images():
    """Waves with an edge or two: as much structure as a photograph of that size has."""
    for index, (width, height) in enumerate([(64, 64), (96, 80), (50, 70), (33, 32), (120, 90), (64, 48)]):
        rng = np.random.RandomState(index)
        y, x = np.mgrid[0:height, 0:width] / max(width, height)
        image = np.zeros((height, width, 3))
        for _ in range(7):
            fx, fy, phase = rng.uniform(-9, 9), rng.uniform(-9, 9), rng.uniform(0, 6)
            image += np.sin(fx * x + fy * y + phase)[..., None] * rng.uniform(-1, 1, 3)
        image = 127 + 60 * image
        image[height // 4: height // 2, width // 5: width // 2] += rng.uniform(-90, 90, 3)
        yield Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))


def variants(image):
    """Re-encoded, scaled, cropped by 5 %, mirrored, recolored; each saved as JPEG."""
    width, height = image.size
    yield "jpeg", image, 50
    yield "half", image.resize((width // 2, height // 2), Image.BICUBIC), 90
    yield "larger", image.resize((int(width * 1.7), int(height * 1.7)), Image.BILINEAR), 90
    yield "crop", image.crop((round(0.05 * width), 0, width, height - round(0.05 * height))), 90
    yield "middle", image.resize((width, height), Image.BICUBIC,
                                 box=(0.025 * width, 0.025 * height, 0.975 * width, 0.975 * height)), 90
    yield "mirrored", ImageOps.mirror(image), 90
    shifted = np.asarray(image).astype(float) * 0.95 + np.array([14, 0, -14])
    yield "shifted", Image.fromarray(np.clip(shifted, 0, 255).astype(np.uint8)), 90


def main(out):
    os.makedirs(out, exist_ok=True)
    hashes = {}
    for index, image in enumerate(images()):
        image.save(f"{out}/{index}.png")
        for kind, changed, quality in variants(image): changed.save(f"{out}/{index}-{kind}.jpg", quality=quality)
        hashes[f"{index}.png"] = dict(plain=str(imagehash.phash(image)), mirrored=str(imagehash.phash(ImageOps.mirror(image))))
    with open(f"{out}/hashes.json", "w") as file: json.dump(hashes, file, indent=1)


main(sys.argv[1])
