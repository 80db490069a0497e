"""The order of a run, and where it stands."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

import attune
from attune import draws

FIXTURE = json.loads((Path(__file__).parent / "stream.json").read_text())


def test_draws_are_those_of_attune_train():
    """Swift's tests check the same file."""
    seed = int(FIXTURE["seed"])
    for epoch, order in zip(FIXTURE["epochs"], FIXTURE["order"]):
        assert draws.permutation(FIXTURE["count"], seed, epoch).tolist() == order
    run = attune.Draws(seed)
    assert [run.timestep(i, 1000) for i in FIXTURE["indices"]] == FIXTURE["timesteps"]
    assert np.allclose(run.noise(FIXTURE["indices"][-1], [1, 5])[0], FIXTURE["noise"], atol=1e-6)


def test_noise_is_normal():
    noise = attune.Draws(1).noise(3, [4, 64, 64])
    assert noise.dtype == np.float32 and abs(noise.mean()) < 0.03 and abs(noise.std() - 1) < 0.02


def test_the_run_of_a_log(copy, command):
    """Timesteps and selections that `attune train` logs are those of the sampler's entries."""
    from conftest import MODEL

    command(
        "train", "best", "--corpus", copy, "--model", MODEL, "--run", "r", "--rank", 2, "--steps", 4, "--batch", 4,
        "--accumulate", 2, "--seed", 7)
    corpus = attune.open(copy)
    settings = corpus.run_settings("r")
    sampler = attune.Sampler(corpus.dataset("best"), settings["configuration"]["seed"], epochs=None)
    entries, run = iter(sampler), attune.Draws(7)
    steps = [json.loads(line) for line in (copy / "runs/r/log.jsonl").read_text().splitlines()]
    steps = [step for step in steps if step["event"] == "step"]
    assert len(steps) == 4
    for step in steps:
        batch = list(itertools.islice(entries, 8))
        assert [run.timestep(e.index, 1000) for e in batch] == step["timesteps"]
        assert sampler.consumed == step["samples"] and sampler.epoch == step["epoch"]
    with pytest.raises(attune.Damaged, match="log.jsonl"):
        corpus.run_settings("nosuch")


def test_passes_and_states(corpus):
    dataset = corpus.dataset("best")
    whole = list(attune.Sampler(dataset, 3, epochs=None)._next(None) for _ in range(1))
    sampler = attune.Sampler(dataset, 3)
    first, second = list(sampler), list(sampler)
    assert whole[0] == first[0]
    assert sorted(first) == sorted(second) == list(range(12)) and first != second and len(sampler) == 12
    assert [e.index for e in first + second] == list(range(24))
    for cut in (0, 1, 11, 12, 13, 23):
        begun = attune.Sampler(dataset, 3, epochs=None)
        list(itertools.islice(iter(begun), cut))
        resumed = attune.Sampler(dataset, 3, epochs=None)
        resumed.load_state_dict(json.loads(json.dumps(begun.state_dict())))
        assert list(itertools.islice(iter(resumed), 24 - cut)) == (first + second)[cut:]
    # A pass that was resumed ends where it would have ended.
    half = attune.Sampler(dataset, 3, epochs=2)
    half.load_state_dict(half.state_at(15))
    assert list(half) == (first + second)[15:]


def test_ranks_share_the_samples(corpus):
    dataset = corpus.dataset("best")
    whole = list(attune.Sampler(dataset, 3))
    parts = [list(attune.Sampler(dataset, 3, rank=r, world=5)) for r in range(5)]
    assert [len(p) for p in parts] == [len(attune.Sampler(dataset, 3, rank=r, world=5)) for r in range(5)] == [3, 3, 2, 2, 2]
    assert sorted(itertools.chain(*parts)) == sorted(whole) and parts[1][0] == whole[1]


def test_weights(corpus):
    dataset = corpus.dataset("best", ["latent"], weight_by="beauty") if False else corpus.dataset("best")
    weights = np.arange(12.0)
    sampler = attune.Sampler(dataset, 5, weights, epochs=200)
    counts = np.bincount(list(sampler), minlength=12)
    assert counts.sum() == 2400 and counts[0] == 0
    assert np.abs(counts / 2400 - weights / weights.sum()).max() < 0.02
    named = attune.Sampler(dataset, 5, "mi")
    named.load_state_dict(attune.Sampler(dataset, 5, corpus.weights("best", "mi")).state_dict())
    with pytest.raises(attune.StateMismatch, match="weights"):
        named.load_state_dict(attune.Sampler(dataset, 5).state_dict())


def test_weights_of_train(corpus):
    """What `--weight-by` multiplies losses by, and what it refuses."""
    dataset = corpus.dataset("best", ["id"], weight_by="mi")
    scores = {r["id"]: r["mi"] for r in corpus.query(columns=["id", "mi"])}
    assert all(s["weight"] == np.float32(scores[s["id"]]) for s in dataset)
    assert dataset.weights.dtype == np.float32


def test_states_of_other_data(copy, command):
    corpus = attune.open(copy)
    state = attune.Sampler(corpus.dataset("best"), 3).state_at(5)
    with pytest.raises(attune.StateMismatch, match="was saved with 3"):
        attune.Sampler(corpus.dataset("best"), 4).load_state_dict(state)
    command("select", "best", "--corpus", copy, "--top", 3, "--per", "prompt")
    with pytest.raises(attune.StateMismatch) as error:
        attune.Sampler(corpus.dataset("best"), 3).load_state_dict(state)
    digest = state["selection"][:12]
    assert f"corpus.selection('{digest}')" in str(error.value)
    attune.Sampler(corpus.dataset(digest), 3).load_state_dict(state)
    for broken in ({}, dict(state, version=2), dict(state, consumed=-1)):
        with pytest.raises(attune.StateMismatch):
            attune.Sampler(corpus.dataset(digest), 3).load_state_dict(broken)
