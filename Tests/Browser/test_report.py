"""A report in the browser: whole, readable, and asking nobody for anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conftest import MODEL, attune
from test_access import CONTRAST, NAMES


@pytest.fixture(scope="module")
def report(corpus, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("report")
    prompts = root / "prompts.txt"
    prompts.write_text("a red circle\nthree pink stars\n")
    adapter = corpus / "runs/done/adapter/pytorch_lora_weights.safetensors"
    for name, more in {"base": [], "tuned": ["--adapter", adapter]}.items():
        attune("sample", "--model", MODEL, "--prompts", prompts, "--steps", 4, "--guidance", 3, "--images-per-prompt", 2,
               "--to", root / name, *more)
    attune("report", "--corpus", corpus, "--selection", "best", "--run", "done", "--compare", root / "base", root / "tuned",
           "--to", root / "report.html")
    return root / "report.html"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1280])
def test_report_is_whole(report, page, width, dark, tmp_path):
    page.resize(width, 900, dark)
    page.open(report.as_uri())
    assert page.problems == []
    assert [each for each in page.requests if not each.startswith(("file:", "data:"))] == []
    assert page.value("[...document.images].length > 40 && [...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert page.value("[...document.querySelectorAll('svg.plot text')].length > 20")
    assert page.value("document.documentElement.scrollWidth <= innerWidth")
    assert page.value(CONTRAST) == []
    assert page.value(NAMES) == []
    # Contents lead to every section.
    assert page.value("[...document.querySelectorAll('nav a')].every(a => document.querySelector(a.getAttribute('href')))")
    assert page.value("[...document.querySelectorAll('section')].length") >= 7
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    page.screenshot(folder / f"report-{width}{'-dark' if dark else ''}.png")
