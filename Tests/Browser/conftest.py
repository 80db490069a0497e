"""A corpus of the attune command with hostile prompts in it, the gallery on it, and a browser."""

from __future__ import annotations

import json
import os
import random
import re
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent))
from devtools import Browser  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = REPOSITORY / "datasets" / "tiny-sd"
ATTUNE = Path(os.environ.get("ATTUNE_BINARY", REPOSITORY / ".build" / "release" / "attune"))

SCRIPT = "<script>window.hacked = 1</script><img src=x onerror=\"window.hacked = 2\">"
HOSTILE = [
    SCRIPT,
    "\"><svg onload='window.hacked = 3'>&amp; </title></textarea></template> a red circle",
    "javascript:window.hacked=4 ' OR 1=1 --",
    ("<b>much markup</b> & <i onclick=alert(1)>more</i> " * 210)[:10_000],
]


def attune(*arguments: object, **environment: str) -> str:
    outcome = subprocess.run(
        [str(ATTUNE), *map(str, arguments)], capture_output=True, text=True, timeout=600,
        env={**os.environ, **environment})
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout


@pytest.fixture(scope="session")
def corpus(tmp_path_factory) -> Path:
    """Candidates of six prompts by the base and a tuned model from the same seeds, and imports with hostile captions."""
    if not ATTUNE.exists() or not ATTUNE.with_name("attune-gallery").exists():
        pytest.fail(f"{ATTUNE} or attune-gallery beside it is missing: make build gallery")
    root = tmp_path_factory.mktemp("gallery")
    corpus = root / "corpus"
    prompts = root / "prompts.txt"
    prompts.write_text("\n".join([
        "a red circle", "a yellow triangle and a cyan cross", "three pink stars", "a triangle above a circle",
        "a blue square", "a green star"]) + "\n")
    attune("init", "--corpus", corpus)
    making = ["generate", "--corpus", corpus, "--model", MODEL, "--prompts", prompts, "--images-per-prompt", 5,
              "--steps", 12, "--guidance", 5]
    attune(*making, "--tag", "base")
    attune("select", "best", "--corpus", corpus, "--by", "mi", "--top", 1, "--per", "prompt")
    attune("train", "best", "--corpus", corpus, "--model", MODEL, "--run", "done", "--rank", 4, "--alpha", 4,
           "--steps", 14, "--batch", 4, "--accumulate", 1, "--lr", "2e-3", "--checkpoint-every", 5, "--evaluate", 4)
    attune(*making, "--tag", "tuned", "--adapter", corpus / "runs/done/adapter/pytorch_lora_weights.safetensors")
    images = root / "images"
    images.mkdir()
    draws = random.Random(7)
    with (images / "metadata.jsonl").open("w") as metadata:
        for number, text in enumerate(HOSTILE):
            image = Image.new("RGB", (640, 480), tuple(draws.randrange(256) for _ in range(3)))
            image.paste(tuple(draws.randrange(256) for _ in range(3)), (100, 100, 400, 300))
            image.save(images / f"{number}.png")
            metadata.write(json.dumps({"file_name": f"{number}.png", "text": text}) + "\n")
    attune("import", images, "--corpus", corpus, "--format", "imagefolder", "--fit", "keep")
    return corpus


class Server:
    """attune serve on a corpus."""

    def __init__(self, corpus: Path, *arguments: str, cache: Path) -> None:
        self.process = subprocess.Popen(
            [str(ATTUNE), "serve", "--corpus", str(corpus), "--port", "0", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "XDG_CACHE_HOME": str(cache)})
        ready, _, _ = select.select([self.process.stdout], [], [], 60)
        self.said = self.process.stdout.readline() if ready else ""
        match = re.search(r"http://(\S+?):(\d+)/(\?token=(\S+))?", self.said)
        assert match, self.said + self.process.stderr.read()
        self.port, self.token = int(match[2]), match[4]
        self.address = f"http://127.0.0.1:{self.port}"

    def close(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(30)


@pytest.fixture
def serve(tmp_path):
    servers = []

    def start(corpus: Path, *arguments: str) -> Server:
        servers.append(Server(corpus, *arguments, cache=tmp_path / "cache"))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def reader(corpus, tmp_path_factory):
    """A read-only gallery that tests share."""
    server = Server(corpus, cache=tmp_path_factory.mktemp("cache"))
    yield server
    server.close()


@pytest.fixture
def copy(corpus, tmp_path) -> Path:
    """A corpus that a test may change."""
    place = tmp_path / "copy"
    shutil.copytree(corpus, place)
    return place


@pytest.fixture(scope="session")
def browser():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def page(browser):
    page = browser.page()
    yield page
    page.close()


def query(corpus: Path, *arguments: object) -> list[dict]:
    return json.loads(attune("query", "--corpus", corpus, "--json", *arguments))
