"""Attune's engine beside PyTorch, diffusers and PEFT: a table of ratios. Run by engine.sh (`make bench`).

Every row is measured in one go, the peer and Attune in turn on the same model, and compares medians. Full-size models have
random weights (peers/unet.py, peers/full.py) and are kept in BENCH_DIR, since SDXL takes 10 GB to write.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build" / "release"
PEERS = ROOT / "Benchmarks" / "peers"


def lines(*command):
    """Runs a program and gives the JSON objects that it prints."""
    print("  $", *(str(word).replace(f"{ROOT}/", "") for word in command), file=sys.stderr, flush=True)
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr[-3000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


class Table:
    """Times by row, Attune's and the peer's, over all rounds."""

    def __init__(self):
        self.rows = {}

    def add(self, row, side, line):
        entry = self.rows.setdefault(row, {"attune": [], "peer": [], "error": None, "memory": {}})
        entry[side] += line["runs"] or [line["seconds"]]
        if line.get("relative_error") is not None:
            entry["error"] = line["relative_error"]
        if line.get("rss_gb"):
            entry["memory"][side] = max(entry["memory"].get(side, 0), line["rss_gb"])

    def print(self):
        print("| | Attune | peer | ratio | memory (GiB) | relative error |")
        print("|---|---|---|---|---|---|")
        for row, entry in self.rows.items():
            ours, theirs = (statistics.median(entry[side]) for side in ("attune", "peer"))
            memory = " / ".join(f"{entry['memory'][side]:.2f}" for side in ("attune", "peer") if side in entry["memory"])
            error = "" if entry["error"] is None else f"{entry['error']:.1e}"
            print(f"| {row} | {ours:.2f} s | {theirs:.2f} s | **{theirs / ours:.2f}×** | {memory} | {error} |")


def unet(table, python, folder, arch, name, sizes, runs, passes, precision, device):
    """The peer first: it writes the model where it is missing. Training is a process of its own for its peak memory."""
    mark = ("" if precision == "float32" else f", {precision}") + ("" if device == "cpu" else f", {device}")
    # The peer's own wheel is what Attune computes with there.
    place = [] if device == "cpu" else ["--device", device, "--torch", torch_folder(python)]
    beside = ["--device", device] if device.startswith("cuda") else []
    sides = {
        "peer": lambda *more: lines(
            python, PEERS / "unet.py", folder, "--arch", arch, "--runs", runs, "--dtype", precision, *beside,
            *more),
        "attune": lambda *more: lines(
            BUILD / "attune-bench", "unet", folder, "--runs", runs, "--precision", precision, *place,
            *more),
    }
    if "forward" in passes:
        for side, run in sides.items():
            for line in run("--latents", *sizes, *(["--no-train"] if side == "peer" else [])):
                row = f"UNet forward, {name}, batch 2, {line['latent']}×{line['latent']}{mark}"
                table.add(row, side, line)
                # The same runs of Attune beside another peer.
                if side == "attune" and has_openvino(python) and arch == "sd21" and device == "cpu":
                    table.add(f"{row}, OpenVINO", side, line)
        if has_openvino(python) and arch == "sd21" and device == "cpu":
            for line in sides["peer"]("--latents", *sizes, "--no-train", "--openvino"):
                table.add(f"UNet forward, {name}, batch 2, {line['latent']}×{line['latent']}{mark}, OpenVINO", "peer", line)
    if "train" in passes:
        for kind in ["DoRA", "LoRA"]:
            flag = ["--lora"] if kind == "LoRA" else []
            for side, run in sides.items():
                for line in run("--latents", 64, "--no-forward", *flag, *(["--train"] if side == "attune" else [])):
                    table.add(f"{kind} step, {name}, r = 32, batch 1, checkpointing{mark}", side, line)


def torch_folder(python):
    return Path(subprocess.run(
        [python, "-c", "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"],
        stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


def has_openvino(python):
    return subprocess.run([python, "-c", "import openvino"], stderr=subprocess.DEVNULL).returncode == 0


def vae(table, python, folder, runs):
    for line in lines(python, PEERS / "full.py", folder, "--vae-only", "--runs", runs):
        table.add("VAE decode, 512²", "peer", line)
    for line in lines(BUILD / "attune-bench", "full", folder / "model", "--vae-only", "--runs", runs):
        table.add("VAE decode, 512²", "attune", line)


def pipeline(table, rounds):
    """Whole commands on tiny-sd, by pipeline.sh."""
    names = {"generate": "tiny-sd, 64 images × 50 steps with MI",
             "bfloat16": "tiny-sd, 64 images × 50 steps with MI, bfloat16 beside the peer's float32", "train": "tiny-sd, 20 DoRA steps of batch 8, whole command",
             "steps": "tiny-sd, 20 DoRA steps of batch 8, steps alone"}
    print("  $ Benchmarks/pipeline.sh", file=sys.stderr, flush=True)
    done = subprocess.run(
        [ROOT / "Benchmarks" / "pipeline.sh"], stdout=subprocess.PIPE, text=True, check=True,
        env={**os.environ, "ROUNDS": str(rounds)})
    for stage, ours, theirs in re.findall(r"^(generate|bfloat16|train|steps)\s+([\d.]+)\s+([\d.]+)", done.stdout, re.MULTILINE):
        table.add(names[stage], "attune", {"runs": [float(ours)]})
        table.add(names[stage], "peer", {"runs": [float(theirs)]})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="SD-2.1 and tiny-sd only, one run each: a few minutes")
    parser.add_argument("--only", choices=["sd21", "sdxl", "vae", "tiny"], help="one part of the table")
    parser.add_argument("--runs", type=int, help="of each pass, beside one that does not count (3; quick: 1)")
    parser.add_argument("--latents", type=int, nargs="+", default=[64, 128], help="sides of SDXL's latents in forward passes (64 128)")
    parser.add_argument("--passes", choices=["forward", "train"], nargs="+", default=["forward", "train"],
                        help="of the UNets: one alone, where a whole run takes too long")
    parser.add_argument("--precision", choices=["float32", "tf32", "bfloat16", "float16"], nargs="+", default=["float32", "bfloat16"],
                        help="of the UNets' products")
    parser.add_argument("--device", nargs="+", default=["cpu"],
                        help="of Attune's UNets: cpu, torch-cpu (the peer's own PyTorch), cuda; with cuda the peer is there too")
    arguments = parser.parse_args()
    os.environ.pop("OPENBLAS_CORETYPE", None)
    python = sys.executable
    home = Path(os.environ.get("BENCH_DIR", Path.home() / ".cache" / "attune-bench"))
    home.mkdir(parents=True, exist_ok=True)
    runs = arguments.runs or (1 if arguments.quick else 3)
    parts = [arguments.only] if arguments.only else ["sd21", "vae", "tiny"] + ([] if arguments.quick else ["sdxl"])

    table = Table()
    for arch, name, sizes in [("sd21", "SD-2.1", [64]), ("sdxl", "SDXL", arguments.latents)]:
        if arch in parts:
            for device in arguments.device:
                for precision in arguments.precision:
                    unet(table, python, home / arch, arch, name, sizes, runs, arguments.passes, precision, device)
    if "vae" in parts:
        vae(table, python, home / "vae", runs)
    if "tiny" in parts:
        pipeline(table, 1 if arguments.quick else 3)
    roofline = lines(BUILD / "attune-bench", "roofline")
    machine = lines_of_doctor()
    print()
    table.print()
    print()
    print(f"{machine['threads']} threads, BLAS core {machine['blas_core']}, products by {machine['products']}. "
          f"Roofline, sgemm of 2048³: " + ", ".join(f"{r['engine']} {r['gflops']:.0f} GFLOP/s" for r in roofline) + ".")
    operations = {"UNet forward, SD-2.1, batch 2, 64×64": 1.61e12}
    for row, count in operations.items():
        if row in table.rows:
            rate = count / statistics.median(table.rows[row]["attune"]) / 1e9
            print(f"{row}: {rate:.0f} GFLOP/s of the direct algorithm, {rate / roofline[0]['gflops']:.0%} of the roofline "
                  "(above 100 % where Winograd saves products).")


def lines_of_doctor():
    report = subprocess.run([BUILD / "attune", "doctor", "--json"], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(report.stdout)


if __name__ == "__main__":
    main()
