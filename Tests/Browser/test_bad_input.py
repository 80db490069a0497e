"""What goes wrong while a corpus is served: a clear page each, and nothing lost."""

from __future__ import annotations

import os
import subprocess
import threading
import urllib.parse

from conftest import ATTUNE, attune, query
from test_security import ask


def test_packed_while_it_is_served(copy, serve, page):
    # Small shards, of which pack makes one.
    server = serve(copy)
    ids = [row["id"] for row in query(copy)]
    failures = []
    done = threading.Event()

    def look():
        while not done.is_set():
            for sample in ids[:20]:
                for path in [f"/tiles/{sample}", f"/images/{sample}.png", f"/samples/{sample}"]:
                    status, _, data = ask(server, path)
                    if status != 200:
                        failures.append((path, status, data[:300]))

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        before = len(list(copy.glob("shards/*/*.h5")))
        attune("pack", "--corpus", copy)
        attune("gc", "--corpus", copy, "--grace", "0")
        assert len(list(copy.glob("shards/*/*.h5"))) < before
        page.open(server.address + "/samples?view=all")
        page.open(server.address + "/map")
        page.wait("document.getElementById('map') !== null", "the map", 30)
        page.open(server.address + "/duplicates")
        page.wait("document.querySelector('.near, .empty, .warning') !== null", "the groups", 30)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert failures == []
    page.open(server.address + "/samples?view=all")
    assert page.value("document.getElementById('count').textContent").startswith(f"{len(ids)} samples")
    page.wait("[...document.images].every(i => i.loading === 'lazy' || i.complete && i.naturalWidth > 0)", "images")
    assert page.problems == []


def test_map_and_duplicates_of_a_damaged_corpus(copy, serve, page):
    shards = sorted(copy.glob("shards/*/*.h5"), key=lambda path: path.stat().st_size)
    damaged = shards[-1]
    data = bytearray(damaged.read_bytes())
    for place in range(2000, len(data) - 2000, 997):
        data[place] ^= 0xFF
    os.chmod(damaged, 0o644)
    damaged.write_bytes(data)
    server = serve(copy)
    # The map shows what can be read.
    page.open(server.address + "/map")
    page.wait("document.querySelector('#map, .warning') !== null", "the map", 30)
    shown = page.value("document.getElementById('count') && document.getElementById('count').textContent")
    assert shown and "samples" in shown, page.value("document.body.innerText")
    # The search for near-duplicates says what is in its way, and confined to the rest it works.
    page.open(server.address + "/duplicates")
    page.wait("document.querySelector('.near, .empty, .warning') !== null", "an answer", 30)
    text = page.value("document.querySelector('main').innerText")
    assert "damaged" in text or "verify" in text or "groups among" in text, text
    assert server.process.poll() is None


def test_a_threshold_that_makes_one_group_of_all(copy, serve, page):
    outcome = subprocess.run(
        [ATTUNE, "duplicates", "--corpus", copy, "--by", "latents", "--threshold", "1.4", "--where", "latent_shape <> ''"],
        capture_output=True, text=True)
    # 1 - cos reaches 2: not all are within 1.4 of each other, but chains are.
    assert outcome.returncode in (0, 1)
    if outcome.returncode == 1:
        told = [line for line in outcome.stderr.splitlines() if line.startswith("attune:")]
        assert len(told) == 1 and "into one group: choose a lower one" in told[0]
        server = serve(copy)
        page.open(server.address + "/duplicates?near=latents&threshold=1.4&where=latent_shape+%3C%3E+%27%27")
        page.wait("document.querySelector('.warning') !== null", "the reason", 30)
        assert "into one group" in page.value("document.querySelector('.warning').textContent")


def test_long_prompts_on_every_page(corpus, reader, page):
    long = [row for row in query(corpus, "length(prompt) > 9000")]
    assert len(long) == 1
    for address in ["/samples?prompt=" + urllib.parse.quote(long[0]["prompt"]), "/map?color=prompt",
                    "/duplicates?threshold=1&where=" + urllib.parse.quote("length(prompt) > 9000"), f"/samples/{long[0]['id']}"]:
        page.problems.clear()
        page.open(reader.address + address)
        assert page.value("document.documentElement.scrollWidth <= innerWidth"), address
        assert page.problems == [] and page.value("window.hacked") is None, address


def test_endless_queries_on_every_page(corpus, serve, page):
    server = serve(corpus, "--query-seconds", "0.5")
    endless = urllib.parse.quote("(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c) > 0")
    for address in ["/map?where=", "/duplicates?where=", "/compare?right=selection:best&left=where:"]:
        page.open(server.address + address + endless)
        assert "takes longer" in page.value("document.querySelector('.warning').textContent"), address
    page.problems.clear()
    page.open(server.address + "/samples")
    assert page.problems == []
