"""Every page loads without complaint, at every width, and hostile prompts stay text."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from conftest import HOSTILE, SCRIPT, attune, query

WIDTHS = [(360, 740), (1280, 900), (3840, 2160)]


def addresses(corpus) -> dict[str, str]:
    samples = query(corpus, "tag = 'base'", "--by", "mi", "--top", 2)
    imported = query(corpus, "tag IS NULL", "--top", 1)
    return {
        "overview": "/", "overview-histogram": "/?score=mi_se", "samples": "/samples", "all": "/samples?view=all&size=small",
        "marked": "/samples?mark=best&where=" + quote("mi > 0"), "within": "/samples?in=best&view=all",
        "search": "/samples?search=star", "nothing": "/samples?where=" + quote("mi > 1e9"),
        "bad-condition": "/samples?where=" + quote("nonsense ="), "sample": f"/samples/{samples[0]['id']}",
        "imported": f"/samples/{imported[0]['id']}", "selections": "/selections", "runs": "/runs", "run": "/runs/done",
        "compare": "/compare", "two": f"/compare?a={samples[0]['id']}&b={samples[1]['id']}",
        "sides": "/compare?left=adapter:none&right=" + quote("where:tag = 'tuned'"),
        "same": "/compare?left=adapter:none&right=selection:best", "missing": "/samples/" + "0" * 64,
        "nowhere": "/nothing/here", "map": "/map?color=mi", "map-tags": "/map?color=tag&where=" + quote("mi > 0"),
        "map-area": "/map?lasso=-100,-100~100,-100~100,100~-100,100", "map-nothing": "/map?where=" + quote("mi > 1e9"),
        "map-bad": "/map?lasso=1,2", "duplicates": "/duplicates?threshold=0.5&where=" + quote("tag IS NOT NULL"),
        "duplicates-none": "/duplicates?threshold=0&where=" + quote("tag IS NOT NULL"),
    }


EXPECTED_FAILURES = {"bad-condition": 400, "missing": 404, "nowhere": 404, "map-bad": 400}


@pytest.mark.parametrize("width,height", WIDTHS)
def test_pages_load_cleanly(corpus, reader, page, width, height):
    page.resize(width, height)
    for name, address in addresses(corpus).items():
        page.problems.clear()
        page.requests.clear()
        page.open(reader.address + address)
        status = EXPECTED_FAILURES.get(name)
        # Chromium logs that the page itself was answered with an error.
        problems = [each for each in page.problems if not (status and f"status of {status}" in each)]
        assert problems == [], f"{name}: {problems}"
        assert page.value("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than {width} pixels"
        assert page.value("document.querySelectorAll('h1').length") == 1, name
        assert page.value("window.hacked") is None, name
        outside = [each for each in page.requests if not each.startswith((reader.address, "data:"))]
        assert outside == [], f"{name} asks others: {outside}"


def test_layout_does_not_shift(corpus, reader, page):
    for name in ["overview", "samples", "all", "sample", "run", "sides", "map", "duplicates"]:
        page.open(reader.address + addresses(corpus)[name])
        page.wait("[...document.images].every(i => i.complete || i.loading === 'lazy')", "images")
        shift = page.value("""new Promise(done => { let sum = 0;
            new PerformanceObserver(list => { for (const e of list.getEntries()) sum += e.value; })
              .observe({ type: 'layout-shift', buffered: true });
            setTimeout(() => done(sum), 300); })""")
        assert shift < 0.02, f"{name} shifts by {shift}"


def test_hostile_prompts_stay_text(corpus, reader, page):
    for text in HOSTILE:
        found = [row for row in query(corpus, "tag IS NULL") if row["prompt"] == text]
        assert len(found) == 1
        page.open(f"{reader.address}/samples/{found[0]['id']}")
        assert page.value("document.querySelector('h1').textContent") == text
        assert page.value("document.querySelector('.stage img').alt").startswith(text[:200])
    page.open(reader.address + "/samples?view=all&by=id&where=" + quote("tag IS NULL"))
    assert page.value("document.querySelectorAll('#grid .tile').length") == len(HOSTILE)
    page.open(f"{reader.address}/samples?search={quote(SCRIPT)}&where={quote('1 /* ' + SCRIPT + ' */')}")
    assert page.value("document.querySelector('[name=where]').value") == "1 /* " + SCRIPT + " */"
    page.open(f"{reader.address}/samples?where={quote(SCRIPT)}")
    assert SCRIPT in page.value("document.querySelector('.warning').textContent")
    page.value("new Promise(done => setTimeout(done, 200))")
    assert page.value("window.hacked") is None
    # Nothing on a page but its own scripts.
    assert page.value("[...document.scripts].every(s => s.src.startsWith(location.origin + '/assets/'))")


def test_condition_gives_what_the_command_gives(corpus, reader, page):
    condition, by = "prompt LIKE '%star%' AND seed > 42", "mi"
    expected = [row["id"] for row in query(corpus, condition, "--by", by)]
    page.open(f"{reader.address}/samples?view=all&by={by}&where={quote(condition)}")
    assert page.value("[...document.querySelectorAll('#grid .tile')].map(t => t.dataset.id)") == expected
    page.open(f"{reader.address}/samples?view=all&by={by}&order=asc&where={quote(condition)}")
    ascending = page.value("[...document.querySelectorAll('#grid .tile')].map(t => t.dataset.id)")
    assert ascending == expected[::-1]


def test_filter_and_sort_through_the_toolbar(reader, page):
    page.open(reader.address + "/samples")
    page.click("[name=where]")
    page.type("tag = 'base'")
    page.following(lambda: page.key("Enter"))
    assert "where=tag+%3D+%27base%27" in page.value("location.search")
    assert page.value("document.getElementById('count').textContent").startswith("30 samples of 6 prompts")
    page.following(lambda: page.value(
        "(() => { const s = document.querySelector('[name=view]'); s.value = 'all';"
        " s.dispatchEvent(new Event('change', { bubbles: true })); })()"))
    scores = page.value("[...document.querySelectorAll('#grid .score')].map(e => Number(e.textContent))")
    assert len(scores) == 30 and scores == sorted(scores, reverse=True)
    # The way out of a condition is one click.
    page.following(lambda: page.click(".chips a"))
    assert "where" not in page.value("location.search")


def test_search_box_and_keys(reader, page):
    page.open(reader.address + "/")
    page.key("/")
    page.type("pink stars")
    page.following(lambda: page.key("Enter"))
    assert page.value("document.querySelectorAll('#grid .group').length") == 1
    assert page.value("document.querySelector('#grid h2 a').textContent") == "three pink stars"
    page.key("?")
    assert page.value("document.getElementById('help').open")
    page.key("Escape")
    assert not page.value("document.getElementById('help').open")


def test_arrows_move_and_enter_opens(corpus, reader, page):
    page.open(reader.address + "/samples?view=all")
    expected = [row["id"] for row in query(corpus, "--by", "mi")]
    focused = "document.activeElement.dataset.id"
    page.key("ArrowRight")
    assert page.value(focused) == expected[0]
    page.key("ArrowRight")
    assert page.value(focused) == expected[1]
    columns = page.value(
        "new Set([...document.querySelectorAll('#grid .tile')].map(t => t.getBoundingClientRect().x)).size")
    page.key("ArrowDown")
    page.wait(f"{focused} === '{expected[1 + columns]}'", "the tile below")
    page.key("ArrowUp")
    page.wait(f"{focused} === '{expected[1]}'", "the tile above")
    page.following(lambda: page.key("Enter"))
    assert page.value("location.pathname") == "/samples/" + expected[1]
    page.following(lambda: page.key("ArrowRight"))
    assert page.value("location.pathname") != "/samples/" + expected[1]


def test_keys_say_that_the_gallery_is_read_only(reader, page):
    page.open(reader.address + "/samples?view=all")
    page.key("ArrowRight")
    page.key(" ")
    assert "read-only" in page.value("document.getElementById('toast').textContent")
    assert page.value("document.querySelectorAll('.picked').length") == 0


def test_empty_corpus_says_what_to_do(tmp_path, serve, page):
    attune("init", "--corpus", tmp_path / "empty")
    server = serve(tmp_path / "empty")
    for address, words in {"/": "attune generate", "/runs": "attune train", "/selections": "attune select",
                           "/compare": "attune generate"}.items():
        page.open(server.address + address)
        assert page.problems == []
        assert words in page.value("document.querySelector('.empty').textContent"), address
    page.open(server.address + "/samples")
    assert page.problems == [] and page.value("document.querySelector('.empty h2').textContent")


def test_screenshots(corpus, reader, page, tmp_path):
    """Kept where SCREENSHOTS says, to be looked at."""
    import os
    from pathlib import Path
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    for width, height in [(400, 860), (1280, 900)]:
        for dark in [False, True]:
            page.resize(width, height, dark)
            for name in ["overview", "samples", "all", "sample", "run", "sides", "two", "map", "map-area", "duplicates"]:
                page.open(reader.address + addresses(corpus)[name])
                page.wait("[...document.images].every(i => i.complete || i.loading === 'lazy')", "images")
                path = folder / f"{name}-{width}{'-dark' if dark else ''}.png"
                page.screenshot(path)
                assert path.stat().st_size > 5000, name
