"""A target with probes of every kind: probed.py KIND=PORT ..., of http, https, tcp, grpc and counts.

Each port answers as the kubelet wants it; counts (on 127.0.0.1) answers with how often each was asked so, as JSON. The
certificate of https is in CERT and KEY. gRPC is HTTP/2 as far as one call of grpc.health.v1.Health/Check needs it.
"""
import collections, http.server, json, os, socket, socketserver, ssl, struct, sys, tempfile, threading

asked = collections.Counter()


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = f"{self.server.kind} {self.path} {self.headers.get('X-Probe', '-')} {self.headers.get('User-Agent')}"
        asked[name.split("/1.")[0]] += 1
        body = b"original\n" if self.server.kind != "counts" else json.dumps(asked).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Word(socketserver.BaseRequestHandler):
    def handle(self):
        if self.request.recv(1) == b"":
            asked["tcp"] += 1


def frame(kind, flags, stream, body=b""):
    return struct.pack(">I", len(body))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + body


class Grpc(socketserver.StreamRequestHandler):
    def handle(self):
        if self.rfile.read(24) != b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":
            return
        self.wfile.write(frame(4, 0, 0))
        while len(head := self.rfile.read(9)) == 9:
            length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
            stream = int.from_bytes(head[5:], "big")
            body = self.rfile.read(length)
            if kind == 4 and not flags & 1:
                self.wfile.write(frame(4, 1, 0))
            if kind == 6 and not flags & 1:
                self.wfile.write(frame(6, 1, 0, body))
            if kind == 0 and flags & 1:
                asked["grpc"] += 1
                # :status 200, content-type; SERVING; grpc-status 0 (RFC 7541, appendix A; health.proto)
                self.wfile.write(frame(1, 4, stream, b"\x88\x0f\x10\x10application/grpc"))
                self.wfile.write(frame(0, 0, stream, b"\0\0\0\0\x02\x08\x01"))
                self.wfile.write(frame(1, 5, stream, b"\0\x0bgrpc-status\x010"))


def serve(kind, port):
    handler = {"tcp": Word, "grpc": Grpc}.get(kind, Web)
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    socketserver.ThreadingTCPServer.daemon_threads = True
    server = socketserver.ThreadingTCPServer(("127.0.0.1" if kind == "counts" else "", port), handler)
    server.kind = kind
    server.handle_error = lambda *_: None
    if kind == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile("w", dir="/dev/shm") as file:
            file.write(os.environ["CERT"] + os.environ["KEY"])
            file.flush()
            context.load_cert_chain(file.name)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever).start()


for one in sys.argv[1:]:
    kind, port = one.split("=")
    serve(kind, int(port))
