"""Who is let in, what is refused, and what every answer tells the browser."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import urllib.parse

import pytest

from conftest import ATTUNE, query


def ask(server, path="/", method="GET", headers=None, body=None, host=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{server.port}")
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    if body is not None:
        connection.send(body)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, data


def test_headers_of_every_answer(corpus, reader):
    sample = query(corpus, "--top", 1)[0]["id"]
    for path in ["/", "/samples", f"/samples/{sample}", f"/tiles/{sample}", f"/images/{sample}.png", "/assets/gallery.css",
                 "/nothing", "/samples?where=)", "/api/samples?count=-1", "/runs/done/live"]:
        _, headers, _ = ask(reader, path)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy, path
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY", path
        assert "server" not in headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7878", "127.0.0.1.evil.example", "localhost.evil.example",
                                  "[::ffff:1.2.3.4]", "10.0.0.1", "", "127.0.0.1:99999", "127.0.0.1:x"])
def test_other_hosts_are_refused(reader, host):
    status, _, data = ask(reader, host=host or " ")
    assert status in (400, 421), host
    assert b"/samples" not in data


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_own_names_are_let_in(reader, host):
    assert ask(reader, host=f"{host}:{reader.port}")[0] == 200


def test_read_only_refuses_changes(copy, serve):
    server = serve(copy)
    for path in ["/api/marks", "/votes", "/selections"]:
        status, _, data = ask(server, path, "POST", body=b"{}")
        assert status == 403 and b"--allow-edits" in data


def test_changes_need_the_secret_of_the_page(copy, serve, page):
    server = serve(copy, "--allow-edits")
    sample = query(copy, "--top", 1)[0]["id"]
    _, headers, _ = ask(server)
    cookie = headers["set-cookie"].split(";")[0]
    assert "SameSite=Strict" in headers["set-cookie"] and "HttpOnly" in headers["set-cookie"]
    _, _, html = ask(server, headers={"Cookie": cookie})
    secret = html.split(b'name="csrf" content="')[1].split(b'"')[0].decode()
    body = ('{"marks":[{"id":"%s","name":"stars","value":3}]}' % sample).encode()
    common = {"Content-Type": "application/json", "Cookie": cookie}
    cases = [
        ({}, 403), ({"X-CSRF-Token": "0" * 64}, 403), ({"X-CSRF-Token": secret, "Cookie": "a=b"}, 403),
        ({"X-CSRF-Token": secret, "Origin": "http://evil.example"}, 403),
        ({"X-CSRF-Token": secret, "Origin": "null"}, 403),
        ({"X-CSRF-Token": secret, "Sec-Fetch-Site": "cross-site"}, 403),
        ({"X-CSRF-Token": secret, "Sec-Fetch-Site": "same-site"}, 403),
    ]
    for extra, expected in cases:
        assert ask(server, "/api/marks", "POST", {**common, **extra}, body)[0] == expected, extra
    assert query(copy, "--top", 1)[0]["annotations"] == {}
    own = {"Origin": f"http://127.0.0.1:{server.port}", "Sec-Fetch-Site": "same-origin", "X-CSRF-Token": secret}
    assert ask(server, "/api/marks", "POST", {**common, **own}, body)[0] == 200
    # A form of another site cannot do it either: neither by JSON in a form's clothes nor without the secret.
    form = urllib.parse.urlencode({"first": sample, "second": sample, "winner": 1}).encode()
    typed = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    assert ask(server, "/votes", "POST", typed, form)[0] == 403
    assert ask(server, "/votes", "PUT", typed, form)[0] in (403, 404, 405)


def test_large_bodies_are_refused(copy, serve):
    server = serve(copy, "--allow-edits")
    status, _, _ = ask(server, "/api/marks", "POST", {"Content-Type": "application/json"}, b" " * (2 << 20))
    assert status == 413


def test_nothing_outside_the_corpus_is_served(corpus, reader):
    (corpus.parent / "secret.txt").write_text("confidential-7f3a")
    for path in ["/assets/../attune.json", "/assets/..%2f..%2fattune.json", "/images/..%2f..%2fattune.json",
                 "/images/../attune.json", "/tiles/..%2fattune.json", "/runs/..", "/runs/..%2f..%2fsecret.txt",
                 "/runs/../live", "/runs/%2e%2e/live", "/runs/done/validation/0/..%2f..%2flog.jsonl",
                 "/samples/..%2f..", "/runs/.hidden", "//etc/passwd", "/runs/done%00/live"]:
        status, _, data = ask(reader, path)
        assert status in (400, 404), path
        assert b"confidential-7f3a" not in data and b"root:" not in data and b"attune-corpus" not in data


def test_redirects_stay_here(copy, serve):
    server = serve(copy, "--allow-edits")
    _, headers, html = ask(server)
    cookie = headers["set-cookie"].split(";")[0]
    _, _, html = ask(server, headers={"Cookie": cookie})
    secret = html.split(b'name="csrf" content="')[1].split(b'"')[0].decode()
    first, second = [row["id"] for row in query(copy, "--top", 2)]
    for back in ["//evil.example", "https://evil.example/", "/\\evil.example", "/ok\r\nX: 1"]:
        form = urllib.parse.urlencode({"csrf": secret, "first": first, "second": second, "winner": 0, "back": back})
        status, headers, _ = ask(
            server, "/votes", "POST", {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}, form.encode())
        assert status == 303 and headers["location"] == "/compare", back


def test_token_on_another_address(copy, serve, page):
    server = serve(copy, "--host", "0.0.0.0")
    assert server.token and "token" in server.said
    status, _, data = ask(server)
    assert status == 401 and b"/samples" not in data
    sample = query(copy, "--top", 1)[0]["id"]
    for path in [f"/images/{sample}.png", "/assets/gallery.css", "/api/samples"]:
        assert ask(server, path)[0] == 401, path
    assert ask(server, "/?token=wrong")[0] == 401
    assert ask(server, headers={"Authorization": f"Bearer {server.token}"})[0] == 200
    # Rebinding cannot help: names are checked before tokens, and numbers cannot be rebound.
    assert ask(server, f"/?token={server.token}", host="evil.example")[0] == 421
    page.open(f"{server.address}/samples?view=all&token={server.token}")
    page.wait("document.querySelectorAll('#grid .tile').length", "the grid")
    assert "token" not in page.value("location.href")
    page.wait("[...document.images].every(i => i.loading === 'lazy' || i.complete && i.naturalWidth > 0)", "images")
    assert page.problems == []


def test_queries_end(corpus, serve, page):
    server = serve(corpus, "--query-seconds", "0.5")
    endless = "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c) > 0"
    page.open(server.address + "/samples?where=" + urllib.parse.quote(endless))
    assert "takes longer" in page.value("document.querySelector('.warning').textContent")
    assert page.value("document.querySelector('[name=where]').value") == endless
    for writing in ["1); DELETE FROM sample; --", "(SELECT load_extension('x'))", "1) UNION SELECT key, key FROM sample --"]:
        page.open(server.address + "/samples?where=" + urllib.parse.quote(writing))
    page.problems.clear()
    page.open(server.address + "/samples")
    assert page.value("document.getElementById('count').textContent").startswith("64 samples")


def test_port_in_use_is_one_line(corpus):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        outcome = subprocess.run(
            [str(ATTUNE), "serve", "--corpus", str(corpus), "--port", str(taken.getsockname()[1])],
            capture_output=True, text=True, timeout=60)
    assert outcome.returncode == 1 and outcome.stderr.count("\n") == 1 and "is in use" in outcome.stderr


def test_damage_is_shown_and_the_rest_served(copy, serve, page):
    shard = max(copy.glob("shards/*/*"), key=lambda path: path.stat().st_size)
    server = serve(copy)
    page.open(server.address + "/samples?view=all")
    data = bytearray(shard.read_bytes())
    middle = len(data) // 2
    data[middle:middle + 64] = bytes(64)
    os.chmod(shard, 0o644)
    shard.write_bytes(data)
    server.close()
    server = serve(copy)
    page.problems.clear()
    page.open(server.address + "/")
    assert page.value("document.querySelector('h1') !== null")
    page.open(server.address + "/samples?view=all&size=large")
    page.wait("[...document.images].every(i => i.complete)", "images")
    assert page.value("document.querySelectorAll('.tile').length") > 0
    page.problems.clear()
