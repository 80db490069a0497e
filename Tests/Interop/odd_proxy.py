"""An HTTP proxy for tests of Attune's client: whatever it is asked for lies on one port of this machine. Standard library only.

  odd_proxy.py PORT [--user NAME:PASSWORD] [--refuse STATUS]

Prints its port on the first line. GET /log, asked of the proxy itself: what it was asked, [{"line", "authorization"}, ...].
"""
import argparse
import base64
import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--user")
parser.add_argument("--refuse", type=int)
options = parser.parse_args()
log = []


def pump(source, target):
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def is_refused(self):
        given = self.headers.get("Proxy-Authorization")
        log.append({"line": f"{self.command} {self.path}", "authorization": given})
        if options.user and given != "Basic " + base64.b64encode(options.user.encode()).decode():
            self.answer(407, headers=[("Proxy-Authenticate", 'Basic realm="proxy"')])
            return True
        if options.refuse:
            self.answer(options.refuse)
            return True
        return False

    def do_CONNECT(self):
        if self.is_refused():
            return
        self.close_connection = True
        other = socket.create_connection(("127.0.0.1", options.port))
        self.send_response(200)
        self.end_headers()
        back = threading.Thread(target=pump, args=(other, self.connection), daemon=True)
        back.start()
        pump(self.connection, other)
        back.join()

    def any(self):
        if self.path == "/log":
            return self.answer(200, json.dumps(log).encode())
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if self.is_refused():
            return
        # The first line as an origin server wants it, and one answer to the end of the connection.
        parts = urlsplit(self.path)
        target = self.path[len(f"{parts.scheme}://{parts.netloc}") :]
        head = f"{self.command} {target} HTTP/1.1\r\n"
        for name, value in self.headers.items():
            if name.lower() not in ("proxy-authorization", "proxy-connection", "connection"):
                head += f"{name}: {value}\r\n"
        other = socket.create_connection(("127.0.0.1", options.port))
        other.sendall((head + "Connection: close\r\n\r\n").encode("latin1") + body)
        self.close_connection = True
        pump(other, self.connection)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = any


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
server.handle_error = lambda *_: None
print(server.server_address[1], flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
server.serve_forever()
