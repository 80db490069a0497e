"""A run's page while it trains."""

from __future__ import annotations

import subprocess

from conftest import ATTUNE, MODEL
from devtools import wait_for


def test_page_follows_a_run(copy, serve, page):
    server = serve(copy)
    training = subprocess.Popen(
        [str(ATTUNE), "train", "best", "--corpus", str(copy), "--model", str(MODEL), "--run", "live", "--rank", "4",
         "--alpha", "4", "--steps", "4000", "--batch", "2", "--accumulate", "1", "--checkpoint-every", "10"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: (copy / "runs/live/log.jsonl").exists() and "step" in (copy / "runs/live/log.jsonl").read_text(),
                 "the first step", 120)
        page.open(server.address + "/runs/live")
        assert page.value("document.getElementById('live').dataset.state") == "running"
        first = int(page.value("document.getElementById('live').dataset.step"))
        page.wait(f"Number(document.getElementById('live').dataset.step) > {first + 5}", "further steps without a reload", 60)
        page.wait("document.querySelectorAll('#live svg.plot').length >= 3", "plots", 30)
        page.wait("/\\d+:\\d\\d/.test(document.querySelector('.figures').innerText)", "the time to go", 60)
    finally:
        training.terminate()
        training.wait(60)
    assert page.problems == []
    page.open(server.address + "/runs")
    assert page.value("[...document.querySelectorAll('tbody tr')].length") == 2


def test_validation_images_follow_the_slider(copy, serve, page):
    from PIL import Image
    for step in [0, 5, 10]:
        folder = copy / "runs/done/validation" / f"{step:06d}"
        folder.mkdir(parents=True)
        for number in range(2):
            Image.new("RGB", (64, 64), (step * 20, 90 * number, 120)).save(folder / f"{number}.png")
    server = serve(copy)
    page.open(server.address + "/runs/done")
    shown = "[...document.querySelectorAll('.validation:not([hidden])')].map(v => v.dataset.step).join()"
    assert page.value(shown) == "10"
    page.value("document.getElementById('validation-slider').focus()")
    page.key("ArrowLeft")
    assert page.value(shown) == "5"
    assert page.value("document.getElementById('validation-step').textContent") == "5"
    page.wait("[...document.querySelectorAll('.validation:not([hidden]) img')].every(i => i.complete && i.naturalWidth === 64)", "images")
    assert page.problems == []


def test_a_torn_or_damaged_log_is_shown_as_far_as_it_goes(copy, serve, page):
    log = copy / "runs/done/log.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:6]) + "{not json}\n" + "".join(lines[6:-1]) + lines[-1][:20])
    server = serve(copy)
    page.open(server.address + "/runs/done")
    assert "Line 7" in page.value("document.querySelector('.warning').textContent")
    assert page.value("document.querySelectorAll('svg.plot').length") >= 3
    assert page.problems == []
