"""Picks, stars, tags, selections and votes, by key and click, and what becomes of them in the corpus."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request

from conftest import attune, query
from devtools import wait_for


def test_picks_stars_and_tags_by_key_become_annotations(copy, serve, page):
    server = serve(copy, "--allow-edits")
    page.open(server.address + "/samples?view=all&where=" + urllib.parse.quote("tag = 'base'"))
    expected = [row["id"] for row in query(copy, "tag = 'base'", "--by", "mi")]
    for key in ["ArrowRight", " ", "5", "ArrowRight", "x", "ArrowRight", " ", "3", "ArrowRight", " ", " "]:
        page.key(key)
    assert page.value("document.getElementById('pick-count').textContent") == "2 picked, 1 rejected in sight"
    assert page.value("document.activeElement.getAttribute('aria-label')").startswith("")
    wait_for(lambda: "stars" in attune("annotations", "--corpus", copy), "the marks to be sealed", 10)
    wait_for(lambda: len(query(copy, "pick > 0")) == 2, "the picks", 10)
    assert {row["id"] for row in query(copy, "pick > 0")} == {expected[0], expected[2]}
    assert [row["id"] for row in query(copy, "pick < 0")] == [expected[1]]
    assert [row["id"] for row in query(copy, "stars >= 3", "--by", "stars")] == [expected[0], expected[2]]
    # They are there when the page is loaded again.
    page.open(server.address + "/samples?view=all&where=" + urllib.parse.quote("tag = 'base'"))
    assert page.value("document.querySelectorAll('.tile.picked').length") == 2
    assert page.value("document.querySelector('.tile .marks').textContent") == "✓ ★★★★★"
    # Stored as a selection by a form.
    page.click("#picks [name=name]")
    page.type("mine")
    page.following(lambda: page.click("#picks button[value=picks]"))
    shown = json.loads(attune("show", "mine", "--corpus", copy, "--json"))
    assert page.value("location.search") == "?in=mine"
    assert page.value("document.querySelectorAll('#grid .tile').length") == 2
    assert {row["id"] for row in query(copy, "pick > 0")} == set(ids_of(copy, "mine")), shown
    # Sealed as all annotations are.
    attune("verify", "--corpus", copy)


def ids_of(corpus, name) -> list[str]:
    digest = json.loads((corpus / "refs" / f"{name}.json").read_text())[-1]["digest"]
    return json.loads((corpus / "selections" / f"{digest}.json").read_text())["ids"]


def test_sample_page_marks_tags_and_membership(copy, serve, page):
    server = serve(copy, "--allow-edits")
    sample = query(copy, "tag = 'base'", "--by", "mi", "--top", 1)[0]["id"]
    outside = query(copy, "tag = 'base'", "--by", "mi")[-1]["id"]
    page.open(f"{server.address}/samples/{sample}")
    page.click("button[data-mark=stars][data-value='4']")
    page.click("button[data-mark=pick][data-value='1']")
    page.click("#tag-form [name=tag]")
    page.type("good_hands")
    page.key("Enter")
    assert page.value("document.querySelectorAll('.stars [aria-pressed=true]').length") == 4
    wait_for(lambda: "tag_good_hands" in attune("annotations", "--corpus", copy), "the tag", 10)
    assert [row["id"] for row in query(copy, "tag_good_hands = 1 AND stars = 4 AND pick = 1")] == [sample]
    page.open(f"{server.address}/samples/{outside}")
    before = ids_of(copy, "best")
    assert outside not in before
    page.following(lambda: page.click("button[aria-label='Add to best']"))
    assert ids_of(copy, "best") == before + [outside]
    page.following(lambda: page.click("button[aria-label='Remove from best']"))
    assert ids_of(copy, "best") == before
    assert page.problems == []


def test_two_browsers_on_one_selection_lose_nothing(copy, serve, browser):
    server = serve(copy, "--allow-edits")
    lowest = [row["id"] for row in query(copy, "tag = 'base'", "--by", "mi")[-2:]]
    first, second = browser.page(), browser.page()
    try:
        for page, sample in zip([first, second], lowest):
            page.open(f"{server.address}/samples/{sample}")
        before = ids_of(copy, "best")
        first.following(lambda: first.click("button[aria-label='Add to best']"))
        second.following(lambda: second.click("button[aria-label='Add to best']"))
        assert "changed meanwhile" in second.value("document.querySelector('.warning').textContent")
        assert ids_of(copy, "best") == before + lowest[:1]
        second.open(f"{server.address}/samples/{lowest[1]}")
        second.following(lambda: second.click("button[aria-label='Add to best']"))
        assert ids_of(copy, "best") == before + lowest
    finally:
        first.close()
        second.close()


def test_blind_comparison_of_base_and_tuned(copy, serve, page):
    server = serve(copy, "--allow-edits")
    page.open(server.address + "/compare")
    page.following(lambda: page.click("form.sides button.primary"))
    assert "blind=1" in page.value("location.search")
    pairs = int(page.value("document.querySelector('main p.quiet').textContent.match(/of (\\d+)/)[1]"))
    assert pairs == 30
    swapped = 0
    base = {row["id"]: row for row in query(copy, "tag = 'base'")}
    for number in range(pairs):
        text = page.value("document.querySelector('main').innerText.toLowerCase()")
        assert "adapter" not in text and "tuned" not in text.replace("hidden until", "")
        assert "hidden" in page.value("document.querySelector('main').innerText") or number == pairs
        shown = page.value("[...document.querySelectorAll('#versus input[name=first], #versus input[name=second]')].map(i => i.value)")
        swapped += shown[0] not in base
        # The tuned image wins two times in three; some are as good as each other.
        winner = "0" if number % 10 == 9 else str(1 + (shown[0] in base)) if number % 3 else str(1 + (shown[0] not in base))
        page.following(lambda: page.key(winner))
    assert 3 < swapped < 27
    result = page.value("document.getElementById('result').innerText")
    rows = query(copy, "votes IS NOT NULL")
    assert len(rows) == 60 and sum(row["annotations"]["votes"] for row in rows) == 0
    wins = sum(row["annotations"]["votes"] > 0 for row in rows if row["id"] in base)
    losses = sum(row["annotations"]["votes"] < 0 for row in rows if row["id"] in base)
    assert f"{wins} preferred" in result and f"{losses} preferred" in result and "95 % interval" in result
    assert wins + losses + 3 == 30
    assert page.problems == []


def test_votes_on_two_samples(copy, serve, page):
    server = serve(copy, "--allow-edits")
    first, second = [row["id"] for row in query(copy, "prompt = 'a red circle'", "--by", "mi", "--top", 2)]
    page.open(f"{server.address}/samples?view=all&prompt=a+red+circle")
    for key in ["ArrowRight", "c", "ArrowRight"]:
        page.key(key)
    page.following(lambda: page.key("c"))
    assert page.value("location.search") == f"?a={first}&b={second}"
    page.following(lambda: page.key("2"))
    rows = {row["id"]: row["annotations"]["votes"] for row in query(copy, "votes IS NOT NULL")}
    assert rows == {first: -1, second: 1}


def test_bad_marks_are_refused_whole(copy, serve, page):
    server = serve(copy, "--allow-edits")
    page.open(server.address + "/")
    good = query(copy, "--top", 1)[0]["id"]
    before = sorted(path.name for path in copy.glob("shards/*/*"))
    cases = [
        ({"id": good, "name": "stars", "value": 9}, "stars"), ({"id": good, "name": "mi", "value": 9}, "is not a mark"),
        ({"id": "zz", "name": "stars", "value": 1}, "not a sample"), ({"id": "0" * 64, "name": "stars", "value": 1}, "no such sample"),
        ({"id": good, "name": "tag_A b", "value": 1}, "a–z"), ({"id": good, "name": "pick", "value": 0.5}, "pick is"),
    ]
    for mark, words in cases:
        said = page.value(
            "attune.post('/api/marks', { marks: [{ id: '%s', name: 'stars', value: 1 }, %s] }).then(() => 'stored', e => e.message)"
            % ("0" * 64 if "no such" in words else good, json.dumps(mark)))
        assert words in said, (mark, said)
    page.problems.clear()
    assert sorted(path.name for path in copy.glob("shards/*/*")) == before
