"""What a user would write instead of `attune export`: pixels to an imagefolder by Pillow.

    python Benchmarks/peers/export.py PIXELS.npy --make SIDE COUNT     images with shapes and some noise
    python Benchmarks/peers/export.py PIXELS.npy --to DIR              writes DIR/train, prints the seconds that it took
    python Benchmarks/peers/export.py CORPUS --copy --to DIR           the same work as `attune export`: every shard's SHA-256 is
                                                                       checked, then its PNG files are written out as they are
"""
import argparse
import hashlib
import json
import os
import time
from pathlib import Path

import numpy as np
from PIL import Image


def make(path, side, count):
    draw = np.random.default_rng(0)
    y, x = np.mgrid[0:side, 0:side] / side
    images = np.lib.format.open_memmap(path, "w+", "u1", (count, side, side, 3))
    for image in images:
        cx, cy, r = draw.uniform(0.2, 0.8, 3)
        shade = np.stack([x * draw.uniform(50, 255), y * draw.uniform(50, 255), (x + y) * draw.uniform(20, 127)], -1)
        shade[(x - cx) ** 2 + (y - cy) ** 2 < (r / 3) ** 2] = draw.uniform(0, 255, 3)
        image[:] = np.clip(shade + draw.normal(0, 2, shade.shape), 0, 255)


def write(images, folder):
    train = os.path.join(folder, "train")
    os.makedirs(train)
    with open(os.path.join(train, "metadata.jsonl"), "w") as lines:
        for index, image in enumerate(images):
            name = f"{index:06d}.png"
            Image.fromarray(image).save(os.path.join(train, name))
            lines.write(json.dumps({"file_name": name, "text": f"image no. {index}", "mi": float(index)}) + "\n")


def copy(corpus, folder):
    import h5py

    train = os.path.join(folder, "train")
    os.makedirs(train)
    with open(os.path.join(train, "metadata.jsonl"), "w") as lines:
        for path in sorted(Path(corpus, "shards").rglob("*.h5")):
            contents = path.read_bytes()
            if hashlib.sha256(contents).hexdigest() != path.stem:
                raise SystemExit(f"{path}: damaged")
            with h5py.File(path, "r") as file:
                data, starts = file["images/png"][()], file["images/offset"][()]
                texts, places = file["prompts/text"][()].tobytes(), file["prompts/text_offset"][()]
                for row, prompt in enumerate(file["samples/prompt"][()]):
                    name = file["samples/id"][row].tobytes().hex()[:16] + ".png"
                    with open(os.path.join(train, name), "wb") as out:
                        out.write(data[starts[row] : starts[row + 1]].tobytes())
                    text = texts[places[prompt] : places[prompt + 1]].decode()
                    lines.write(json.dumps({"file_name": name, "text": text}) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pixels")
    parser.add_argument("--make", type=int, nargs=2)
    parser.add_argument("--to")
    parser.add_argument("--copy", action="store_true")
    arguments = parser.parse_args()
    if arguments.make:
        return make(arguments.pixels, *arguments.make)
    if arguments.copy:
        began = time.perf_counter()
        copy(arguments.pixels, arguments.to)
    else:
        images = np.load(arguments.pixels)
        began = time.perf_counter()
        write(images, arguments.to)
    print(round(time.perf_counter() - began, 3))


if __name__ == "__main__":
    main()
