"""The developer's program of the end-to-end tests.

Answers as the target does (tests/cluster/apps/app.py), but as {"by": "local"},
with its process, both addresses of the connection as it sees them, and the
variables whose names the request asks for (?env=A&env=B). PORT and LISTEN say
where it listens, LOCAL_PORTS of further ports; /echo is a WebSocket that sends
back what it gets. It says "listening" on standard error once clients can come,
and with TELL what it saw of each request.
"""

import base64
import hashlib
import json
import os
import sys
import threading
import urllib.parse

sys.dont_write_bytecode = True  # the folder is the repository
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cluster", "apps"))
import app  # noqa: E402

HANDSHAKE = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


class Handler(app.Handler):
    def send_report(self, body):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        own = self.connection.getsockname()
        report = {
            "by": os.environ.get("ANSWER_AS", "local"),
            "pid": os.getpid(),
            "method": self.command,
            "path": self.path,
            "headers": list(self.headers.items()),
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "body_length": len(body),
            "peer": self.client_address[0].removeprefix("::ffff:"),
            "peer_port": self.client_address[1],
            "own": own[0].removeprefix("::ffff:"),
            "own_port": own[1],
            "env": {name: os.environ.get(name) for name in query.get("env", [])},
        }
        if "X-Load" in self.headers:
            self.server.loads += 1
            if self.server.loads == 2:  # so the first one was answered
                print("loaded", file=sys.stderr, flush=True)
        if "TELL" in os.environ:
            told = f"saw {self.command} {self.path} {report['body_sha256'][:16]} {report['peer']}\n"
            sys.stderr.write(told)  # in one piece: other threads write too
            sys.stderr.flush()
        content = json.dumps(report).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_GET(self):
        if self.headers.get("Upgrade", "").lower() == "websocket":
            return self.echo()
        return self.answer()

    def echo(self):
        """Sends the frames back as they came, which a masked echo may: only bytes are compared."""
        key = self.headers["Sec-WebSocket-Key"].encode()
        accept = base64.b64encode(hashlib.sha1(key + HANDSHAKE).digest()).decode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept)
        self.send_header("X-By", "local")
        self.end_headers()
        while data := self.connection.recv(65536):
            self.connection.sendall(data)
        self.close_connection = True

    def log_message(self, format, *args):
        pass


class Server(app.Server):
    loads = 0  # requests of a load

    def __init__(self, host, port):
        super().__init__(host, port)
        self.RequestHandlerClass = Handler


def main():
    host = os.environ.get("LISTEN", "::")
    servers = []
    for port in [os.environ.get("PORT", "80"), *os.environ.get("LOCAL_PORTS", "").split()]:
        try:
            servers.append(Server(host, int(port)))
        except OSError as error:
            print(f"cannot listen on {port}: {error.strerror} ({error.errno})", file=sys.stderr, flush=True)
            sys.exit(3)
    names = [server.socket.getsockname()[:2] for server in servers]
    print("listening", *(f"{address} {port}" for address, port in names), file=sys.stderr, flush=True)
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    servers[0].serve_forever()


if __name__ == "__main__":
    main()
