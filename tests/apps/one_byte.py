"""Reads everything by one byte at a time: a file, the answer of a server, the requests of a client.

file PATH          the SHA-256 of what os.read(fd, 1) gives, and a read of the rest after 20,000 bytes
talk HOST PORT     asks a server, sends and receives single bytes, and prints the answer's last line
serve PORT         answers one request, which it reads and answers byte by byte, with the request's own bytes
"""

import hashlib
import os
import socket
import sys


def read_file(path):
    digest = hashlib.sha256()
    fd = os.open(path, os.O_RDONLY)
    left = 20_000
    while data := os.read(fd, 1 if left > 0 else 1 << 20):
        digest.update(data)
        left -= 1
    print(digest.hexdigest(), flush=True)


def send_bytes(peer, content):
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for index in range(len(content)):
        peer.sendall(content[index : index + 1])


def read_until(peer, end):
    content = b""
    while not content.endswith(end):
        byte = peer.recv(1)
        if not byte:
            break
        content += byte
    return content


def talk(host, port):
    with socket.create_connection((host, int(port))) as peer:
        send_bytes(peer, b"GET /bytes/5000 HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n")
        read_until(peer, b"\r\n\r\n")
        print(hashlib.sha256(read_until(peer, b"no such end")).hexdigest(), flush=True)


def serve(port):
    listener = socket.create_server(("", int(port)))
    print("listening on", port, file=sys.stderr, flush=True)
    peer, _ = listener.accept()
    with peer:
        head = read_until(peer, b"\r\n\r\n")
        send_bytes(peer, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(head), head))


{"file": read_file, "talk": talk, "serve": serve}[sys.argv[1]](*sys.argv[2:])
