"""A small registry that can lie, stall, refuse and break off, for tests of Attune's client. Standard library only.

  odd_registry.py [CERTIFICATE KEY]      over TLS where a certificate is given

It keeps blobs and manifests in memory, prints its port on the first line, and answers these beside the distribution API:
  POST /control   {"faults": [...], "auth": "none|basic|bearer", "state": QUERY} sets what goes wrong from now on
  GET  /log       what it was asked: [{"method", "path", "authorization", "range", "length", "host"}, ...]
A fault is {"kind": K, "match": REGEX over "METHOD PATH", "times": N, ...}. Kinds: status (code, headers), cut (after
bytes of the answer), cut_request (after bytes of the request), flip (a byte of the answer), stall (seconds), digest (a false
Docker-Content-Digest), longer (extra bytes, no length), redirect (to; DIGEST in it stands for the one asked for), norange
(ignores Range), drop_upload, success (code for what would be another 2xx), headers (drop: names, set: [[name, value]]; with success too), nolength,
location (prefix: put before the path of a Location), accept (bytes of a PATCH that are taken), limit (bytes of a request,
more is answered by 413), mounted (201 to a POST, as if the blob was there). "state" is a query that uploads carry; it must
come back byte for byte.
"""
import base64
import hashlib
import json
import re
import ssl
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

blobs, manifests, uploads, log = {}, {}, {}, []
state = {"faults": [], "auth": "none", "realm": None, "state": "_state=x%3D%3D"}
lock = threading.Lock()
USER, PASSWORD, TOKEN = "tester", "s3cret-pass", "tok-3n"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def fault(self):
        line = f"{self.command} {self.path}"
        with lock:
            for fault in state["faults"]:
                if fault.get("times", 1) != 0 and re.search(fault["match"], line):
                    fault["times"] = fault.get("times", 1) - 1
                    return fault
        return {}

    def reply(self, status, body=b"", headers=(), content_type="application/octet-stream", length=None):
        fault = self.active
        kind = fault.get("kind")
        headers = list(headers)
        if kind == "digest":
            headers = [h for h in headers if h[0] != "Docker-Content-Digest"]
            headers.append(("Docker-Content-Digest", "sha256:" + "0" * 64))
        if kind == "success" and status < 300:
            status = fault["code"]
        if kind == "nolength":
            length = 0
        if kind in ("success", "headers"):
            changed = [name for name, _ in fault.get("set", [])] + fault.get("drop", [])
            headers = [h for h in headers if h[0] not in changed] + [tuple(h) for h in fault.get("set", [])]
        if kind == "location":
            headers = [(n, fault["prefix"] + v if n == "Location" else v) for n, v in headers]
        if kind == "flip" and body:
            at = fault.get("at", len(body) // 2) % len(body)
            body = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        if kind == "longer":
            body += b"x" * fault.get("bytes", 1)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        if kind == "longer":
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command == "HEAD":
            return
        if kind == "cut":
            self.wfile.write(body[: fault.get("after", 0)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
            return
        if kind == "drip":
            for at in range(0, len(body), 64):
                self.wfile.write(body[at : at + 64])
                self.wfile.flush()
                time.sleep(fault["seconds"])
            return
        self.wfile.write(body)

    def error(self, status, code, headers=()):
        text = json.dumps({"errors": [{"code": code, "message": code.lower().replace("_", " ")}]}).encode()
        self.reply(status, text, headers, "application/json")

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.path)
        if parts.path == "/control":
            state.update(json.loads(self.rfile.read(length)))
            log.clear()
            self.active = {}
            return self.reply(200, b"{}")
        if parts.path == "/log":
            self.active = {}
            return self.reply(200, json.dumps(log).encode())
        log.append(
            {
                "method": self.command,
                "path": self.path,
                "authorization": self.headers.get("Authorization"),
                "range": self.headers.get("Range"),
                "length": length,
                "host": self.headers.get("Host"),
            }
        )
        self.active = self.fault()
        kind = self.active.get("kind")
        if kind == "cut_request":
            self.rfile.read(min(length, self.active.get("after", 0)))
            self.close_connection = True
            return self.connection.close()
        body = self.rfile.read(length)
        if kind == "stall":
            time.sleep(self.active["seconds"])
        if kind == "status":
            return self.error(self.active["code"], "MADE_UP", [tuple(h) for h in self.active.get("headers", [])])
        if kind == "redirect":
            to = self.active["to"].replace("DIGEST", parts.path.rsplit("/", 1)[-1])
            return self.reply(307, headers=[("Location", to)])
        if kind == "limit" and length > self.active["bytes"]:
            return self.reply(413)
        if kind == "mounted":
            return self.reply(201, headers=[("Location", "/v2/team/set/blobs/there")])
        if kind == "drop_upload":
            uploads.clear()
            return self.error(404, "BLOB_UPLOAD_UNKNOWN")
        if parts.path == "/token":
            if self.headers.get("Authorization") != "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode():
                return self.error(401, "UNAUTHORIZED")
            text = json.dumps({"token": TOKEN, "expires_in": state.get("expires", 300)}).encode()
            return self.reply(200, text, content_type="application/json")
        if not self.authorized():
            return
        self.route(parts, body)

    def authorized(self):
        given = self.headers.get("Authorization")
        host = self.headers.get("Host")
        if state["auth"] == "basic":
            if given == "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode():
                return True
            self.error(401, "UNAUTHORIZED", [("WWW-Authenticate", 'Basic realm="tests"')])
            return False
        if state["auth"] == "bearer":
            if given == f"Bearer {TOKEN}":
                return True
            realm = state["realm"] or f"http://{host}/token"
            value = f'Bearer realm="{realm}",service="tests",scope="repository:team/set:pull,push"'
            self.error(401, "UNAUTHORIZED", [("WWW-Authenticate", value)])
            return False
        return True

    def route(self, parts, body):
        path, query = parts.path, parse_qs(parts.query)
        if path == "/v2/":
            return self.reply(200, b"{}")
        if m := re.fullmatch(r"/v2/(.+)/blobs/uploads/", path):
            name = uuid.uuid4().hex
            uploads[name] = b""
            return self.reply(202, headers=[("Location", f"/v2/{m[1]}/blobs/uploads/{name}?{state['state']}")])
        if m := re.fullmatch(r"/v2/(.+)/blobs/uploads/(\w+)", path):
            if m[2] not in uploads:
                return self.error(404, "BLOB_UPLOAD_UNKNOWN")
            if not parts.query.startswith(state["state"]):
                return self.error(400, "BLOB_UPLOAD_INVALID")
            here = [("Location", path + "?" + state["state"])]
            if self.command == "PATCH":
                start = int((self.headers.get("Content-Range") or "0-").split("-")[0])
                if start != len(uploads[m[2]]):
                    return self.error(416, "RANGE_INVALID")
                uploads[m[2]] += body[: self.active["bytes"]] if self.active.get("kind") == "accept" else body
            if self.command in ("PATCH", "GET"):
                span = ("Range", f"0-{max(len(uploads[m[2]]) - 1, 0)}")
                return self.reply(202 if self.command == "PATCH" else 204, headers=here + [span])
            if self.command == "PUT":
                data = uploads.pop(m[2]) + body
                wanted = query["digest"][0]
                if digest(data) != wanted:
                    return self.error(400, "DIGEST_INVALID")
                blobs[wanted] = data
                return self.reply(201, headers=[("Docker-Content-Digest", wanted)])
        if m := re.fullmatch(r"/v2/(.+)/blobs/(sha256:\w+)", path):
            if m[2] not in blobs:
                return self.error(404, "BLOB_UNKNOWN")
            data = blobs[m[2]]
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
            if self.command == "HEAD":
                return self.reply(200, length=len(data))
            if asked and self.active.get("kind") != "norange":
                start = int(asked[1])
                span = ("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
                return self.reply(206, data[start:], [span])
            return self.reply(200, data)
        if m := re.fullmatch(r"/v2/(.+)/manifests/(.+)", path):
            if self.command == "PUT":
                manifests[m[2]] = manifests[digest(body)] = body
                return self.reply(201, headers=[("Docker-Content-Digest", digest(body))])
            if m[2] not in manifests:
                return self.error(404, "MANIFEST_UNKNOWN")
            data = manifests[m[2]]
            kind = "application/vnd.oci.image.manifest.v1+json"
            return self.reply(200, data, [("Docker-Content-Digest", digest(data))], kind)
        self.error(404, "NOT_FOUND")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = handle_any


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
# A connection that breaks is the point here, not news.
server.handle_error = lambda *_: None
print(server.server_address[1], flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
server.serve_forever()
