"""The map: drawn, colored, an area chosen by mouse, by keys and by numbers, and what becomes of it."""

from __future__ import annotations

import json
import urllib.parse

import numpy
import pytest

from conftest import attune, query
from test_edits import ids_of


@pytest.fixture
def mapped(copy, tmp_path):
    """Coordinates: samples of base on the left, of tuned on the right, by prompt upward."""
    rows = query(copy, "tag IS NOT NULL")
    prompts = sorted({row["prompt"] for row in rows})
    ids = numpy.array([list(bytes.fromhex(row["id"])) for row in rows], dtype=numpy.uint8)
    places = numpy.array(
        [[(row["tag"] == "tuned") * 10 + row["seed"] % 5 * 0.1, prompts.index(row["prompt"])] for row in rows],
        dtype=numpy.float32)
    numpy.savez(tmp_path / "umap.npz", id=ids, vector=places)
    attune("annotate", tmp_path / "umap.npz", "--corpus", copy, "--vectors", "--scorer", "umap")
    return copy


DRAWN = "Number(document.getElementById('map').dataset.drawn) > 0"


def box(page):
    return page.value("(() => { const r = document.getElementById('map-area').getBoundingClientRect();"
                      " return [r.x, r.y, r.width, r.height]; })()")


def mouse(page, kind, x, y):
    page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)


def test_latents_are_placed_and_colored(corpus, reader, page):
    page.open(reader.address + "/map?color=mi")
    page.wait(DRAWN, "the points")
    assert page.value("Number(document.getElementById('map').dataset.drawn)") == 60
    assert page.value("document.getElementById('count').textContent").startswith("60 samples")
    assert "principal component of latents" in page.value("document.querySelector('.map-axes').textContent")
    assert "% of the variance" in page.value("document.querySelector('.map-axes').textContent")
    assert page.value("document.querySelectorAll('#map-ticks span').length") >= 6
    assert page.value("document.querySelector('.map-legend').textContent").startswith("mi, nats")
    # Something is drawn, in more than one color.
    colors = page.value("""(() => { const c = document.getElementById('map-points');
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; const seen = new Set();
        for (let i = 0; i < d.length; i += 4) { if (d[i + 3] > 200) seen.add(d[i] + ',' + d[i + 1] + ',' + d[i + 2]); }
        return seen.size; })()""")
    assert colors > 5
    page.following(lambda: page.value(
        "(() => { const s = document.querySelector('[name=color]'); s.value = 'tag';"
        " s.dispatchEvent(new Event('change', { bubbles: true })); })()"))
    page.wait(DRAWN, "the points")
    assert page.value("location.search") == "?map=latents&color=tag"
    assert page.value("[...document.querySelectorAll('.map-legend li')].map(e => e.textContent)") == ["base: 30", "tuned: 30"]
    assert page.problems == []


@pytest.mark.parametrize("dark", [False, True])
def test_points_have_contrast(corpus, reader, page, dark):
    page.resize(1280, 900, dark)
    page.open(reader.address + "/map?color=mi")
    page.wait(DRAWN, "the points")
    worst = page.value("""(() => {
      const channel = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); };
      const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
      const card = getComputedStyle(document.querySelector('.card')).backgroundColor.match(/\\d+/g).map(Number);
      const map = document.getElementById('map').dataset;
      return Math.min(...(map.ramp + ' ' + map.texts + ' ' + map.missing).split(' ').map(hex => {
        const [a, b] = [light([1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16))), light(card)].sort((x, y) => y - x);
        return (a + 0.05) / (b + 0.05); }));
    })()""")
    assert worst >= 3


def test_an_area_by_mouse_goes_to_a_selection_and_to_the_grid(mapped, serve, page):
    server = serve(mapped, "--allow-edits")
    page.open(server.address + "/map?map=umap&color=tag")
    page.wait(DRAWN, "the points")
    x, y, width, height = box(page)
    mouse(page, "mousePressed", x + 62, y + 14)
    for px, py in [(0.4, 14), (0.4, height - 34), (62 / width, height - 34)]:
        mouse(page, "mouseMoved", x + px * width, y + py)
    page.following(lambda: mouse(page, "mouseReleased", x + 62, y + 30))
    state = urllib.parse.parse_qs(page.value("location.search")[1:])
    assert state["map"] == ["umap"] and state["color"] == ["tag"] and state["lasso"][0].count("~") >= 2
    assert page.value("document.querySelector('#chosen h2').textContent") == "30 samples in the area"
    assert page.value("document.querySelectorAll('#chosen .tile').length") == 24
    base = {row["id"] for row in query(mapped, "tag = 'base'")}
    # The same address shows the same.
    page.following(lambda: page.call("Page.reload"))
    assert page.value("document.querySelector('#chosen h2').textContent") == "30 samples in the area"
    page.following(lambda: page.click("#chosen a.button"))
    assert page.value("document.getElementById('count').textContent").startswith("30 samples")
    shown = set(page.value("[...document.querySelectorAll('#grid .tile')].map(t => t.dataset.id)"))
    assert shown and shown <= base
    # A condition and the area confine together; the area has a way out.
    page.click("[name=where]")
    page.type("seed = 42")
    page.following(lambda: page.key("Enter"))
    assert page.value("document.getElementById('count').textContent").startswith("6 samples")
    page.following(lambda: page.click(".chips li:last-child a"))
    assert "lasso" not in page.value("location.search")
    page.call("Page.navigateToHistoryEntry", entryId=page.call("Page.getNavigationHistory")["entries"][-4]["id"])
    page.wait("location.pathname === '/map' && document.querySelector('#chosen [name=name]') !== null", "the map again")
    page.click("#chosen [name=name]")
    page.type("left")
    page.following(lambda: page.click("#chosen button[value=area]"))
    assert set(ids_of(mapped, "left")) == base
    assert page.value("location.search") == "?in=left"
    attune("verify", "--corpus", mapped)
    assert page.problems == []


def test_an_area_by_keys(mapped, serve, page):
    server = serve(mapped)
    page.open(server.address + "/map?map=umap")
    page.wait(DRAWN, "the points")
    page.value("document.getElementById('map-area').focus()")
    # The cross begins in the middle; a rectangle from there to the top right.
    page.key(" ")
    for _ in range(60):
        page.call("Input.dispatchKeyEvent", type="keyDown", key="ArrowRight", windowsVirtualKeyCode=39, modifiers=8)
    for _ in range(30):
        page.call("Input.dispatchKeyEvent", type="keyDown", key="ArrowUp", windowsVirtualKeyCode=38, modifiers=8)
    page.key(" ")
    assert "Corner 2" in page.value("document.getElementById('toast').textContent")
    page.following(lambda: page.key("Enter"))
    # Tuned, and the upper half of six prompts.
    assert page.value("document.querySelector('#chosen h2').textContent") == "15 samples in the area"
    # Escape drops corners; Enter on nothing says so.
    page.value("document.getElementById('map-area').focus()")
    page.key(" ")
    page.key("Escape")
    page.key("Enter")
    assert page.value("location.pathname") == "/map"
    assert page.problems == []


def test_an_area_by_numbers_and_a_click_on_a_point(mapped, serve, page):
    server = serve(mapped)
    page.open(server.address + "/map?map=umap&x0=-1&x1=1&y0=-0.5&y1=0.5")
    assert page.value("document.querySelector('#chosen h2').textContent") == "5 samples in the area"
    page.wait(DRAWN, "the points")
    page.value("document.getElementById('map').scrollIntoView({ block: 'center' })")
    x, y, width, height = box(page)
    # Where the script draws the first point.
    place = page.value("""fetch('/api/map?map=umap').then(r => r.arrayBuffer()).then(b => { const n = new DataView(b).getUint32(0, true);
        return [...new Float32Array(b, 4, 2)]; })""")
    xs, ys = (-0.416, 10.816), (-0.2, 5.2)
    px = x + 58 + (place[0] - xs[0]) / (xs[1] - xs[0]) * (width - 70)
    py = y + height - 30 - (place[1] - ys[0]) / (ys[1] - ys[0]) * (height - 40)
    mouse(page, "mousePressed", px, py)
    page.following(lambda: mouse(page, "mouseReleased", px, py))
    assert page.value("location.pathname").startswith("/samples/")
    assert page.problems == []


def test_vectors_that_cannot_be_mapped_are_explained(copy, serve, page, tmp_path):
    rows = query(copy, "--top", 3)
    ids = numpy.array([list(bytes.fromhex(row["id"])) for row in rows], dtype=numpy.uint8)
    bad = numpy.ones((3, 4), dtype=numpy.float32)
    bad[1, 2] = numpy.nan
    numpy.savez(tmp_path / "bad.npz", id=ids, vector=bad)
    import subprocess
    from conftest import ATTUNE
    outcome = subprocess.run(
        [ATTUNE, "annotate", tmp_path / "bad.npz", "--corpus", copy, "--vectors", "--scorer", "odd"], capture_output=True, text=True)
    assert outcome.returncode == 1 and "nan" in outcome.stderr and outcome.stderr.count("\n") == 1
    numpy.savez(tmp_path / "good.npz", id=ids, vector=numpy.ones((3, 4), dtype=numpy.float32))
    attune("annotate", tmp_path / "good.npz", "--corpus", copy, "--vectors", "--scorer", "odd")
    numpy.savez(tmp_path / "wide.npz", id=ids, vector=numpy.ones((3, 5), dtype=numpy.float32))
    outcome = subprocess.run(
        [ATTUNE, "annotate", tmp_path / "wide.npz", "--corpus", copy, "--vectors", "--scorer", "odd"], capture_output=True, text=True)
    assert outcome.returncode == 1 and "give them a name of their own" in outcome.stderr
    server = serve(copy)
    # Three samples of one vector each: a map of one place, and the others are counted.
    page.open(server.address + "/map?map=odd")
    page.wait(DRAWN, "the points")
    assert "3 samples; 61 that fit have no vector odd" in page.value("document.getElementById('count').textContent")
    page.open(server.address + "/map?map=odd&where=" + urllib.parse.quote("mi > 1e9"))
    assert page.value("document.querySelector('.empty h2').textContent") == "No sample to place"
    assert page.problems == []
    page.open(server.address + "/map?map=none")
    assert "there are odd, latents" in page.value("document.querySelector('.warning').textContent")
