"""A server that answers each request before it has read it, and closes: early_answer.py HOST PORT."""

import socket
import sys

BODY = b"too large" * 1000
HEAD = b"HTTP/1.1 413 Too Large\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(BODY)


def main():
    host, port = sys.argv[1:]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = socket.create_server((host, int(port)), family=family, dualstack_ipv6=host == "::")
    print("listening", port, file=sys.stderr, flush=True)
    while True:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(HEAD + BODY)


main()
