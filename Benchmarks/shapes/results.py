#!/usr/bin/env python3
"""Writes the tables of studies from the evaluations that their corpora keep.

    results.py STUDY... --to RESULTS.md

A STUDY is a folder that study.sh has filled.
"""
import argparse
import collections
import json
import pathlib
import random
import re

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("studies", type=pathlib.Path, nargs="+", metavar="STUDY")
parser.add_argument("--to", type=pathlib.Path, required=True)
options = parser.parse_args()


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


def table(first, columns, rows):
    """Lines of a table; rows are names with their cells."""
    return [
        f"| {first} | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns),
        *(f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows),
    ]


def resampled(values):
    """The mean of some values with a 95 % bootstrap interval."""
    draw = random.Random(42)
    sums = sorted(sum(draw.choices(values, k=len(values))) for _ in range(2000))
    return {"mean": sum(values) / len(values), "low": sums[50] / len(values), "high": sums[1949] / len(values)}


def interval(runs):
    return shown(resampled([sum(shares) / len(runs) for shares in zip(*runs)]))


def difference(runs, base):
    value = resampled([sum(shares) / len(runs) - other for *shares, other in zip(*runs, base)])
    return shown(value, True) + (" *" if value["low"] > 0 or value["high"] < 0 else "")


class Study:
    """A folder of study.sh with the evaluations that its corpus keeps."""

    def __init__(self, folder):
        self.folder = folder
        self.reports = {}
        # Images of other seeds, at the scale of guidance that was best.
        self.fresh = {}
        for file in sorted((folder / "corpus" / "evaluations").glob("*.json")):
            report = json.loads(file.read_text())
            if report["format"] == "attune-evaluation" and report["settings"].get("referee") == "shapes":
                group = self.fresh if file.stem.startswith("fresh-") else self.reports
                group[file.stem.removeprefix("fresh-")] = report
        if "base" not in self.reports:
            raise SystemExit(f"{folder}: has no evaluation called base; run Benchmarks/shapes/study.sh")
        self.base = self.reports["base"]
        self.scales = self.base["settings"]["guidance"]
        self.order = ["base"] + [name for name in self.reports if name != "base"]
        self.columns = [f"guidance {s:g}" for s in self.scales]

    def lines(self, title):
        settings = self.base["settings"]
        sizes = self.folder / "sizes.txt"
        given = sizes.read_text().strip() if sizes.exists() else ""
        return [
            f"## {title}", "",
            f"{len(settings['prompts'])} prompts that training has not seen, {settings['images_per_prompt']} images each, "
            f"{settings['steps']} steps of {settings['sampler']}.", "",
            *([f"Sizes other than the script's: `{given}`.", ""] if given else []),
            *self.shares(), *self.paired(), *self.repeated(), *self.categories(), *self.distances(), *self.agreement(),
        ]

    def shares(self):
        rows = []
        for name in self.order:
            found = means(self.reports[name], tuned(self.reports[name]))
            best = max(found, key=lambda s: found[s]["mean"]) if found else None
            rows.append((name, [shown(found[s]) if s in found else "" for s in self.scales] + ["" if best is None else f"{best:g}"]))
        return ["### Share aligned", "", *table("row", self.columns + ["best guidance"], rows)]

    @staticmethod
    def verdicts(reports):
        """The share aligned of each prompt's images, of each row at its best guidance."""
        rows = {}
        for name, report in reports.items():
            shares = means(report, tuned(report))
            best = max(shares, key=lambda scale: shares[scale]["mean"])
            own = {
                p["prompt"]: p["values"]["shapes"] for p in report["prompts"]
                if p["model"] == tuned(report) and p["guidance"] == best
            }
            rows[name] = [own[prompt] for prompt in report["settings"]["prompts"]]
        return rows

    def paired(self):
        verdicts = self.verdicts(self.reports)
        base = verdicts.pop("base")
        rows = [(name, [difference([own], base)]) for name, own in verdicts.items()]
        several = self.several(verdicts, base)
        return [
            "", "### Difference from the base, each at its best guidance, paired by prompt", "",
            "From the same seeds. * marks an interval without 0. Intervals are over prompts; what another seed of the training would give is "
            "not in them.", "", *table("row", ["difference"], rows),
            *(["", "Means over training seeds:", "", *table("row", ["share aligned", "difference"], several)] if several else []),
        ]

    @staticmethod
    def several(verdicts, base):
        """Rows that differ by the seed of their training alone, together."""
        seeds = collections.defaultdict(list)
        for name, own in verdicts.items():
            seeds[re.sub(r"-s\d+", "", name)].append(own)
        return [
            (f"{name}, {len(runs)} seeds", [interval(runs), difference(runs, base)]) for name, runs in seeds.items() if len(runs) > 1
        ]

    def repeated(self):
        if "base" not in self.fresh:
            return []
        verdicts = self.verdicts(self.fresh)
        base = verdicts.pop("base")
        settings = self.fresh["base"]["settings"]

        def scale(name):
            return f"{self.fresh[name]['settings']['guidance'][0]:g}"

        def distance(name):
            report = self.fresh[name]
            return "".join(self.distance(q) for q in report.get("quality", []) if q["model"] == tuned(report))

        rows = [("base", [scale("base"), interval([base]), "", distance("base")])]
        rows += [(name, [scale(name), interval([own]), difference([own], base), distance(name)]) for name, own in verdicts.items()]
        rows += [(name, ["", *cells, ""]) for name, cells in self.several(verdicts, base)]
        return [
            "", "### Other images at the best guidance", "",
            *(["Above all prompts have the same few seeds, so they share their noise: the intervals do not hold what other noise would give. "
               "**These are the figures to go by.**", ""] if "seeds" not in self.base["settings"] else []),
            f"The best of several rows and scales is so in part by luck. Here {settings['images_per_prompt']} other images of each prompt, each of "
            "its own noise, are made at the guidance that was best above; the base's likewise.", "",
            *table("row", ["guidance", "share aligned", "difference from the base", "distance to rendered images"], rows),
        ]

    def categories(self):
        names = sorted({r["category"] for r in self.base["results"]} - {"all"})
        if not names:
            return []
        found = means(self.base, "base")
        scale = max(found, key=lambda s: found[s]["mean"])
        rows = []
        for name in self.order:
            cells = [means(self.reports[name], tuned(self.reports[name]), c).get(scale) for c in names]
            rows.append((name, [f"{c['mean']:.3f}" if c else "" for c in cells]))
        return ["", f"### By category, at guidance {scale:g}", "", *table("row", names, rows)]

    @staticmethod
    def distance(q):
        return f"{q['value']:.2f}" + (f" [{q['low']:.2f}, {q['high']:.2f}]" if "low" in q else "")

    def distances(self):
        if not self.base.get("quality"):
            return []

        rows = []
        for name in self.order:
            report = self.reports[name]
            found = {q["guidance"]: q for q in report.get("quality", []) if q["model"] == tuned(report)}
            rows.append((name, [self.distance(found[s]) if s in found else "" for s in self.scales]))
        return [
            "", "### Distance to rendered images", "",
            "Fréchet distance of latents to those of rendered images of the same prompts (`evaluate --reference`), with 95 % intervals over "
            "images. Less is closer.", "", *table("row", self.columns, rows),
        ]

    # What the prompts of each file are.
    AGREEMENTS = {
        "both": "", "choice": ": the first half, on which the form of fit was found", "held": ": the second half, which had no part in it",
    }

    def agreement(self):
        lines = []
        for name, title in self.AGREEMENTS.items():
            file = self.folder / f"{name}-agreement.json"
            if file.exists():
                # Of one part alone there is nothing to tell apart.
                both = (self.folder / "both-agreement.json").exists()
                lines += self.agreements(json.loads(file.read_text()), title if both else "")
        return lines

    @staticmethod
    def agreements(report, title):
        keys = ("auc", "top", "chance", "chosen", "gain")
        rows = [
            (row["score"], [shown(row[key], key == "gain") if key in row else "" for key in keys])
            for row in report["agreement"] if row["category"] == "all"
        ]
        return [
            "", f"### How well scores find the aligned images of a prompt{title}", "",
            f"{report['images']} images of the base, {report['images'] / report['prompts']:g} of each of {report['prompts']} prompts that training "
            f"has not seen; {shown(report['mean'])} are aligned. AUC and top-1 are over prompts that have both kinds, beside a choice by chance. "
            "*Chosen* is over all: the share aligned of the best of each prompt; *gain* is what that adds to the mean of its images, paired by prompt.", "",
            *table("score", ["AUC", "top-1", "chance", "chosen", "gain"], rows),
        ]


studies = [Study(folder) for folder in options.studies]
lines = [
    "# What tuning on chosen images does", "",
    f"Made by `Benchmarks/shapes/study.sh` and `results.py` from {sum(len(s.reports) for s in studies)} evaluations; do not edit by hand. "
    "Figures are the share of images that the shapes judge calls aligned, with 95 % bootstrap intervals over prompts. "
    "[Benchmarks/shapes/README.md](../../Benchmarks/shapes/README.md) reads them.", "",
]
for number, study in enumerate(studies):
    lines += study.lines(f"Study {number + 1}") + [""]
options.to.parent.mkdir(parents=True, exist_ok=True)
temporary = options.to.with_name(options.to.name + ".part")
temporary.write_text("\n".join(lines).rstrip() + "\n")
temporary.replace(options.to)
print(f"{options.to}: {sum(len(s.reports) for s in studies)} rows")
