"""Serves and asks ports of loopback by TCP and UDP, for tests/program/debuggers_test.ts.

loopback.py serve PORT...        answers "this machine" on each, prints "ready" when it does
loopback.py ask PROTOCOL:PORT... prints a line for each: who answered, or the errno
"""

import errno
import socket
import sys
import threading

def serve(port):
    stream = socket.create_server(("127.0.0.1", port))
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", port))

    def answer_streams():
        while True:
            connection, _ = stream.accept()
            connection.recv(100)
            connection.sendall(b"this machine")
            connection.close()

    def answer_datagrams():
        while True:
            _, peer = datagrams.recvfrom(100)
            datagrams.sendto(b"this machine", peer)

    for answer in (answer_streams, answer_datagrams):
        threading.Thread(target=answer, daemon=True).start()


def asked(kind, port):
    try:
        with socket.socket(socket.AF_INET, kind) as asking:
            asking.settimeout(10)
            asking.connect(("127.0.0.1", port))
            asking.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = asking.recv(12).decode(errors="replace")
            return answer if answer == "this machine" else "another"
    except OSError as error:
        return "timed out" if error.errno is None else errno.errorcode[error.errno]


if sys.argv[1] == "serve":
    for one in sys.argv[2:]:
        serve(int(one))
    print("ready", flush=True)
    sys.stdin.read()
else:
    kinds = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
    for one in sys.argv[2:]:
        protocol, port = one.split(":")
        print(asked(kinds[protocol], int(port)), flush=True)
