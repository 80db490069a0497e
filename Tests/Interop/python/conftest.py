"""A corpus made by the attune command, and copies of it to damage."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
MODEL = REPOSITORY / "datasets" / "tiny-sd"
ATTUNE = Path(os.environ.get("ATTUNE_BINARY", REPOSITORY / ".build" / "release" / "attune"))
if "ATTUNE_PACKAGE_INSTALLED" not in os.environ:
    sys.path.insert(0, str(REPOSITORY / "python"))
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(REPOSITORY / "python")] + [p for p in [os.environ.get("PYTHONPATH")] if p])


def attune_command(*arguments: object, fails: bool = False) -> str:
    outcome = subprocess.run([str(ATTUNE), *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert (outcome.returncode != 0) == fails, outcome.stderr
    return outcome.stdout + outcome.stderr


@pytest.fixture(scope="session")
def command():
    if not ATTUNE.exists():
        pytest.fail(f"{ATTUNE} is missing: build it, or name one with ATTUNE_BINARY")
    return attune_command


@pytest.fixture(scope="session")
def prompts(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("prompts") / "prompts.txt"
    path.write_text("a red circle\na yellow triangle and a cyan cross\nthree pink stars\tleft out\n")
    return path


@pytest.fixture(scope="session")
def made(command, prompts, tmp_path_factory) -> Path:
    """24 samples of 3 prompts, the selection best with a history of two, annotations by `beauty`. Read it only."""
    folder = tmp_path_factory.mktemp("made") / "corpus"
    command("init", "--corpus", folder)
    command(
        "generate", "--corpus", folder, "--model", MODEL, "--prompts", prompts, "--images-per-prompt", 8, "--steps", 6,
        "--batch", 8, "--tag", "t")
    command("select", "best", "--corpus", folder, "--top", 2, "--per", "prompt")
    command("select", "best", "--corpus", folder, "--top", 4, "--per", "prompt")
    import attune

    rows = attune.open(folder).query(columns=["id", "seed"])
    scores = {row["id"]: row["seed"] / 10 for row in rows if row["seed"] != 49}
    command("annotate", "--corpus", folder, attune.annotate(folder.parent / "b.jsonl", "beauty", scores), "--scorer", "beauty")
    return folder


@pytest.fixture
def corpus(made):
    import attune

    return attune.open(made)


@pytest.fixture
def copy(made, tmp_path) -> Path:
    """A corpus of one's own."""
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy"
