"""Folders of attune sample side by side, without their being in the corpus."""

from __future__ import annotations

import json
import subprocess

import pytest

from conftest import ATTUNE, MODEL, attune
from test_security import ask


@pytest.fixture(scope="module")
def folders(corpus, tmp_path_factory):
    root = tmp_path_factory.mktemp("sampled")
    prompts = root / "prompts.txt"
    prompts.write_text("a red circle\nthree pink stars\n")
    making = ["sample", "--model", MODEL, "--prompts", prompts, "--images-per-prompt", 4, "--steps", 6, "--guidance", 3]
    attune(*making, "--to", root / "base")
    attune(*making, "--to", root / "tuned", "--adapter", corpus / "runs/done/adapter/pytorch_lora_weights.safetensors")
    return root


def named(folders):
    return ["--folder", f"base={folders / 'base'}", "--folder", f"tuned={folders / 'tuned'}"]


def test_blind_comparison_of_folders(copy, folders, serve, page):
    server = serve(copy, "--allow-edits", *named(folders))
    page.open(server.address + "/compare?left=folder:base&right=folder:tuned&blind=1")
    votes = 0
    for number in range(8):
        text = page.value("document.querySelector('main').innerText")
        assert "tuned" not in text and "base" not in text, text
        page.wait("[...document.images].every(i => i.complete && i.naturalWidth === 64)", "both images")
        assert page.value("[...document.images].every(i => /\\/folders\\/[0-9a-f]{40}$/.test(i.src))")
        votes += 1
        page.following(lambda: page.key(str(1 + number % 2)))
    result = page.value("document.getElementById('result').innerText")
    assert "8 of 8 pairs judged" in result and "comparisons/folders.jsonl" in result and "95 % interval" in result
    lines = [json.loads(line) for line in (copy / "comparisons/folders.jsonl").read_text().splitlines()]
    assert len(lines) == 8
    wins = sum({"first": vote["first"], "second": vote["second"]}[vote["winner"]]["folder"] == "base" for vote in lines)
    assert f"folder base\n{wins} preferred" in result.replace("\t", "\n")
    # Votes are there after a new start, and one that is repeated replaces the first.
    assert page.problems == []
    again = serve(copy, "--allow-edits", *named(folders))
    page.open(again.address + "/compare?left=folder:base&right=folder:tuned")
    assert "8 of 8 pairs judged" in page.value("document.getElementById('result').innerText")
    assert page.value("document.querySelectorAll('figure.side .value').length") == 2
    page.following(lambda: page.key("0"))
    assert "1" in page.value("document.getElementById('result').innerText")
    attune("verify", "--corpus", copy)


def test_lines_fit_their_schema(copy, folders, serve, page):
    import jsonschema
    from conftest import REPOSITORY
    server = serve(copy, "--allow-edits", *named(folders))
    page.open(server.address + "/compare?left=folder:base&right=folder:tuned")
    page.following(lambda: page.key("1"))
    schema = json.loads((REPOSITORY / "schemas/folder-vote.schema.json").read_text())
    for line in (copy / "comparisons/folders.jsonl").read_text().splitlines():
        jsonschema.validate(json.loads(line), schema)


def test_only_named_folders_are_served(copy, folders, serve):
    (folders / "secret.png").write_bytes((folders / "base/0001-42.png").read_bytes())
    server = serve(copy, *named(folders))
    for path in ["/folders/..%2fsecret.png", "/folders/base", "/folders/base%2f0001-42.png", "/folders/%2e%2e", "/folders/" + "0" * 40]:
        assert ask(server, path)[0] == 404, path
    # Votes need --allow-edits, as all changes do.
    assert ask(server, "/votes", "POST", body=b"first=a")[0] == 403
    # Without folders there are none.
    assert ask(serve(copy), "/compare?left=folder:base&right=folder:tuned")[0] == 404


@pytest.mark.parametrize("given,words", [
    ("base", "give a name"), ("a/b=/tmp", "give a name"), ("x=/nowhere/at/all", "is not a folder"), ("x=/etc/passwd", "is not a folder")])
def test_folders_that_are_none(copy, given, words):
    outcome = subprocess.run(
        [ATTUNE, "serve", "--corpus", copy, "--port", "0", "--folder", given], capture_output=True, text=True, timeout=60)
    assert outcome.returncode == 1 and words in outcome.stderr and outcome.stderr.count("\n") == 1
