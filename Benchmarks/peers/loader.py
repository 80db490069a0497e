"""Reading for training in Python: DataLoader with two workers, Attune's package beside its peers, in turn on the same samples.

    loader.py latents|images FOLDER --n 10000 --side 64 --bench .build/release/attune-bench [--runs 5]

Each round every reader makes one warm pass (workers are running, files are in the page cache); medians are printed, a line of JSON
each. `attune` is the command's own reader, on all cores. On a host that others use too, `--realtime` (as root) puts the passes, seconds
in all, under the real-time scheduler."""
import argparse, functools, io, json, os, shutil, statistics, subprocess, sys, time
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "python"))
BATCH, WORKERS = 128, 2


def loader(dataset, **options):
    from torch.utils.data import DataLoader
    return DataLoader(dataset, num_workers=WORKERS, persistent_workers=True, prefetch_factor=4, **options)


def rate(batches, n, touch):
    """Samples per second of one pass."""
    t = time.perf_counter(); seen = 0
    for batch in batches: seen += touch(batch)
    assert seen == n, (seen, n)
    return n / (time.perf_counter() - t)


# --- peers, as Benchmarks/peers/storage.py stores the same samples


class Lance:
    """Lance's take by a worker; its handle is opened there."""
    def __init__(self, path, n, k): self.path, self.n, self.k, self.open = path, n, k, None
    def __len__(self): return self.n
    def __getitems__(self, rows):
        if self.open is None: import lance; self.open = lance.dataset(self.path)
        return self.open.take(rows, columns=["latent"])["latent"].combine_chunks().flatten().to_numpy().reshape(len(rows), self.k)


def as_tensor(values):
    import torch
    return torch.from_numpy(np.ascontiguousarray(values))


class MDS:
    def __init__(self, path): self.path, self.open = path, None
    def __len__(self):
        from streaming import LocalDataset
        return LocalDataset(self.path).size
    def __getitems__(self, rows):
        if self.open is None:
            from streaming import LocalDataset
            self.open = LocalDataset(self.path)
        return np.stack([self.open[i]["latent"] for i in rows])


def decode(png):
    from PIL import Image
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def webdataset(tars):
    import webdataset as W
    return W.WebDataset(tars, shardshuffle=False, workersplitter=W.split_by_worker, empty_check=False).decode("rgb8").to_tuple("png").batched(BATCH)


def realtime(on):
    """All threads of this process and of its workers."""
    import multiprocessing
    for pid in [os.getpid(), *(child.pid for child in multiprocessing.active_children())]:
        for thread in os.listdir(f"/proc/{pid}/task"):
            try: os.sched_setscheduler(int(thread), os.SCHED_FIFO if on else os.SCHED_OTHER, os.sched_param(10 if on else 0))
            except ProcessLookupError: pass


def main():
    ap = argparse.ArgumentParser(); ap.add_argument("what", choices=["latents", "images"]); ap.add_argument("folder"); ap.add_argument("--n", type=int, default=10000)
    ap.add_argument("--side", type=int, default=64); ap.add_argument("--latent", default="4,64,64"); ap.add_argument("--bench", default=".build/release/attune-bench"); ap.add_argument("--runs", type=int, default=5); ap.add_argument("--realtime", action="store_true"); a = ap.parse_args()
    import storage
    global BATCH
    # Large images in small batches, so that both workers have as much to do.
    if a.side > 256: BATCH = 16
    shape = tuple(map(int, a.latent.split(","))); S = (shape, a.side); k = int(np.prod(shape))
    shutil.rmtree(a.folder, ignore_errors=True); os.makedirs(a.folder)
    corpus = os.path.join(a.folder, "corpus")
    subprocess.run([a.bench, "corpus", "make-samples", corpus, "--samples", str(a.n), "--side", str(a.side), "--latent", a.latent, "--pack", "2000"], check=True)
    import attune
    opened = attune.open(corpus)
    rows = sorted(opened.query(columns=["id", "shard", "row"]), key=lambda r: (r["shard"], r["row"]))
    selection = attune.listed([r["id"] for r in rows], "all")
    readers = {}
    if a.what == "latents":
        touch = lambda t: (float(t[:, 0].sum()), len(t))[1]
        readers["attune"] = lambda: json.loads(subprocess.run([a.bench, "corpus", "read", corpus, "--runs", "1"], check=True, capture_output=True, text=True).stdout)["latents_per_s"]
        ours = loader(opened.dataset(selection, ["latent"]), batch_size=BATCH, collate_fn=attune.collate, multiprocessing_context=attune.context())
        readers["attune (Python)"] = lambda: rate(ours, a.n, lambda b: touch(b["latent"].reshape(len(b["latent"]), -1)))
        for name, make, wrap in (("lance", storage.lance, lambda d: Lance(d + "/a.lance", a.n, k)), ("mds", storage.mds, lambda d: MDS(d + "/mds"))):
            d = os.path.join(a.folder, name); os.makedirs(d)
            # Lance's threads do not survive a fork; its workers are spawned.
            try: _, read, _, _ = make(d, a.n, S); theirs = loader(wrap(d), batch_size=BATCH, collate_fn=as_tensor, multiprocessing_context="spawn" if name == "lance" else None)
            except ImportError as e: print(f"{name}: {e}", file=sys.stderr); continue
            # As storage.sh reads them, in one process, and by the same DataLoader.
            def alone(read=read): t = time.perf_counter(); read(range(a.n)); return a.n / (time.perf_counter() - t)
            readers[name] = alone
            readers[name + " (DataLoader)"] = lambda theirs=theirs: rate(theirs, a.n, lambda b: touch(b.reshape(len(b), -1)))
    else:
        ours = loader(opened.dataset(selection, ["image"]), batch_size=BATCH, collate_fn=attune.collate, multiprocessing_context=attune.context())
        readers["attune (Python)"] = lambda: rate(ours, a.n, lambda b: len(b["image"]))
        d = os.path.join(a.folder, "webdataset"); os.makedirs(d)
        import webdataset as W
        with W.ShardWriter(d + "/%05d.tar", maxcount=max(a.n // 4, 1), verbose=0) as s:
            for x in storage.samples(a.n, *S): s.write({"__key__": x["id"], "png": x["png"], "txt": x["prompt"]})
        tars = sorted(os.path.join(d, f) for f in os.listdir(d))
        theirs = loader(webdataset(tars), batch_size=None)
        readers["webdataset"] = lambda: rate(theirs, a.n, lambda b: len(b[0]))
    runs = {name: [] for name in readers}
    for name, read in readers.items(): read()
    if a.realtime: realtime(True)
    try:
        for _ in range(a.runs):
            for name, read in readers.items(): runs[name].append(read())
    finally:
        if a.realtime: realtime(False)
    medians = {name: statistics.median(values) for name, values in runs.items()}
    mine = medians["attune (Python)"]
    for name, value in medians.items(): print(json.dumps({"what": a.what, "side": a.side, "reader": name, "per_s": round(value), "ratio": round(mine / value, 3), "runs": [round(v) for v in runs[name]]}), flush=True)
    shutil.rmtree(a.folder, ignore_errors=True)


if __name__ == "__main__": main()
