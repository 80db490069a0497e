"""Candidates of diffusers' pipelines, and their traces."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")
from conftest import MODEL  # noqa: E402
from models import make_mini_sd3  # noqa: E402

import attune  # noqa: E402
from attune.generation import part_of  # noqa: E402


@pytest.fixture(scope="module")
def sd3(tmp_path_factory):
    return make_mini_sd3(tmp_path_factory.mktemp("models") / "sd3", MODEL / "tokenizer")


def test_it_agrees_with_the_command(command, made, prompts, tmp_path):
    """The same seeds: traces within 1e-3, images within 1/255 on 99.9 % of the values; recipes are the same."""
    common = dict(images_per_prompt=2, steps=6, guidance=7.5, sampler="ddpm", device="cpu")
    outcome = attune.generate(MODEL, prompts, tmp_path / "b", batch=3, tag="t", **common)
    assert (outcome.made, outcome.skipped) == (6, 0)
    command("init", "--corpus", tmp_path / "c")
    command("import", "--corpus", tmp_path / "c", "--format", "shard", tmp_path / "b")
    ours, theirs = attune.open(tmp_path / "c"), attune.open(made)
    for row in ours.query():
        twin, = theirs.query("recipe = ?", [row["recipe"]])
        a = ours.dataset(attune.listed([row["id"]], "a"), ["image", "trace", "latent"])[0]
        b = theirs.dataset(attune.listed([twin["id"]], "b"), ["image", "trace", "latent"])[0]
        assert np.array_equal(a["trace"]["timestep"], b["trace"]["timestep"])
        assert np.allclose(a["trace"]["delta_sq"], b["trace"]["delta_sq"], rtol=1e-3)
        assert np.allclose(a["latent"], b["latent"], atol=1e-3)
        assert (np.abs(a["image"].astype(int) - b["image"]) <= 1).mean() > 0.999
        assert row["mi"] == pytest.approx(twin["mi"], rel=1e-3)
    # The command knows the recipes, and so does a call that is given the corpus.
    said = command(
        "generate", "--corpus", tmp_path / "c", "--model", MODEL, "--prompts", prompts, "--images-per-prompt", 2, "--steps",
        6, "--batch", 2)
    assert "0 images made" in said
    assert attune.generate(MODEL, prompts, tmp_path / "d", corpus=made, **common).made == 0


@pytest.mark.parametrize("sampler", ["ddim", "pndm", "euler"])
def test_other_samplers(tmp_path, sampler, command, prompts):
    outcome = attune.generate(
        MODEL, ["a red circle"], tmp_path / "b", images_per_prompt=1, steps=6, guidance=7.5, sampler=sampler, device="cpu")
    command("init", "--corpus", tmp_path / "c")
    command("import", "--corpus", tmp_path / "c", "--format", "shard", tmp_path / "b")
    command("init", "--corpus", tmp_path / "d")
    one = tmp_path / "one.txt"
    one.write_text("a red circle\n")
    command(
        "generate", "--corpus", tmp_path / "d", "--model", MODEL, "--prompts", one, "--images-per-prompt", 1, "--steps", 6,
        "--sampler", sampler)
    a, b = (attune.open(tmp_path / name) for name in "cd")
    assert outcome.made == 1 and a.query()[0]["recipe"] == b.query()[0]["recipe"]
    left, right = (c.dataset(c.choose(), ["trace", "latent"])[0] for c in (a, b))
    assert np.allclose(left["latent"], right["latent"], atol=2e-3)
    if sampler != "pndm":
        assert np.allclose(left["trace"]["delta_sq"], right["trace"]["delta_sq"], rtol=1e-3)


def test_flow_matching(sd3, command, tmp_path):
    """Traces and scores of a mini SD-3, against sampling that is written out in PyTorch."""
    from diffusers import StableDiffusion3Pipeline

    prompts, guidance, steps = ["a star", "a red circle"], 4.5, 7
    attune.generate(
        sd3, prompts, tmp_path / "b", images_per_prompt=2, steps=steps, guidance=guidance, batch=3, device="cpu")
    command("init", "--corpus", tmp_path / "c")
    command("import", "--corpus", tmp_path / "c", "--format", "shard", tmp_path / "b")
    corpus = attune.open(tmp_path / "c")
    rows = corpus.query(by="-seed")
    assert len(rows) == 4 and set(rows.column("sampler")) == {"flow-euler"}

    pipeline = StableDiffusion3Pipeline.from_pretrained(str(sd3), text_encoder_3=None, tokenizer_3=None)
    for row in rows:
        given, _, pooled_given, _ = pipeline.encode_prompt(row["prompt"], None, None, do_classifier_free_guidance=False)
        none, _, pooled_none, _ = pipeline.encode_prompt("", None, None, do_classifier_free_guidance=False)
        generator = torch.Generator().manual_seed(row["seed"])
        z = torch.randn(1, 4, 16, 16, generator=generator)
        # FlowMatchEulerDiscreteScheduler with shift 3, from its definition.
        top, low = 1.0, 3 * 0.001 / (1 + 2 * 0.001)
        plain = torch.linspace(top * 1000, low * 1000, steps) / 1000
        sigmas = torch.cat([3 * plain / (1 + 2 * plain), torch.zeros(1)])
        terms, guided, trace = [], [], []
        with torch.no_grad():
            for sigma, following in zip(sigmas, sigmas[1:]):
                t = (sigma * 1000).reshape(1)
                with_prompt = pipeline.transformer(z, given, pooled_given, t).sample
                without = pipeline.transformer(z, none, pooled_none, t).sample
                delta = with_prompt - without
                a, b = (with_prompt * delta).sum().item(), delta.square().sum().item()
                trace.append((sigma.item(), a, b))
                velocity = without + guidance * delta
                if 0.05 < sigma < 1:
                    weight = ((1 - sigma) / sigma).item()
                    terms.append(weight * a)
                    guided.append(weight * (velocity * (guidance * delta)).sum().item())
                z = z + (following - sigma) * velocity
        stored = corpus.dataset(attune.listed([row["id"]], "x"), ["trace", "latent"])[0]
        for name, column in zip(("sigma", "velocity_delta", "delta_sq"), zip(*trace)):
            assert np.allclose(stored["trace"][name], column, rtol=1e-3, atol=1e-4), name
        assert np.allclose(stored["latent"], z[0], atol=1e-3)
        assert row["rf"] == row["mi"] == pytest.approx(np.mean(terms), rel=1e-3, abs=1e-4)
        assert row["rf_cfg"] == pytest.approx(np.mean(guided), rel=1e-3)
        assert row["mi_se"] == pytest.approx(np.std(terms, ddof=1) / len(terms) ** 0.5, rel=1e-3)


def test_predictions_one_after_the_other():
    """Pipelines that pass the prompt's half first and the other half then, at the same timestep."""

    class Scheduler:
        config = {"prediction_type": "v_prediction", "num_train_timesteps": 1000}
        alphas_cumprod = torch.linspace(0.99, 0.01, 1000)

    class Pipeline:
        scheduler = Scheduler()
        transformer = torch.nn.Linear(3, 3)

    class Denoiser(torch.nn.Module):
        def forward(self, sample, timestep):
            return (sample,)

    pipeline = Pipeline()
    pipeline.transformer = Denoiser()
    given, without = torch.randn(2, 4, 2, 2), torch.randn(2, 4, 2, 2)
    with attune.TraceHook(pipeline, 2) as hook:
        for t in (900, 500):
            pipeline.transformer(given, timestep=torch.tensor(t))
            pipeline.transformer(without, timestep=torch.tensor([t, t]))
    first = (given - without)[0].square().sum().item()
    trace = hook.traces()[0]
    assert trace["timesteps"] == [900, 500]
    assert trace["delta_sq"] == pytest.approx([first * Scheduler.alphas_cumprod[t].item() for t in (900, 500)], rel=1e-5)
    with pytest.raises(attune.Unsupported, match="3 images"):
        with attune.TraceHook(pipeline, 2):
            pipeline.transformer(torch.zeros(3, 4, 2, 2), timestep=1)


def test_half_precision(tmp_path):
    outcome = attune.generate(
        MODEL, ["a red circle"], tmp_path, images_per_prompt=1, steps=2, dtype="bfloat16", device="cpu", sampler="ddim")
    assert outcome.made == 1


def test_parts_and_bad_input(tmp_path, sd3):
    assert [part_of(list("abcde"), f"{i}/2") for i in (1, 2)] == [["a", "c", "e"], ["b", "d"]]
    (tmp_path / "empty.txt").write_text("\n\t\n")
    (tmp_path / "bytes.txt").write_bytes(b"a\n\xff\n")
    for options, match in [
        ({"part": "3/2"}, "is not a part"), ({"prompts": tmp_path / "empty.txt"}, "has no prompts"),
        ({"prompts": tmp_path / "bytes.txt"}, "is not UTF-8"), ({"prompts": tmp_path / "nosuch.txt"}, "cannot be read"),
        ({"steps": 0}, "at least 1"), ({"guidance": float("nan")}, "must be a number"), ({"dtype": "int8"}, "float32, float16"),
        ({"sampler": "heun"}, "is not a sampler"), ({"sampler": "flow-euler"}, "does not go with"), ({"model": tmp_path}, "diffusers folder"),
    ]:
        arguments = {"model": MODEL, "prompts": ["a"], "to": tmp_path / "out", "device": "cpu", **options}
        with pytest.raises(attune.AttuneError, match=match):
            attune.generate(**arguments)
    attune.generate(MODEL, ["a"], tmp_path / "out", images_per_prompt=1, steps=2, sampler="ddim", device="cpu")
    with pytest.raises(attune.ModelMismatch, match="holds samples of model"):
        attune.generate(sd3, ["a"], tmp_path / "out", images_per_prompt=1, steps=2, device="cpu")


def test_the_command_line(prompts, tmp_path, capsys):
    from attune.__main__ import main

    arguments = [
        "generate", "--model", str(MODEL), "--prompts", str(prompts), "--to", str(tmp_path), "--images-per-prompt", "1",
        "--steps", "2", "--sampler", "ddim", "--part", "2/3", "--device", "cpu"]
    assert main(arguments) == 0 and "1 images made" in capsys.readouterr().out
    assert main(arguments) == 0 and "0 images made, 1 already present" in capsys.readouterr().out
    assert main([*arguments[:-2], "--part", "9/3"]) == 1
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("attune: 9/3: is not a part")
