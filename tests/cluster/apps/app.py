"""The target of the tests: an HTTP/1.1 server that answers with what it saw.

Every answer says {"by": "original"}, so a test can tell it from the user's own
process. It reads bodies of known length and chunked ones, and keeps
connections open. Under /bytes/N, /chunked/N and /eof/N it sends N
deterministic bytes, framed by a length, by chunks, or by the end of the
connection. Only the standard library is used.
"""

import hashlib
import json
import os
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHUNK = 64 * 1024


def pattern(length):
    """`length` bytes in blocks; byte i is i modulo 251 (a prime: no block size hides a shift)."""
    period = bytes(range(251))
    block = period * (CHUNK // len(period))
    while length > 0:
        part = block[:length]
        yield part
        length -= len(part)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.read_body()
        route, _, count = self.path.lstrip("/").partition("/")
        if route in ("bytes", "chunked", "eof") and count.isdigit():
            self.send_pattern(route, int(count))
        else:
            self.send_report(body)

    def read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self.read_chunks()
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def read_chunks(self):
        parts = []
        while length := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(length))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return b"".join(parts)

    def send_report(self, body):
        report = {
            "by": "original",
            "method": self.command,
            "path": self.path,
            "headers": list(self.headers.items()),
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "body_length": len(body),
            "peer": self.client_address[0],
        }
        content = json.dumps(report).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def send_pattern(self, framing, length):
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        if framing == "bytes":
            self.send_header("Content-Length", str(length))
        elif framing == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Connection", "close")  # also makes the base class close
        self.end_headers()
        if self.command == "HEAD":
            return
        for part in pattern(length):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if framing == "chunked" else part)
        if framing == "chunked":
            self.wfile.write(b"0\r\n\r\n")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, format, *args):
        print(self.client_address[0], format % args, flush=True)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host, port):
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), Handler)

    def server_bind(self):
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def main():
    # The first process of a container has no default action for signals.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = Server(os.environ.get("LISTEN", "::"), int(os.environ.get("PORT", "80")))
    print("listening on", server.server_address[0], server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
