"""Sends bytes and ends, in one of the ways a program can.

usage: last_bytes.py HOST PORT SIZE [close|end|kill|reset|fork]
"""

import os
import signal
import socket
import struct
import sys


def main():
    host, port, size, how = [*sys.argv[1:], "close"][:4]
    if how == "fork" and os.fork() > 0:
        os._exit(3)  # the child sends after its parent ended
    connection = socket.create_connection((host, int(port)))
    connection.sendall(bytes(range(250)) * (int(size) // 250))
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "end":
        os._exit(0)
    if how == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


main()
