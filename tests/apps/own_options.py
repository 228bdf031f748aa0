"""Says what TCP_NODELAY is on a connection it accepts and on one it makes. Arguments: own port, host
and port to dial, how many requests come.

Says "listening" on standard error, answers each request by two writes, then says
"options" with both values and waits for a line, with both connections open. It
sets no option itself.
"""

import socket
import sys

port, host, far = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
listener = socket.create_server(("", port))
print("listening", file=sys.stderr, flush=True)
accepted, _ = listener.accept()
for _ in range(int(sys.argv[4])):
    head = b""
    while b"\r\n\r\n" not in head:
        head += accepted.recv(4096)
    accepted.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
    accepted.sendall(b"ok")
made = socket.create_connection((host, far), 20)
options = [one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for one in (accepted, made)]
print("options", *options, file=sys.stderr, flush=True)
sys.stdin.readline()
