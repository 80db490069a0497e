"""Precision and recall of attune duplicates on planted near-duplicates.

    PYTHON Benchmarks/curation/planted.py [--attune BINARY] [--threshold T] [--half 0|1] [--verdicts FILE] FOLDER…

Takes the images below the folders (the first 300 of each), writes for each one re-encoded, scaled, cropped, mirrored and
recolored copies, imports all of it into a corpus in a temporary folder, and compares the groups of `attune duplicates --json`
with what was planted. PYTHON needs Pillow and NumPy. A threshold is chosen on one half of the images (--half 0: every second one) and
measured on the other (--half 1). Images of one origin may be near-duplicates of those of another, as a model's are: with the
verdicts of the shapes judge (--verdicts, JSON lines with image and objects), pairs that show the same objects at the same places are counted
apart.
"""
import argparse, collections, itertools, json, pathlib, subprocess, tempfile
import numpy as np
from PIL import Image, ImageEnhance, ImageOps


def variants(image):
    width, height = image.size
    yield "JPEG, quality 50", image, 50
    yield "JPEG, quality 80", image, 80
    yield "half the size", image.resize((max(width // 2, 1), max(height // 2, 1)), Image.BICUBIC), 95
    yield "1.6 times the size", image.resize((int(width * 1.6), int(height * 1.6)), Image.BILINEAR), 95
    yield "5 % cropped, two sides", image.crop((round(0.05 * width), round(0.05 * height), width, height)), 95
    yield "5 % cropped, all sides", image.crop((round(0.025 * width), round(0.025 * height), width - round(0.025 * width),
                                                height - round(0.025 * height))), 95
    yield "mirrored", ImageOps.mirror(image), 95
    yield "brighter by 10 %", ImageEnhance.Brightness(image).enhance(1.1), 95
    yield "less color (60 %)", ImageEnhance.Color(image).enhance(0.6), 95
    shifted = np.asarray(image).astype(float) + np.array([15, 0, -15])
    yield "a warmer cast", Image.fromarray(np.clip(shifted, 0, 255).astype(np.uint8)), 95


def plant(folders, half, to):
    origins, names = {}, []
    metadata = open(to / "metadata.jsonl", "w")
    def add(name, origin, kind):
        origins[name] = (origin, kind)
        metadata.write(json.dumps({"file_name": name, "text": name}) + "\n")
    number = 0
    for folder in folders:
        files = sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp"))
        for place, path in enumerate(files[:300]):
            if half is not None and place % 2 != half: continue
            names.append(path.name)
            image = Image.open(path).convert("RGB")
            image.save(to / f"{number}.png")
            add(f"{number}.png", number, "original")
            for index, (kind, changed, quality) in enumerate(variants(image)):
                changed.save(to / f"{number}-{index}.jpg", quality=quality)
                add(f"{number}-{index}.jpg", number, kind)
            number += 1
    metadata.close()
    return origins, names


def same_objects(first, second, within=5, side=63):
    """Whether two lists of objects are the same kinds at the same places, mirrored or not."""
    if not first or len(first) != len(second): return False
    for mirrored in (False, True):
        left = list(second)
        for one in first:
            hit = next((other for other in left if (other["color"], other["shape"]) == (one["color"], one["shape"])
                        and abs((side - other["x"] if mirrored else other["x"]) - one["x"]) < within
                        and abs(other["y"] - one["y"]) < within), None)
            if hit is None: break
            left.remove(hit)
        if not left: return True
    return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--attune", default=".build/release/attune")
    parser.add_argument("--threshold")
    parser.add_argument("--half", type=int, choices=(0, 1))
    parser.add_argument("--verdicts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "images").mkdir()
        origins, names = plant(options.folders, options.half, scratch / "images")
        def run(*arguments):
            return subprocess.run([options.attune, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout
        corpus = scratch / "corpus"
        run("init", "--corpus", corpus)
        run("import", "--corpus", corpus, "--format", "imagefolder", scratch / "images", "--fit", "keep")
        extra = ["--threshold", options.threshold] if options.threshold else []
        found = json.loads(run("duplicates", "--corpus", corpus, "--json", *extra))
    group = {}
    for number, one in enumerate(found["groups"]):
        for sample in one["samples"]: group[sample["prompt"]] = number
    recall = collections.Counter()
    total = collections.Counter()
    for name, (origin, kind) in origins.items():
        if kind == "original": continue
        total[kind] += 1
        place = group.get(name)
        recall[kind] += place is not None and place == group.get(f"{origin}.png")
    # Of the pairs of originals that a group puts together, which are no copies of each other.
    originals = [name for name, (_, kind) in origins.items() if kind == "original"]
    members = collections.Counter(group[name] for name in originals if name in group)
    wrong = sum(count * (count - 1) // 2 for count in members.values())
    together = [(origins[a["prompt"]][0], origins[b["prompt"]][0]) for one in found["groups"]
                for a, b in itertools.combinations(one["samples"], 2)
                if origins[a["prompt"]][1] == origins[b["prompt"]][1] == "original"]
    judged = ""
    if options.verdicts:
        objects = {pathlib.Path(one["image"]).name: one["objects"] for one in map(json.loads, open(options.verdicts))}
        alike = sum(same_objects(objects[names[a]], objects[names[b]]) for a, b in together)
        judged = f", {alike} of which show the same objects at the same places"
    pairs = sum(1 for one in found["groups"] for _ in itertools.combinations(one["samples"], 2))
    right = sum(1 for one in found["groups"] for a, b in itertools.combinations(one["samples"], 2)
                if origins[a["prompt"]][0] == origins[b["prompt"]][0])
    print(f"{len(originals)} images, {len(origins)} with their copies, threshold {found['threshold']:.2f}")
    for kind in total: print(f"  {kind:24} recall {recall[kind] / total[kind]:.3f}")
    print(f"  {'all':24} recall {sum(recall.values()) / sum(total.values()):.3f}, precision of pairs {right / max(pairs, 1):.3f}; "
          f"{wrong} of {len(originals) * (len(originals) - 1) // 2} pairs of originals together{judged}")


main()
