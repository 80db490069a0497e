"""What is wrong is said with what, where, and what to do."""

import json
import os
import sqlite3
import threading
import time

import numpy as np
import pytest

import attune


def one_line(error) -> str:
    text = str(error.value)
    assert "\n" not in text and ": " in text
    return text


def test_no_corpus(tmp_path, monkeypatch):
    with pytest.raises(attune.NotACorpus) as error:
        attune.open(tmp_path)
    assert "attune init" in one_line(error)
    (tmp_path / "attune.json").write_text("{")
    with pytest.raises(attune.Damaged, match="restore it from a copy"):
        attune.open(tmp_path)
    monkeypatch.delenv("ATTUNE_CORPUS", raising=False)
    with pytest.raises(attune.BadQuery, match="ATTUNE_CORPUS"):
        attune.open()


def test_newer_formats(copy):
    settings = json.loads((copy / "attune.json").read_text())
    (copy / "attune.json").write_text(json.dumps(dict(settings, version=9)))
    with pytest.raises(attune.NewerFormat) as error:
        attune.open(copy)
    assert "format 9" in one_line(error) and "update" in str(error.value)
    (copy / "attune.json").write_text(json.dumps(settings))
    with sqlite3.connect(copy / "catalog.sqlite") as database:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(attune.NewerFormat, match="catalog.sqlite: is a catalogue of version 99"):
        attune.open(copy).query()
    with sqlite3.connect(copy / "catalog.sqlite") as database:
        database.execute("PRAGMA user_version = 3")
    with pytest.raises(attune.CatalogueBehind, match="older attune"):
        attune.open(copy).query()
    with sqlite3.connect(copy / "catalog.sqlite") as database:
        database.execute(f"PRAGMA user_version = {version}")
    assert len(attune.open(copy).query()) == 24


def test_a_newer_shard(copy):
    import hashlib

    import h5py

    old = next(iter((copy / "shards").rglob("*.h5")))
    dataset = attune.open(copy).dataset("best", ["latent"])
    old = copy / "shards" / dataset._shards[0][:2] / f"{dataset._shards[0]}.h5"
    with h5py.File(old, "r+") as file:
        file.attrs["version"] = np.bytes_("7")
    digest = hashlib.sha256(old.read_bytes()).hexdigest()
    (copy / "shards" / digest[:2]).mkdir(exist_ok=True)
    old.rename(copy / "shards" / digest[:2] / f"{digest}.h5")
    dataset._shards[0] = digest
    with pytest.raises(attune.NewerFormat, match="shard format 7"):
        dataset.__getitems__(range(12))


def test_a_missing_shard(copy):
    corpus = attune.open(copy)
    dataset = corpus.dataset("best", ["latent"])
    for path in (copy / "shards").rglob("*.h5"):
        path.unlink()
    with pytest.raises(attune.NotFound) as error:
        dataset[0]
    assert "shard is missing" in one_line(error) and "--repair" in str(error.value)


@pytest.mark.parametrize("damage", ["flip", "cut"])
def test_a_damaged_shard(copy, damage):
    dataset = attune.open(copy).dataset("best", ["latent", "image"])
    for path in (copy / "shards").rglob("*.h5"):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data if damage == "flip" else data[: len(data) // 2])
    with pytest.raises(attune.Damaged) as error:
        dataset[0]
    assert "do not match its name" in one_line(error) and ".h5" in str(error.value)


def test_damage_behind_the_stamp(copy):
    """A file whose stamp says that it is whole, and is not: chunks are checked all the same."""
    dataset = attune.open(copy).dataset("best", ["latent"])
    for path in (copy / "shards").rglob("*.h5"):
        data = path.read_bytes()
        position = 0
        while (position := data.find(b"\x28\xb5\x2f\xfd", position)) >= 0:
            data = data[:position] + b"\0\0\0\0" + data[position + 4 :]
        path.write_bytes(data)
        status = path.stat()
        with sqlite3.connect(copy / "catalog.sqlite") as database:
            database.execute(
                "UPDATE shard SET size = ?, inode = ?, changed = ? WHERE digest = ?",
                (status.st_size, status.st_ino, status.st_ctime_ns, bytes.fromhex(path.stem)))
    with pytest.raises(attune.Damaged, match=r"row \d+ of /latents/4x16x16 is damaged"):
        dataset.__getitems__(range(12))


def test_a_catalogue_that_is_behind(copy, command, monkeypatch):
    monkeypatch.setattr(attune.catalogue.Catalogue, "patience", 0.2)
    with sqlite3.connect(copy / "catalog.sqlite") as database:
        database.execute("DELETE FROM shard WHERE key = 1")
        database.execute("DELETE FROM sample WHERE shard = 1")
        database.execute("DELETE FROM folder")
    with pytest.raises(attune.CatalogueBehind) as error:
        attune.open(copy).query()
    assert "1 shard is not in the catalogue" in one_line(error) and "attune info" in str(error.value)
    with pytest.warns(UserWarning, match="not in the catalogue"):
        assert len(attune.open(copy, stale="warn").query()) == 16
    assert len(attune.open(copy, stale="ignore").query()) == 16
    with pytest.raises(attune.NotFound, match="attune info"):
        attune.open(copy, stale="ignore").dataset("best")
    command("info", "--corpus", copy)
    assert len(attune.open(copy).query()) == 24


def test_a_shard_that_has_just_been_sealed(copy):
    """Its writer enters it a moment later."""
    with sqlite3.connect(copy / "catalog.sqlite") as database:
        row = database.execute("SELECT * FROM shard WHERE key = 1").fetchone()
        database.execute("DELETE FROM shard WHERE key = 1")
        database.execute("DELETE FROM folder")

    def enter():
        time.sleep(0.4)
        with sqlite3.connect(copy / "catalog.sqlite") as late:
            late.execute(f"INSERT INTO shard VALUES ({','.join('?' * len(row))})", row)

    thread = threading.Thread(target=enter)
    thread.start()
    assert len(attune.open(copy).query()) == 24
    thread.join()


def test_no_catalogue(copy):
    for path in copy.glob("catalog*"):
        path.unlink()
    with pytest.raises(attune.CatalogueMissing) as error:
        attune.open(copy).query()
    assert "attune info --corpus" in one_line(error)
    (copy / "catalog.sqlite").write_bytes(b"")
    with pytest.raises(attune.CatalogueBusy, match="still being made"):
        attune.open(copy).query()
    (copy / "catalog.sqlite").write_bytes(b"no database at all, and long enough to be looked at" * 100)
    with pytest.raises(attune.AttuneError, match="damaged|cannot be read"):
        attune.open(copy).query()


def test_a_catalogue_that_is_being_rebuilt(copy):
    """Readers see the old rows until the new ones are complete; one that is locked whole is named."""
    corpus = attune.open(copy)
    rebuilding = sqlite3.connect(copy / "catalog.sqlite", isolation_level=None)
    rebuilding.execute("PRAGMA journal_mode = WAL")
    rebuilding.execute("BEGIN IMMEDIATE")
    rebuilding.execute("DELETE FROM sample")
    assert len(corpus.query()) == 24
    rebuilding.execute("ROLLBACK")
    rebuilding.execute("PRAGMA journal_mode = DELETE")
    rebuilding.execute("BEGIN EXCLUSIVE")
    rebuilding.execute("DELETE FROM sample")
    original = sqlite3.connect
    attune.catalogue.sqlite3.connect = lambda *a, **k: original(*a, **dict(k, timeout=0.2))
    try:
        with pytest.raises(attune.CatalogueBusy, match="being rebuilt"):
            corpus.query()
    finally:
        attune.catalogue.sqlite3.connect = original
    rebuilding.close()


@pytest.mark.parametrize("sql", [
    "nosuch > 1", "mi >", "mi > 1) --", "1; DELETE FROM sample", "mi > 1 \0 OR 1",
    "SELECT * FROM samples; SELECT 1", "WITH x AS (SELECT 1) DELETE FROM sample", "load_extension('x')",
])  # fmt: skip
def test_queries_that_cannot_be_understood(corpus, sql):
    with pytest.raises(attune.BadQuery) as error:
        corpus.query(sql)
    assert "\n" not in str(error.value)
    assert len(corpus.query()) == 24


def test_nothing_can_be_written(corpus, tmp_path):
    for sql in (f"SELECT 1 FROM (ATTACH '{tmp_path}/x' AS y)", "WITH a AS (SELECT 1) INSERT INTO setting VALUES (1, 2)"):
        with pytest.raises(attune.BadQuery):
            corpus.query(sql)
    assert not (tmp_path / "x").exists()


def test_arguments(corpus):
    for call, match in [
        (lambda: corpus.query(columns=["nosuch"]), "is not a column; there are id, recipe"),
        (lambda: corpus.query(columns="id"), "list of names"),
        (lambda: corpus.query(top=0), "at least 1"),
        (lambda: corpus.query(per_prompt=True), "needs top"),
        (lambda: corpus.query("SELECT 1", by="mi"), "go with a condition"),
        (lambda: corpus.query("seed = ?"), "binding"),
        (lambda: corpus.dataset("best", ["photo"]), "is not a column of a dataset"),
        (lambda: corpus.dataset("best", "latent"), "must be a list"),
        (lambda: corpus.dataset("best", ["scores"], scores=["hps"]), "there are mi"),
        (lambda: corpus.dataset("best", weight_by="mc"), "score it, or select where mc IS NOT NULL"),
        (lambda: attune.open(corpus.folder, stale="maybe"), "must be"),
        (lambda: corpus.selection("best~7"), "begins with best~1"),
        (lambda: corpus.selection("nosuch"), "there are best"),
        (lambda: corpus.selection("../best"), "letters, digits"),
        (lambda: corpus.pairs("best", by="hps"), "is not a score"),
        (lambda: attune.Sampler(corpus.dataset("best"), seed=-1), "0 to 2"),
        (lambda: attune.Sampler(corpus.dataset("best"), weights=[1.0]), "one for each"),
        (lambda: attune.Sampler(corpus.dataset("best"), weights=[0.0] * 12), "not all 0"),
    ]:
        with pytest.raises(attune.AttuneError, match=match):
            call()


def test_a_damaged_selection(copy):
    corpus = attune.open(copy)
    path = copy / "selections" / f"{corpus.selection('best').digest}.json"
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"top":4', b'"top":5'))
    with pytest.raises(attune.Damaged, match="do not match its name"):
        corpus.selection("best")
    path.unlink()
    with pytest.raises(attune.NotFound, match="document is missing"):
        corpus.selection("best")
    (copy / "refs" / "best.json").write_text("[{}]")
    with pytest.raises(attune.Damaged, match="not a history"):
        corpus.selection("best")


def test_another_model(corpus, tmp_path):
    import shutil

    from conftest import MODEL

    shutil.copytree(MODEL, tmp_path / "model")
    config = tmp_path / "model" / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text() + " ")
    with pytest.raises(attune.ModelMismatch, match="use the model that made it"):
        corpus.check_model("best", tmp_path / "model")
    (tmp_path / "model" / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(attune.NotFound, match="unet"):
        attune.model_digest(tmp_path / "model")
    with pytest.raises(attune.NotFound, match="diffusers folder"):
        attune.model_digest(tmp_path)


def test_a_prompt_with_a_nul(command, tmp_path):
    with attune.Writer(tmp_path / "b") as writer:
        for seed, prompt in enumerate(["a circle", "a circle\0 and a star"]):
            writer.add(
                prompt=prompt, seed=seed, model="m", sampler="s", steps=0, guidance=0,
                image=np.zeros((8, 8, 3), np.uint8))
    command("init", "--corpus", tmp_path / "c")
    command("import", "--corpus", tmp_path / "c", "--format", "shard", tmp_path / "b")
    corpus = attune.open(tmp_path / "c")
    dataset = corpus.dataset(corpus.choose(), ["prompt"])
    assert {s["prompt"] for s in dataset} == {"a circle", "a circle\0 and a star"}
    os.environ.pop("ATTUNE_CORPUS", None)
