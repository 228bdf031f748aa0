"""Sends datagrams by sockets that are closed at once, and ends.

usage: last_datagrams.py HOST PORT COUNT connect|sendto|one|kill
connect, sendto: a socket for each datagram. one: one socket for all. kill: the same, and the program is killed.
"""

import os
import signal
import socket
import sys


def main():
    host, port, count, how = sys.argv[1:]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    place = (host, int(port))
    shared = socket.socket(family, socket.SOCK_DGRAM)
    for number in range(int(count)):
        text = b"datagram %d" % number
        if how in ("one", "kill"):
            shared.sendto(text, place)
            continue
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            if how == "connect":
                sender.connect(place)
                sender.send(text)
            else:
                sender.sendto(text, place)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)


main()
