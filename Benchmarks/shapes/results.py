#!/usr/bin/env python3
"""Writes the table of a study from the evaluations that its corpus keeps.

    results.py CORPUS [--agreement FILE] --to RESULTS.md
"""
import argparse
import json
import os
import pathlib

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("corpus", type=pathlib.Path)
parser.add_argument("--agreement", type=pathlib.Path)
parser.add_argument("--to", type=pathlib.Path, required=True)
options = parser.parse_args()

reports = {}
for file in sorted((options.corpus / "evaluations").glob("*.json")):
    report = json.loads(file.read_text())
    if report["format"] == "attune-evaluation" and report["settings"].get("referee") == "shapes":
        reports[file.stem] = report
if "base" not in reports:
    raise SystemExit(f"{options.corpus}: has no evaluation called base; run Benchmarks/shapes/study.sh")
base = reports["base"]
scales = base["settings"]["guidance"]


def shown(value, sign=False):
    form = "+.3f" if sign else ".3f"
    return f"{value['mean']:{form}} [{value['low']:{form}}, {value['high']:{form}}]"


def means(report, model, category="all"):
    return {
        r["guidance"]: r["value"] for r in report["results"]
        if r["score"] == "shapes" and r["category"] == category and r["model"] == model
    }


def tuned(report):
    """The label of what the row is about: its adapter, or the model itself."""
    return report["settings"]["adapters"][-1]["label"] if report["settings"]["adapters"] else "base"


def differences(report):
    return {
        d["guidance"]: d["value"] for d in report["differences"]
        if d["score"] == "shapes" and d["category"] == "all" and d["model"] == tuned(report) and d["baseline"] == "base"
        and d["guidance"] == d["baseline_guidance"]
    }


# A place says nothing of how rows came about.
sizes = " ".join(
    f"{name}='{value}'" if set(value) & set("()|*^$ ") else f"{name}={value}"
    for name, value in sorted(os.environ.items()) if name.startswith("STUDY_") and name not in ("STUDY_RESULTS", "STUDY_ROWS"))

lines = [
    "# What tuning on chosen images does", "",
    f"Made by `Benchmarks/shapes/study.sh` and `results.py` from {len(reports)} evaluations; do not edit by hand. "
    f"{len(base['settings']['prompts'])} prompts that training has not seen, {base['settings']['images_per_prompt']} images each, "
    f"{base['settings']['steps']} steps of {base['settings']['sampler']}. Figures are the share of images that the shapes judge calls "
    "aligned, with 95 % bootstrap intervals over prompts. [Benchmarks/shapes/README.md](../../Benchmarks/shapes/README.md) reads them.", "",
    *([f"Sizes other than the script's: `{sizes}`.", ""] if sizes else []),
    "## Share aligned", "",
    "| row | " + " | ".join(f"guidance {s:g}" for s in scales) + " | best guidance |",
    "|---|" + "---|" * (len(scales) + 1),
]
order = ["base"] + [name for name in reports if name != "base"]
for name in order:
    report = reports[name]
    found = means(report, tuned(report))
    best = max(found, key=lambda s: found[s]["mean"]) if found else None
    lines.append(
        f"| {name} | " + " | ".join(shown(found[s]) if s in found else "" for s in scales)
        + f" | {'' if best is None else f'{best:g}'} |")
lines += [
    "", "## Difference from the model without adapter, paired by prompt", "",
    "Rows that train all weights have no paired difference; compare their intervals above. * marks an interval without 0.", "",
    "| row | " + " | ".join(f"guidance {s:g}" for s in scales) + " |", "|---|" + "---|" * len(scales),
]
for name in order[1:]:
    found = differences(reports[name])
    if found:
        cells = [
            shown(found[s], True) + (" *" if found[s]["low"] > 0 or found[s]["high"] < 0 else "") if s in found else ""
            for s in scales
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
categories = sorted({r["category"] for r in base["results"]} - {"all"})
if categories:
    scale = max(means(base, "base"), key=lambda s: means(base, "base")[s]["mean"])
    lines += [
        "", f"## By category, at guidance {scale:g}", "", "| row | " + " | ".join(categories) + " |",
        "|---|" + "---|" * len(categories),
    ]
    for name in order:
        cells = [means(reports[name], tuned(reports[name]), c).get(scale) for c in categories]
        lines.append(f"| {name} | " + " | ".join(f"{c['mean']:.3f}" if c else "" for c in cells) + " |")
if base.get("quality"):
    lines += [
        "", "## Distance to rendered images", "",
        "Fréchet distance of latents to those of rendered images of the same prompts (`evaluate --reference`), with 95 % intervals over "
        "images. Less is closer.", "",
        "| row | " + " | ".join(f"guidance {s:g}" for s in scales) + " |", "|---|" + "---|" * len(scales),
    ]
    for name in order:
        found = {q["guidance"]: q for q in reports[name].get("quality", []) if q["model"] == tuned(reports[name])}

        def distance(q):
            return f"{q['value']:.2f}" + (f" [{q['low']:.2f}, {q['high']:.2f}]" if "low" in q else "")

        lines.append(f"| {name} | " + " | ".join(distance(found[s]) if s in found else "" for s in scales) + " |")
if options.agreement and options.agreement.exists():
    report = json.loads(options.agreement.read_text())
    lines += [
        "", "## How well scores find the aligned images of a prompt", "",
        f"{report['images']} images of the base, {report['prompts']} of the prompts above, {report['images'] / report['prompts']:g} of each; "
        f"{shown(report['mean'])} are aligned. AUC and top-1 are over prompts that have both kinds, beside a choice by chance. *Chosen* is over all: "
        "the share aligned of the best of each prompt, and what that adds to the mean of its images, paired by prompt.", "",
        "| score | AUC | top-1 | chance | chosen | gain |", "|---|---|---|---|---|---|",
    ]
    for row in report["agreement"]:
        if row["category"] == "all":
            cells = [shown(row[key], key == "gain") if key in row else "" for key in ("auc", "top", "chance", "chosen", "gain")]
            lines.append(f"| {row['score']} | " + " | ".join(cells) + " |")
options.to.parent.mkdir(parents=True, exist_ok=True)
temporary = options.to.with_name(options.to.name + ".part")
temporary.write_text("\n".join(lines) + "\n")
temporary.replace(options.to)
print(f"{options.to}: {len(reports)} rows")
