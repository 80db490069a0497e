#!/usr/bin/env python3
"""How far the images of an evaluation are from rendered ones: `attune quality` over features of the VAE's latents.

    quality.py CORPUS EVALUATION --attune BINARY --to FILE.json     needs numpy, h5py and ./python

A feature vector is an image's latent, 4x16x16, averaged over blocks of 4x4: 64 numbers. That needs no network from elsewhere, and 300 images
are enough for its covariance. The reference is the samples with the tag `reference`. One line a guidance scale: the Fréchet distance
with its interval, and precision and recall.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python"))
import attune  # noqa: E402
import numpy as np  # noqa: E402


def features(corpus, condition, parameters):
    chosen = corpus.choose(condition, parameters)
    data = corpus.dataset(chosen, ["latent"])
    latents = np.stack([np.asarray(data[i]["latent"]) for i in range(len(data))])
    n, c, h, w = latents.shape
    return latents.reshape(n, c, 4, h // 4, 4, w // 4).mean((3, 5)).reshape(n, -1).astype(np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("evaluation")
    parser.add_argument("--attune", required=True)
    parser.add_argument("--to", type=pathlib.Path, required=True)
    options = parser.parse_args()
    corpus = attune.open(options.corpus)
    report = json.loads((options.corpus / "evaluations" / f"{options.evaluation}.json").read_text())
    settings = report["settings"]
    adapter = settings["adapters"][-1]["digest"] if settings["adapters"] else None
    first = int(settings["seed"])
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        np.save(folder / "reference.npy", features(corpus, "tag = 'reference'", ()))
        for scale in settings["guidance"]:
            condition = (
                "tag = 'evaluation' AND model = ? AND guidance = ? AND steps = ? AND sampler = ? AND seed BETWEEN ? AND ? AND adapter "
                + ("IS NULL" if adapter is None else "= ?"))
            model = settings["model"] if settings["model"].startswith("sha256:") else f"sha256:{settings['model']}"
            values = [model, scale, settings["steps"], settings["sampler"], first, first + settings["images_per_prompt"] - 1]
            if adapter is not None:
                values.append(adapter if adapter.startswith("sha256:") else f"sha256:{adapter}")
            made = features(corpus, condition, values)
            expected = len(settings["prompts"]) * settings["images_per_prompt"]
            if len(made) != expected:
                sys.exit(f"{options.evaluation}: has {len(made)} images at guidance {scale:g}, not {expected}: run the study in a folder of its own")
            np.save(folder / "made.npy", made)
            text = subprocess.run(
                [options.attune, "quality", folder / "reference.npy", folder / "made.npy", "--metrics", "fd,prdc", "--resamples", "500", "--json"],
                check=True, stdout=subprocess.PIPE, text=True).stdout
            found[f"{scale:g}"] = json.loads(text)["values"]
    options.to.write_text(json.dumps(found, indent=1))


main()
