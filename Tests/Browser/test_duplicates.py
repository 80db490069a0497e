"""Near-duplicates: groups with the best first, kept and rejected by click and key."""

from __future__ import annotations

import json

import pytest
from PIL import Image, ImageEnhance, ImageOps

from conftest import attune, query
from devtools import wait_for


@pytest.fixture
def doubled(copy, tmp_path):
    """Three photographs of noise in large cells, each with two changed copies."""
    import random
    draws = random.Random(11)
    folder = tmp_path / "doubled"
    folder.mkdir()
    with (folder / "metadata.jsonl").open("w") as metadata:
        for number in range(3):
            small = Image.new("RGB", (12, 12))
            small.putdata([tuple(draws.randrange(256) for _ in range(3)) for _ in range(144)])
            image = small.resize((240, 240), Image.BICUBIC)
            for name, changed in [("a", image), ("b", ImageOps.mirror(image)), ("c", ImageEnhance.Brightness(image).enhance(1.08))]:
                changed.save(folder / f"{number}{name}.jpg", quality=88)
                metadata.write(json.dumps({"file_name": f"{number}{name}.jpg", "text": f"noise {number}"}) + "\n")
    attune("import", folder, "--corpus", copy, "--format", "imagefolder", "--fit", "keep", "--tag", "noise")
    rows = query(copy, "tag = 'noise'")
    scores = tmp_path / "scores.jsonl"
    scores.write_text("".join(json.dumps({"id": row["id"], "score": place}) + "\n" for place, row in enumerate(rows)))
    attune("annotate", scores, "--corpus", copy, "--scorer", "liked")
    return copy


ADDRESS = "/duplicates?by=liked&where=tag+%3D+%27noise%27"


def groups(page, address):
    page.open(address)
    page.wait("document.querySelector('.near, .empty, .warning') !== null", "the groups", 60)
    return page.value("[...document.querySelectorAll('.near')].map(g => [...g.querySelectorAll('.tile')].map(t => t.dataset.id))")


def test_groups_are_those_of_the_command(doubled, serve, page):
    server = serve(doubled, "--allow-edits")
    shown = groups(page, server.address + ADDRESS)
    listed = json.loads(attune("duplicates", "--corpus", doubled, "--where", "tag = 'noise'", "--json", "--rank", "liked"))
    assert sorted(shown) == sorted([[each["id"] for each in group["samples"]] for group in listed["groups"]])
    assert [len(group) for group in shown] == [3, 3, 3]
    assert "3 groups among 9 samples; 6 are not the best of theirs" in page.value("document.getElementById('count').textContent")
    # The best by the score is first, and marked.
    liked = {row["id"]: row["annotations"]["liked"] for row in query(doubled, "tag = 'noise'")}
    for group in shown:
        assert liked[group[0]] == max(liked[each] for each in group)
    assert page.value("[...document.querySelectorAll('.near')].every(g => g.querySelector('.tile').classList.contains('chosen'))")
    assert page.problems == []


def test_keep_and_reject_by_click_and_key(doubled, serve, page):
    server = serve(doubled, "--allow-edits")
    first, second, third = groups(page, server.address + ADDRESS)
    # The button of the first group.
    page.click(".near:nth-of-type(1) button[data-keep]")
    # By key: the second of the second group is kept alone.
    page.value("document.querySelectorAll('.near')[1].querySelectorAll('.tile a')[1].focus()")
    page.key("k")
    # By click and key in the third: one kept, one rejected, one rejection taken back.
    page.value("document.querySelectorAll('.near')[2].querySelectorAll('.tile a')[0].focus()")
    for key in [" ", "ArrowRight", "x", "ArrowRight", "x", "x"]:
        page.key(key)
    def marks():
        # The column is there once the first mark is stored.
        values = [row.get("annotations", {}).get("pick", 0) for row in query(doubled, "tag = 'noise'")]
        return sum(v > 0 for v in values) == 3 and sum(v < 0 for v in values) == 5

    wait_for(marks, "the marks", 15)
    assert {row["id"] for row in query(doubled, "pick > 0")} == {first[0], second[1], third[0]}
    assert {row["id"] for row in query(doubled, "pick < 0")} == {*first[1:], second[0], second[2], third[1]}
    # They are there when the page is loaded again.
    groups(page, server.address + ADDRESS)
    assert page.value("document.querySelectorAll('.near .rejected').length") == 5
    assert page.value("document.querySelectorAll('.near [aria-pressed=true]').length") == 8
    attune("verify", "--corpus", doubled)
    assert page.problems == []


def test_read_only_pages_change_nothing(doubled, serve, page):
    server = serve(doubled)
    before = sorted(path.name for path in doubled.glob("shards/*/*"))
    shown = groups(page, server.address + ADDRESS)
    assert len(shown) == 3 and page.value("document.querySelectorAll('.near button').length") == 0
    page.key("ArrowRight")
    page.key("x")
    assert "read-only" in page.value("document.getElementById('toast').textContent")
    assert sorted(path.name for path in doubled.glob("shards/*/*")) == before


def test_thresholds_and_empty_pages(doubled, serve, page):
    server = serve(doubled)
    assert groups(page, server.address + "/duplicates?threshold=0&where=tag+%3D+%27noise%27") == []
    assert page.value("document.querySelector('.empty h2').textContent") == "No near-duplicates"
    groups(page, server.address + "/duplicates?threshold=7")
    assert "from 0 to 1.4" in page.value("document.querySelector('.warning').textContent")
    # One that puts all into one group is an error in words, by vectors here: all are as good as the same.
    groups(page, server.address + "/duplicates?near=latents&threshold=1.4&where=tag+IS+NOT+NULL")
    assert "not stored yet" in page.value("document.querySelector('.warning').textContent")
