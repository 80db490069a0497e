"""Reads exports with the programs that they are for, and prints what those saw as JSON.

    read_exports.py FORMAT FOLDER
"""
import glob
import io
import json
import os
import sys

os.environ["HF_DATASETS_OFFLINE"] = "1"


def pixels(image):
    return list(image.convert("RGB").size)


def imagefolder(folder, cache):
    import datasets

    rows = datasets.load_dataset("imagefolder", data_dir=folder, split="train", cache_dir=cache)
    return [dict(id=r["id"], text=r["text"], mi=r["mi"], size=pixels(r["image"])) for r in rows]


def webdataset(folder, cache):
    import webdataset

    tars = sorted(glob.glob(folder + "/*.tar"))
    rows = webdataset.WebDataset(tars, shardshuffle=False, empty_check=False).decode("pil")
    return [dict(id=r["json"]["id"], text=r["txt"], mi=r["json"]["mi"], size=pixels(r["png"])) for r in rows]


def sd_scripts_caption(image, extension=".caption"):
    """The rule by which sd-scripts finds an image's caption, with its default extension: a file beside the image, or
    one without the four numbers that face detection appends; its first line. None: it trains on the folder's word."""
    stem = os.path.splitext(image)[0]
    numbered = stem.split("_")
    for base in (stem, "_".join(numbered[:-4]) if len(numbered) >= 5 else stem):
        if os.path.isfile(base + extension):
            with open(base + extension, encoding="utf-8") as f:
                return f.readlines()[0].strip()
    return None


def kohya(folder, cache):
    """What sd-scripts' loader does: images of each <repeats>_<concept> folder, captions beside them."""
    from PIL import Image

    seen = []
    for sub in os.listdir(folder):
        repeats, _, concept = sub.partition("_")
        assert int(repeats) > 0 and concept
        for path in glob.glob(f"{folder}/{sub}/*.png"):
            text = sd_scripts_caption(path)
            assert text == sd_scripts_caption(path, ".txt")
            seen.append(dict(id=os.path.basename(path)[:-4], text=text or concept, size=pixels(Image.open(path))))
    return seen


def latents(folder, cache):
    import numpy as np
    from safetensors.numpy import load_file

    files, seen = {}, []
    for line in open(folder + "/metadata.jsonl", encoding="utf-8"):
        row = json.loads(line)
        data = files.setdefault(row["file"], load_file(os.path.join(folder, row["file"])))
        prompt = data["prompt_embeds"][data["prompt_index"][row["row"]]]
        assert np.isfinite(prompt).all()
        seen.append(dict(
            id=row["id"], text=row["text"], mi=row["mi"], latent=float(data["latents"][row["row"]].astype("f8").sum()),
            prompt=list(prompt.shape)))
    return seen


def shard(folder, cache):
    import subprocess

    script = os.path.join(os.path.dirname(__file__), "read_shard.py")
    seen = []
    for path in glob.glob(folder + "/*/*.h5"):
        seen += json.loads(subprocess.check_output([sys.executable, script, path]))
    return [dict(id=r["id"], text=r["prompt"], latent=r["latent_sum"]) for r in seen]


if __name__ == "__main__":
    json.dump(globals()[sys.argv[1]](sys.argv[2], sys.argv[2] + ".cache"), sys.stdout)
