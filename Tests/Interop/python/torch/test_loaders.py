"""The package under PyTorch: loaders, exact resumption, and a run of `attune train` replayed."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from conftest import MODEL  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402

import attune  # noqa: E402


def seen(batches):
    return [(list(b["id"]), b["index"].tolist(), b["latent"].sum((1, 2, 3)).tolist()) for b in batches]


@pytest.fixture
def dataset(corpus):
    return corpus.dataset("best", ["id", "latent", "image", "prompt", "scores", "trace"])


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
def test_any_loader_gives_the_samples(dataset, workers):
    expected = {s["id"]: s for s in dataset}
    for collate in (attune.collate, None):
        columns = dataset if collate else dataset.corpus.dataset("best", ["id", "latent", "image", "scores"])
        for batch in DataLoader(columns, batch_size=5, num_workers=workers, collate_fn=collate):
            for i, sample in enumerate(batch["id"]):
                assert np.array_equal(batch["latent"][i], expected[sample]["latent"])
                assert np.array_equal(batch["image"][i], expected[sample]["image"])
                assert batch["scores"]["mi"][i] == expected[sample]["scores"]["mi"]
            if collate:
                assert batch["trace"]["timestep"].shape == (len(batch["id"]), 6)


def test_batches_that_are_kept_stay_what_they_are(corpus):
    """Memory is used again only when nobody holds it."""
    dataset = corpus.dataset("best", ["latent"])
    expected = [dataset[i]["latent"] for i in range(12)]
    loader = DataLoader(
        dataset, batch_size=1, num_workers=2, collate_fn=attune.collate, persistent_workers=True, prefetch_factor=2)
    kept = [b["latent"] for _ in range(8) for b in loader]
    assert all(np.array_equal(t[0], expected[i % 12]) for i, t in enumerate(kept))
    part = kept[3][:, :1]
    del kept
    for _ in range(8):
        for batch in loader:
            assert batch["latent"].shape == (1, 4, 16, 16)
    assert np.array_equal(part[0, 0], expected[3][0])
    del loader
    # Nothing stays behind, and what a killed worker leaves goes with the next one.
    assert not list(Path("/dev/shm").glob("attune-*"))
    Path("/dev/shm/attune-1-left").write_bytes(b"")
    next(iter(DataLoader(dataset, batch_size=1, num_workers=1, collate_fn=attune.collate)))
    assert not Path("/dev/shm/attune-1-left").exists()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_every_way_to_start_workers(corpus, method):
    dataset = corpus.dataset("best", ["id", "latent"])
    assert dataset[0]["id"] == dataset.ids[0]  # files are open before the fork
    loader = attune.Loader(dataset, batch_size=4, num_workers=2, multiprocessing_context=method)
    plain = attune.Loader(dataset, batch_size=4)
    assert seen(loader) == seen(plain)


@pytest.mark.parametrize("workers, later", [(0, 2), (2, 0), (2, 3), (1, 1)])
def test_the_loader_resumes_at_the_sample(dataset, workers, later):
    def loader(count, **options):
        return attune.Loader(dataset, attune.Sampler(dataset, 11, **options), batch_size=5, num_workers=count)

    whole = loader(0)
    epochs = [seen(whole) for _ in range(3)]
    assert [len(e) for e in epochs] == [3, 3, 3] and len(whole) == 3
    for cut in (1, 2, 3):
        begun = loader(workers)
        first = []
        for batch in begun:
            first.append(batch)
            if len(first) == cut:
                break
        state = json.loads(json.dumps(begun.state_dict()))
        resumed = loader(later)
        resumed.load_state_dict(state)
        rest = [seen(resumed)] if cut < 3 else []
        assert seen(first) + (rest[0] if rest else []) == epochs[0]
        assert seen(resumed) == epochs[1]
        # An abandoned pass resumes where it stood, not where the workers had read ahead to.
        assert seen(begun) == (epochs[0][cut:] if cut < 3 else epochs[1])
    # Across epochs, as attune train reads.
    endless = iter(loader(2, epochs=None))
    indices = [i for _ in range(7) for i in next(endless)["index"].tolist()]
    assert indices == list(range(35))


def test_dropping_the_last_batch(dataset):
    loader = attune.Loader(dataset, attune.Sampler(dataset, 11), batch_size=5, drop_last=True, num_workers=1)
    assert [[len(b["id"]) for b in loader] for _ in range(3)] == [[5, 5]] * 3 and len(loader) == 2
    assert loader.state_dict()["consumed"] == 36


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("later", [0, 2, 3])
def test_torchdatas_stateful_loader(dataset, workers, later):
    stateful = pytest.importorskip("torchdata.stateful_dataloader")

    def loader(count):
        return stateful.StatefulDataLoader(
            dataset, batch_size=2, sampler=attune.Sampler(dataset, 11), num_workers=count, collate_fn=attune.collate)

    whole = seen(loader(0))
    for cut in (1, 3, 5):
        begun = loader(workers)
        batches = iter(begun)
        first = [next(batches) for _ in range(cut)]
        state = begun.state_dict()
        resumed = loader(later)
        if workers == later:
            resumed.load_state_dict(state)
        else:
            # torchdata wants as many workers as before; the sampler, whose state is in it, does not.
            resumed.sampler.load_state_dict(state)
        assert seen(first) + seen(resumed) == whole


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
def test_the_stream_is_one_order(corpus, workers):
    stream = corpus.stream("best", ["id", "latent"], seed=11, batch_size=5, epochs=2)
    batches = list(DataLoader(stream, batch_size=None, num_workers=workers))
    assert [i for b in batches for i in b["index"].tolist()] == list(range(24))
    entries = list(attune.Sampler(stream.dataset, 11, epochs=2))
    assert [s for b in batches for s in b["id"]] == [stream.dataset.ids[e] for e in entries]


@pytest.mark.parametrize("workers", [0, 2])
def test_the_stream_in_a_stateful_loader(corpus, workers):
    stateful = pytest.importorskip("torchdata.stateful_dataloader")

    def loader():
        stream = corpus.stream("best", ["id", "latent"], seed=11, batch_size=5, epochs=2)
        return stateful.StatefulDataLoader(stream, batch_size=None, num_workers=workers)

    whole = seen(loader())
    begun = loader()
    batches = iter(begun)
    first = [next(batches) for _ in range(3)]
    resumed = loader()
    resumed.load_state_dict(begun.state_dict())
    assert seen(first) + seen(resumed) == whole
    other = corpus.stream("best", ["id"], seed=12, batch_size=5)
    with pytest.raises(attune.StateMismatch, match="was saved with 11"):
        other.load_state_dict(corpus.stream("best", ["id"], seed=11, batch_size=5).state_dict())
    with pytest.raises(attune.StateMismatch, match="batches of 5"):
        corpus.stream("best", ["id"], seed=12, batch_size=4).load_state_dict(other.state_dict())


class Dies:
    def __call__(self, sample):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_dies(corpus):
    dataset = corpus.dataset("best", ["latent"], transform=Dies())
    with pytest.raises(attune.WorkerDied) as error:
        list(attune.Loader(dataset, batch_size=2, num_workers=1))
    assert "state_dict()" in str(error.value) and "\n" not in str(error.value)


def test_a_worker_that_fails_says_why(copy):
    corpus = attune.open(copy)
    dataset = corpus.dataset("best", ["latent"])
    for path in (copy / "shards").rglob("*.h5"):
        path.unlink()
    with pytest.raises(attune.NotFound, match="shard is missing"):
        list(attune.Loader(dataset, batch_size=2, num_workers=1))


@pytest.mark.parametrize("weight", [None, "mi"])
def test_a_run_is_replayed(copy, command, weight):
    """The first loss that `attune train` logs, out of diffusers' UNet and the stream's samples, noises and timesteps. An
    adapter begins as nothing, so it is the base model's loss."""
    diffusers = pytest.importorskip("diffusers")
    from transformers import CLIPTextModel, CLIPTokenizer

    command(
        "train", "best", "--corpus", copy, "--model", MODEL, "--run", "r", "--rank", 2, "--steps", 1, "--batch", 5,
        "--accumulate", 3, "--seed", 99, *(["--weight-by", weight] if weight else []))
    steps = [json.loads(line) for line in (copy / "runs/r/log.jsonl").read_text().splitlines()]
    logged = next(step for step in steps if step["event"] == "step")

    unet = diffusers.UNet2DConditionModel.from_pretrained(str(MODEL), subfolder="unet").float()
    scheduler = diffusers.DDPMScheduler.from_pretrained(str(MODEL), subfolder="scheduler")
    encoder = CLIPTextModel.from_pretrained(str(MODEL), subfolder="text_encoder").float()
    tokenizer = CLIPTokenizer.from_pretrained(str(MODEL), subfolder="tokenizer")
    corpus = attune.open(copy)
    stream = corpus.stream("best", seed=99, batch_size=5, weight_by=weight)
    draws = attune.Draws(99)
    losses = []
    with torch.no_grad():
        for batch in DataLoader(stream, batch_size=None, num_workers=2):
            index = batch["index"].tolist()
            noise = torch.from_numpy(np.stack([draws.noise(i, (4, 16, 16)) for i in index]))
            t = torch.tensor([draws.timestep(i, 1000) for i in index])
            text = tokenizer(
                batch["prompt"], padding="max_length", max_length=tokenizer.model_max_length, truncation=True,
                return_tensors="pt")
            embeddings = encoder(text.input_ids)[0]
            output = unet(scheduler.add_noise(batch["latent"], noise, t), t, embeddings).sample
            loss = (output - noise).square().mean((1, 2, 3))
            losses.append((loss * batch["weight"] if weight else loss).mean().item())
            if len(losses) == 3:
                break
    assert sum(losses) / 3 == pytest.approx(logged["loss"], rel=1e-4)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_batches_go_straight_through_the_pipe(corpus, method):
    """The same batches as without workers; those of latents start no thread."""
    dataset = corpus.dataset("best", ["latent"])
    expected = [dataset[i]["latent"] for i in range(len(dataset))]
    loader = DataLoader(
        dataset, batch_size=2, num_workers=2, collate_fn=attune.collate, persistent_workers=True,
        multiprocessing_context=attune.context(method))  # fmt: skip
    for _ in range(3):
        found = [latent.numpy().copy() for batch in loader for latent in batch["latent"]]
        assert len(found) == len(expected) and all(np.array_equal(a, b) for a, b in zip(found, expected))
    assert all(q._thread is None for q in loader._iterator._index_queues)
