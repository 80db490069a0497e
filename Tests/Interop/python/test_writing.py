"""The writer, and scores and vectors on their way in."""

import hashlib
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY

import attune
from attune.canonical import canonical, number
from attune.writer import recipe

SCHEDULE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}


def sample(seed, **more):
    draw = np.random.default_rng(seed)
    return dict(
        prompt="noise \u2605 \"quoted\"\n\u007f", seed=seed, model="sha256:made-up", sampler="ddpm", steps=3, guidance=7.5,
        image=draw.integers(0, 256, (16, 16, 3), "u1"), latent=draw.standard_normal((4, 2, 2)),
        timesteps=[751, 501, 251], delta_sq=[3.0, float("nan"), 1.0 + seed], **more)


def members(seed):
    return {k: v for k, v in sample(seed).items() if k not in ("image", "latent", "timesteps", "delta_sq")} | {
        "width": 16, "height": 16}


@pytest.mark.parametrize("value, text", [
    (5.0, "5"), (7.5, "7.5"), (0.0, "0"), (-0.0, "0"), (1e-7, "1e-7"), (1.5e-7, "1.5e-7"), (1e-6, "0.000001"), (1e21, "1e+21"),
    (1e20, "100000000000000000000"), (123456.789, "123456.789"), (0.1, "0.1"), (-2.5e-10, "-2.5e-10"), (1.25e22, "1.25e+22"),
])  # fmt: skip
def test_numbers_as_ecmascript_spells_them(value, text):
    assert number(value) == text


def test_canonical_json():
    assert canonical({"b": [1, 2.0, None, True], "a": "\u2605\n\""}) == '{"a":"\u2605\\n\\"","b":[1,2,null,true]}'.encode()
    with pytest.raises(ValueError):
        canonical(float("nan"))


def test_a_corpus_takes_it_in(command, tmp_path):
    with attune.Writer(tmp_path / "b", schedule=SCHEDULE, batch_size=3, tag="py") as writer:
        assert all(writer.add(**sample(seed)) for seed in (0, 1, 2, 3, (1 << 64) - 1))
        assert len(writer.files) == 1
    assert len(writer.files) == 2 and writer.added == 5
    command("init", "--corpus", tmp_path / "c")
    said = command("import", "--corpus", tmp_path / "c", "--format", "shard", tmp_path / "b")
    assert said.startswith("5 samples imported") or "5 samples imported" in said
    corpus = attune.open(tmp_path / "c")
    rows = corpus.query(by="mi")
    assert len(rows) == 5 and all(row["tag"] == "py" and row["mi"] > 0 for row in rows)
    assert sorted(rows.column("seed")) == [0, 1, 2, 3, (1 << 64) - 1]
    dataset = corpus.dataset(corpus.choose("seed = 2"), ["image", "latent", "trace", "prompt"])
    expected = sample(2)
    assert np.array_equal(dataset[0]["image"], expected["image"])
    assert np.array_equal(dataset[0]["latent"], expected["latent"].astype(np.float32))
    assert dataset[0]["prompt"] == expected["prompt"]
    assert np.array_equal(dataset[0]["trace"]["delta_sq"], np.float32(expected["delta_sq"]), equal_nan=True)
    # What the corpus has is not written again, and recipes are known before there is an image.
    again = attune.Writer(tmp_path / "other", corpus=corpus, schedule=SCHEDULE)
    assert not again.add(**sample(2)) and again.add(**sample(7))
    assert again.has(**members(3)) and not again.has(**members(8))
    assert again.missing([recipe(**members(s)) for s in (0, 8, 1, 9)]) == [1, 3]


def test_it_goes_on(tmp_path):
    with attune.Writer(tmp_path, schedule=SCHEDULE, batch_size=2) as writer:
        for seed in range(3):
            writer.add(**sample(seed))
    names = sorted(p.name for p in tmp_path.iterdir())
    with attune.Writer(tmp_path, schedule=SCHEDULE, batch_size=2) as writer:
        assert [writer.add(**sample(seed)) for seed in range(5)] == [False, False, False, True, True]
    assert len(writer.files) == 1 and set(names) < {p.name for p in tmp_path.iterdir()}
    # The same samples give the same bytes.
    with attune.Writer(tmp_path / "again", schedule=SCHEDULE, batch_size=2) as other:
        other.add(**sample(0)), other.add(**sample(1))
    assert other.files[0].read_bytes() == (tmp_path / other.files[0].name).read_bytes()


def test_killed_while_it_writes(tmp_path):
    """Whatever is there is whole, and the same program makes the rest."""
    script = (
        "import sys; sys.path[:0] = [%r, %r]\n"
        "import attune, time; from test_writing import sample, SCHEDULE\n"
        "with attune.Writer(sys.argv[1], schedule=SCHEDULE, batch_size=2) as writer:\n"
        "    for seed in range(200):\n"
        "        writer.add(**sample(seed)); print(seed, flush=True)\n"
    ) % (str(REPOSITORY / "python"), os.path.dirname(__file__))
    for stop in (3, 20):
        process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(stop):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    writer = attune.Writer(tmp_path, schedule=SCHEDULE)
    have = [seed for seed in range(200) if writer.has(**members(seed))]
    assert have == list(range(len(have))) and 2 <= len(have) < 200


def test_other_people_and_half_files(tmp_path):
    (tmp_path / "broken.h5").write_bytes(b"no batch")
    with pytest.raises(attune.AttuneError, match="broken.h5: is not a batch"):
        attune.Writer(tmp_path)
    with pytest.raises(attune.AttuneError, match="cannot be made"):
        attune.Writer(tmp_path / "broken.h5" / "below")


def test_another_model(tmp_path):
    with attune.Writer(tmp_path, schedule=SCHEDULE, model="sha256:made-up") as writer:
        writer.add(**sample(0))
        with pytest.raises(attune.ModelMismatch):
            writer.add(**dict(sample(1), model="sha256:other"))
    with pytest.raises(attune.ModelMismatch, match="holds samples of model"):
        attune.Writer(tmp_path, model="sha256:other")


@pytest.mark.parametrize("change, match", [
    ({"image": np.zeros((4, 4, 3), np.float32)}, "must be uint8"), ({"image": np.zeros((4, 4), np.uint8)}, "must be uint8"),
    ({"latent": np.full((4, 2, 2), np.nan)}, "not finite"), ({"latent": np.zeros(4)}, r"\[C, h, w\]"),
    ({"timesteps": [1, 2, 3]}, "must fall"), ({"timesteps": [3, 2]}, "as many of each"), ({"delta_sq": [1, -1, 1]}, "below zero"),
    ({"seed": -1}, "0 to 2"), ({"guidance": float("inf")}, "finite"), ({"sigma": [1, 0.5, 0.2]}, "needs both"),
    ({"sigma": [2, 0.5, 0.2], "velocity_delta": [1, 1, 1]}, "0 to 1"), ({"prompt": "\ud800"}, "not Unicode"),
])  # fmt: skip
def test_samples_that_cannot_be(tmp_path, change, match):
    writer = attune.Writer(tmp_path, schedule=SCHEDULE)
    with pytest.raises(attune.AttuneError, match=match):
        writer.add(**dict(sample(0), **change))
    writer.close()
    assert writer.added == 0 and not list(tmp_path.iterdir())


def test_schedules(tmp_path):
    with pytest.raises(attune.BadQuery, match="needs beta_start"):
        attune.Writer(tmp_path, schedule={"shift": 3})
    with pytest.raises(attune.BadQuery, match="is missing"):
        attune.Writer(tmp_path).add(**sample(0))


def test_flow_traces(command, tmp_path):
    sigma, a, b = [1.0, 0.8, 0.5, 0.01], [5.0, 4.0, 6.0, 9.0], [3.0, 2.0, 1.0, 9.0]
    with attune.Writer(tmp_path / "b", schedule=SCHEDULE) as writer:
        for seed in (0, 1):
            writer.add(**sample(seed))
        writer.add(**dict(sample(2), timesteps=[1000, 800, 500, 10], sigma=sigma, velocity_delta=a, delta_sq=b))
    command("init", "--corpus", tmp_path / "c")
    command("import", "--corpus", tmp_path / "c", "--format", "shard", tmp_path / "b")
    corpus = attune.open(tmp_path / "c")
    row, = corpus.query("rf IS NOT NULL")
    assert row["rf"] == row["mi"] == pytest.approx((4 * 0.25 + 6) / 2, rel=1e-6) == pytest.approx(attune.rf(sigma, a)[0])
    assert row["rf_cfg"] == pytest.approx(attune.rf_cfg(sigma, a, b, 7.5)[0])
    trace = corpus.dataset(corpus.choose("seed = 2"), ["trace"])[0]["trace"]
    assert np.allclose(trace["sigma"], sigma) and np.allclose(trace["velocity_delta"], a) and np.allclose(trace["delta_sq"], b)
    import h5py

    def versions(folder):
        return {h5py.File(path).attrs["version"] for path in (folder / "shards").rglob("*.h5")}

    # Only shards with such traces have the new version.
    assert versions(tmp_path / "c") == {b"3"}
    with attune.Writer(tmp_path / "d", schedule=SCHEDULE) as writer:
        writer.add(**sample(9))
    command("import", "--corpus", tmp_path / "c", "--format", "shard", tmp_path / "d")
    assert versions(tmp_path / "c") == {b"2", b"3"}
    command("pack", "--corpus", tmp_path / "c")
    assert versions(tmp_path / "c") == {b"3"}
    assert attune.open(tmp_path / "c").query("seed = 2")[0]["rf_cfg"] == row["rf_cfg"]
    assert command("verify", "--corpus", tmp_path / "c")


def test_the_example(tmp_path):
    script = REPOSITORY / "examples" / "write_batch.py"
    subprocess.run([sys.executable, script, "--made-up", "3", "--to", tmp_path / "a.h5"], check=True)
    import h5py

    with h5py.File(tmp_path / "a.h5") as file:
        ids = file["samples/id"][()].tobytes()
        manifests = file["samples/manifest"][()].tobytes()
        starts = file["samples/manifest_offset"][()]
    assert hashlib.sha256(manifests[: starts[1]]).digest() == ids[:32]
    manifest = json.loads(manifests[: starts[1]])
    assert canonical(manifest) == manifests[: starts[1]]


def test_scores_go_back(copy, command):
    corpus = attune.open(copy)
    ids = corpus.selection("best").ids
    from conftest import ATTUNE

    said = corpus.annotate("sharpness", {sample: i / 3 for i, sample in enumerate(ids)}, command=ATTUNE)
    assert "12 samples scored by sharpness" in said
    rows = corpus.query("sharpness IS NOT NULL", by="sharpness", columns=["id", "sharpness"])
    assert rows.column("id") == list(reversed(ids)) and rows[0]["sharpness"] == 11 / 3
    values = corpus.dataset("best", ["scores"], scores=["sharpness"]).__getitems__(range(12)).stacked["scores"]["sharpness"]
    assert values.tolist() == [i / 3 for i in range(12)]
    with pytest.raises(attune.ToolError, match="no such sample|not in|lacks"):
        corpus.annotate("sharpness", {"0" * 64: 1.0}, command=ATTUNE)
    with pytest.raises(attune.ToolError, match="is not on the path"):
        corpus.annotate("sharpness", {ids[0]: 1.0}, command="no-such-command")


@pytest.mark.parametrize("scorer, values, match", [
    ("Bad name", {"0" * 64: 1}, "a scorer's name"), ("x", {"12": 1}, "64 hexadecimal"), ("x", {"0" * 64: float("nan")}, "nan"),
    ("x", {}, "no values"),
])  # fmt: skip
def test_scores_that_cannot_be(tmp_path, scorer, values, match):
    with pytest.raises(attune.BadQuery, match=match):
        attune.annotate(tmp_path / "x.jsonl", scorer, values)
    assert not list(tmp_path.iterdir())


def test_vectors(tmp_path):
    ids = ["ab" * 32, "cd" * 32]
    path = attune.add_vectors(tmp_path / "v.npz", "dinov2", {ids[0]: [1, 2, 3], ids[1]: [4, 5, 6]})
    with np.load(path) as file:
        assert bytes(file["id"][1]).hex() == ids[1] and file["vector"].dtype == np.float32 and str(file["name"]) == "dinov2"
        assert file["vector"].tolist() == [[1, 2, 3], [4, 5, 6]]
    for vectors, match in [
        ({ids[0]: [1], ids[1]: [1, 2]}, "different widths"), ({ids[0]: [np.nan]}, "not finite"), ({"x": [1]}, "64 hexadecimal"),
        (([ids[0], ids[0]], [[1], [2]]), "twice"), ({}, "none"),
    ]:
        with pytest.raises(attune.BadQuery, match=match):
            attune.add_vectors(tmp_path / "w.npz", "dinov2", vectors)
    with pytest.raises(attune.BadQuery, match="must end in .npz"):
        attune.add_vectors(tmp_path / "v.h5", "dinov2", {ids[0]: [1]})
