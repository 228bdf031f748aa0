"""Posts 30 MB to a server that answers early, COUNT times, and prints status and size of each answer.

A client that stops at its first failed send (as curl does) loses the answer to the server's reset now and then, with
any server of this kind. This one reads on: what the kernel received before the reset is still there.

early_posts.py HOST PORT COUNT
"""

import socket
import sys

SIZE = 30_000_000
CHUNK = bytes(1 << 18)
HEAD = b"POST / HTTP/1.1\r\nHost: test\r\nX-User: me\r\nContent-Length: %d\r\n\r\n" % SIZE


def post(host, port):
    answer = b""
    with socket.create_connection((host, port)) as connection:
        try:
            connection.sendall(HEAD)
            for _ in range(SIZE // len(CHUNK)):
                connection.sendall(CHUNK)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            while chunk := connection.recv(65536):
                answer += chunk
        except ConnectionResetError:
            pass
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b" ")[1].decode() if b" " in head else "none"
    print(status, len(body), flush=True)


def main():
    host, port, count = sys.argv[1:]
    for _ in range(int(count)):
        post(host, int(port))


main()
