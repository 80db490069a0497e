"""Reads the lines of storage.py and `attune-bench corpus storage` and prints medians, and Attune's ratio to the best peer."""
import collections, json, statistics, sys

COLUMNS = [("write/s", "write_per_s"), ("synced", "synced_write_per_s"), ("processor s", "write_cpu_s"), ("in order/s", "read_in_order_per_s"),
           ("shuffled/s", "read_shuffled_per_s"), ("open ms", "open_first_s"), ("MB", "size_mb")]


def median(runs, key):
    values = [run[key] * (1000 if key == "open_first_s" else 1) for run in runs if run.get(key) is not None]
    return statistics.median(values) if values else None


def show(value): return "–" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def table(runs):
    print(f"{'':12}" + "".join(f"{name:>13}" for name, _ in COLUMNS))
    medians = {peer: {key: median(lines, key) for _, key in COLUMNS} for peer, lines in runs.items()}
    for peer, values in medians.items(): print(f"{peer:12}" + "".join(f"{show(values[key]):>13}" for _, key in COLUMNS))
    ours, peers = medians.get("attune"), [values for peer, values in medians.items() if peer != "attune"]
    if not ours or not peers: return
    # What Attune writes is synced, so that is what both of the peers' columns are compared with.
    best = {key: max([p[key] for p in peers if p[key]], default=None) for key in ("write_per_s", "synced_write_per_s", "read_in_order_per_s", "read_shuffled_per_s")}
    ratios = {key: (ours["synced_write_per_s"] if "write" in key else ours[key]) / value for key, value in best.items() if value}
    ratios["size_mb"] = ours["size_mb"] / min(p["size_mb"] for p in peers)
    print(f"{'ratio':12}" + "".join(f"{f'{ratios[key]:.2f}x' if key in ratios else '':>13}" for _, key in COLUMNS))


def main():
    runs = collections.defaultdict(list)
    for line in sys.stdin:
        if line.startswith("#"):
            if runs: table(runs)
            runs.clear(); print("\n" + line.strip())
        elif line.startswith("{"):
            run = json.loads(line)
            if "error" in run: print(f"{run['peer']}: {run['error']}", file=sys.stderr)
            else: runs[run["peer"]].append(run)
    if runs: table(runs)


if __name__ == "__main__": main()
