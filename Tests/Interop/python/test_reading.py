"""The reader: queries, selections, samples."""

import hashlib
import json
import multiprocessing
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from conftest import MODEL, REPOSITORY

import attune
from attune import catalogue, chunks


def test_queries_agree_with_the_command(corpus, command, made):
    listed = json.loads(command("query", "mi > 1 AND prompt LIKE '%a%'", "--corpus", made, "--by", "mi", "--json").rpartition("]")[0] + "]")
    rows = corpus.query("mi > ? AND prompt LIKE ?", (1, "%a%"), by="mi")
    assert [r["id"] for r in rows] == [r["id"] for r in listed]
    assert [r["mi"] for r in rows] == [r["mi"] for r in listed]
    assert [r["seed"] for r in rows] == [r["seed"] for r in listed]
    best = json.loads(command("query", "--corpus", made, "--by", "beauty", "--top", 2, "--per", "prompt", "--json").rpartition("]")[0] + "]")
    assert corpus.query(by="beauty", top=2, per_prompt=True).column("id") == [r["id"] for r in best]
    assert corpus.query("seed = :s", {"s": 43}, columns=["seed"]).to_list() == [{"seed": 43}] * 3


def test_documented_columns(corpus):
    assert tuple(c for c in corpus.columns() if c in attune.COLUMNS) == attune.COLUMNS
    assert corpus.scorers() == ["beauty"] and "beauty" in corpus.columns()
    whole = corpus.query("SELECT prompt, count(*) AS n, max(beauty) AS most FROM samples GROUP BY prompt")
    assert [(r["n"], r["most"]) for r in whole] == [(8, 4.8)] * 3


def test_tables(corpus):
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    rows = corpus.query(columns=["id", "seed", "guidance", "beauty", "adapter"], by="seed")
    frame, table = rows.to_pandas(), rows.to_arrow()
    assert isinstance(frame, pandas.DataFrame) and frame["guidance"].dtype == float and frame["beauty"].isna().sum() == 3
    assert table.schema.field("beauty").type == pyarrow.float64() and table["beauty"].null_count == 3
    assert table["seed"].to_pylist() == frame["seed"].tolist() and len(rows[:2]) == 2


def test_samples_are_what_their_manifests_say(corpus):
    dataset = corpus.dataset("best", ["id", "image", "png", "latent", "prompt", "scores", "trace", "manifest"])
    assert len(dataset) == 12 and dataset.ids == corpus.selection("best").ids
    for sample in dataset.__getitems__(range(12)):
        manifest = sample["manifest"]
        assert sample["prompt"] == manifest["prompt"]
        assert hashlib.sha256(sample["latent"].tobytes()).hexdigest() == manifest["latent_sha256"]
        assert hashlib.sha256(sample["image"].tobytes()).hexdigest() == manifest["pixels_sha256"]
        assert sample["png"].startswith(b"\x89PNG")
        mi, error = attune.mean_kappa(sample["trace"]["timestep"], sample["trace"]["delta_sq"], manifest["schedule"])
        assert mi == pytest.approx(sample["scores"]["mi"], rel=1e-4)
        assert error == pytest.approx(sample["scores"]["mi_se"], rel=1e-3)
    assert dataset[-1]["id"] == dataset.ids[-1]
    with pytest.raises(IndexError):
        dataset[12]


@pytest.mark.parametrize("without", ["blosc", "everything"])
def test_latents_without_native_functions(corpus, monkeypatch, without):
    latents = corpus.dataset("best", ["latent"]).__getitems__(range(12)).stacked["latent"]
    if without == "everything":
        monkeypatch.setattr(chunks, "native", lambda: None)
    else:
        monkeypatch.setattr(chunks.native(), "unshuffle", None)
    again = attune.open(corpus.folder).dataset("best", ["latent"]).__getitems__(range(12)).stacked["latent"]
    assert np.array_equal(latents, again)


def test_every_way_of_coding(command, tmp_path):
    """Latents stored raw, in one block and in several."""
    draw = np.random.default_rng(4)
    values = [np.zeros((4, 2, 2)), draw.standard_normal((4, 64, 64)), draw.standard_normal((4, 256, 256)),
              draw.standard_normal((4, 64, 64)).astype(np.float16), draw.integers(0, 1 << 32, (4, 64, 64), np.uint32).view(np.float32)]
    values[4] = np.where(np.isfinite(values[4]), values[4], 0)
    with attune.Writer(tmp_path / "batches") as writer:
        for seed, latent in enumerate(values):
            writer.add(
                prompt="p", seed=seed, model="m", sampler="s", steps=0, guidance=0, latent=latent,
                image=np.zeros((8, 8, 3), np.uint8))
    command("init", "--corpus", tmp_path / "c")
    command("import", "--corpus", tmp_path / "c", "--format", "shard", tmp_path / "batches")
    corpus = attune.open(tmp_path / "c")
    dataset = corpus.dataset(corpus.choose(by="-seed"), ["latent"])
    for sample, latent in zip(dataset.__getitems__(range(5)), values):
        assert np.array_equal(sample["latent"], latent.astype(np.float32))


def test_selections_and_their_history(corpus, command, made):
    best, before = corpus.selection("best"), corpus.selection("best~1")
    assert (len(best), len(before)) == (12, 6) and set(before.ids) < set(best.ids)
    assert [entry.digest for entry in corpus.history("best")] == [before.digest, best.digest]
    assert corpus.selection(before.digest[:8]).ids == before.ids and corpus.selections() == ["best"]
    assert attune.listed(best.ids, "x").digest != best.digest
    assert best.policy["top"] == 4


def test_pairs(corpus):
    pairs = corpus.pairs("best", by="mi", margin=0.5)
    scores = {r["id"]: (r["mi"], r["prompt"]) for r in corpus.query(columns=["id", "mi", "prompt"])}
    assert pairs and all(p.difference == scores[p.chosen][0] - scores[p.rejected][0] >= 0.5 for p in pairs)
    assert all(scores[p.chosen][1] == scores[p.rejected][1] == p.prompt for p in pairs)
    expected = 0
    chosen = corpus.selection("best").ids
    for a in chosen:
        for b in chosen:
            expected += scores[a][1] == scores[b][1] and scores[a][0] - scores[b][0] >= 0.5
    assert len(pairs) == expected
    assert [p.prompt for p in corpus.pairs("best", limit=1)] == sorted({p.prompt for p in pairs})
    with pytest.raises(attune.BadQuery, match="margin"):
        corpus.pairs("best", margin=float("nan"))


def _first(dataset):
    return dataset[0]["latent"].sum()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes(corpus, method):
    """Opened and read before the fork; pickled for a fresh process."""
    dataset = corpus.dataset("best", ["latent", "image"])
    expected = _first(dataset)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(_first, [dataset] * 4) == [expected] * 4
    assert len(pickle.dumps(corpus)) < 1000


def test_a_corpus_that_may_only_be_read(copy):
    """Nothing is written beside the catalogue."""
    for name in ("catalog.sqlite-wal", "catalog.sqlite-shm"):
        (copy / name).unlink(missing_ok=True)
    script = (
        "import logging, os, sys, h5py, hdf5plugin, attune, attune.chunks\n"
        "attune.chunks.native()  # the interpreter's folder may be closed to others\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "corpus = attune.open(sys.argv[1])\n"
        "assert len(corpus.query()) == 24 and corpus.dataset('best', ['latent'])[0]\n")
    for folder, _, files in os.walk(copy.parent):
        os.chmod(folder, 0o555)
        for file in files:
            os.chmod(os.path.join(folder, file), 0o444)
    above = copy.parent
    opened = {}
    while above.parent != above and not os.stat(above).st_mode & 0o001:
        opened[above] = os.stat(above).st_mode
        os.chmod(above, 0o755)
        above = above.parent
    for parent in copy.parents:
        if not os.stat(parent).st_mode & 0o005:
            opened[parent] = os.stat(parent).st_mode
            os.chmod(parent, 0o755)
    try:
        before = sorted(os.listdir(copy))
        outcome = subprocess.run([sys.executable, "-c", script, str(copy)], capture_output=True, text=True)
        assert outcome.returncode == 0, outcome.stderr
        assert sorted(os.listdir(copy)) == before
    finally:
        for folder, mode in opened.items():
            os.chmod(folder, mode)
        for folder, _, _ in os.walk(copy.parent):
            os.chmod(folder, 0o755)


def test_a_log_without_a_writer(copy, monkeypatch):
    """A catalogue whose last rows are in the log alone, in a folder that cannot be written to."""
    import sqlite3

    writer = sqlite3.connect(copy / "catalog.sqlite")
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("UPDATE sample SET mi = 1000 WHERE key = 1")
    writer.commit()
    names = {p.name: p.read_bytes() for p in copy.glob("catalog.sqlite*")}
    writer.close()
    for name, data in names.items():
        if not name.endswith("-shm"):
            (copy / name).write_bytes(data)
    (copy / "catalog.sqlite-shm").unlink(missing_ok=True)
    monkeypatch.setattr(catalogue.os, "access", lambda *_: False)
    assert attune.open(copy).query(by="mi", top=1)[0]["mi"] == 1000
    assert not (copy / "catalog.sqlite-shm").exists()


def test_hosts_with_a_catalogue_each(copy, monkeypatch):
    monkeypatch.setattr(catalogue, "is_shared", lambda _: True)
    monkeypatch.setattr(catalogue.socket, "gethostname", lambda: "node-1.x")
    assert catalogue.own_name(copy) == "catalog-node_1_x.sqlite"
    # Another host's is used while it is complete.
    assert len(attune.open(copy).query()) == 24
    (copy / "catalog.sqlite").rename(copy / "catalog-node_1_x.sqlite")
    assert len(attune.open(copy).query()) == 24


def test_samples_that_pack_has_moved(copy, command):
    corpus = attune.open(copy)
    dataset = corpus.dataset("best", ["latent"])
    expected = [dataset[i]["latent"].tobytes() for i in range(12)]
    fresh = pickle.loads(pickle.dumps(dataset))
    command("pack", "--corpus", copy)
    assert len(list((copy / "shards").rglob("*.h5"))) == 2  # samples, annotations
    assert [s["latent"].tobytes() for s in fresh.__getitems__(range(12))] == expected


def test_transform_and_model(corpus):
    dataset = corpus.dataset("best", ["prompt"], transform=lambda sample: len(sample["prompt"]))
    assert dataset[0] == len(corpus.dataset("best", ["prompt"])[0]["prompt"])
    assert corpus.check_model("best", MODEL) == corpus.query(top=1)[0]["model"] == attune.model_digest(MODEL)


def test_version_in_one_place():
    swift = (REPOSITORY / "Sources" / "attune" / "Version.swift").read_text()
    assert f'"{attune.__version__}"' in swift
