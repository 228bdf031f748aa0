"""The listener inside the target. original.py ADDRESS PORT KIND; prints "ready" when it listens.

http    HTTP/1.1 with keep-alive; answers say who was asked for what on which connection (see Handler)
echo    sends back every byte, half-closes after the peer did
greet   sends a line first, then as echo
bytes   answers each HTTP/1 head with the bytes it came as
count   reads to the end, answers with how many bytes came, then closes
shut    closes every connection at once
"""
import hashlib, http.server, itertools, socket, socketserver, sys, threading

address, port, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
numbers = itertools.count(1)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.number = next(numbers)

    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                if size == 0:
                    while self.rfile.readline().strip():
                        pass
                    return body
                body += self.rfile.read(size)
                self.rfile.readline()
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, text, status=200, **headers):
        body = text.encode()
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def any(self):
        if self.path == "/early":
            self.close_connection = True
            return self.answer("too large", 413, Connection="close")
        if self.path == "/upgrade":
            self.send_response_only(101)
            self.send_header("Connection", "Upgrade")
            self.send_header("Upgrade", "echo")
            self.end_headers()
            self.close_connection = True
            while chunk := self.rfile.read1(65536):
                self.wfile.write(chunk)
            return
        if self.path == "/eof":
            self.close_connection = True
            self.send_response_only(200)
            self.end_headers()
            self.wfile.write(b"until the end")
            return
        if self.path == "/chunked":
            self.send_response_only(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"3\r\none\r\n3;x=y\r\ntwo\r\n0\r\nX-Trailer: yes\r\n\r\n")
            return
        if self.path == "/bye":
            self.close_connection = True
            return self.answer("bye")
        body = self.body()
        digest = hashlib.sha256(body).hexdigest()[:8]
        self.answer(f"original {self.number} {self.command} {self.path} {len(body)} {digest}")

    do_GET = do_HEAD = do_POST = do_PUT = any

    def do_CONNECT(self):
        self.send_response_only(200)
        self.end_headers()
        self.close_connection = True
        while chunk := self.rfile.read1(65536):
            self.wfile.write(chunk)


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        if kind == "shut":
            return
        if kind == "greet":
            self.request.sendall(b"220 the original\r\n")
        if kind == "bytes":
            heard = b""
            while chunk := self.request.recv(65536):
                *heads, heard = (heard + chunk).split(b"\r\n\r\n")
                for head in heads:
                    head += b"\r\n\r\n"
                    self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(head), head))
            return
        count = 0
        while chunk := self.request.recv(65536):
            count += len(chunk)
            if kind != "count":
                self.request.sendall(chunk)
        if kind == "count":
            self.request.sendall(b"%d bytes" % count)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    handle_error = lambda *_: None  # a peer that resets is none
    address_family = socket.AF_INET6 if ":" in address else socket.AF_INET


server = Server((address, port), Handler if kind == "http" else Echo)
sys.stdout.write("ready\n")
sys.stdout.flush()
server.serve_forever()
