"""Binds pairs of addresses to one port and tells what became of each, for tests/program/own_addresses_test.ts.

Arguments: an IPv4 and an IPv6 address of the machine, and "fork" if a child binds the second. Prints a line for each pair.
"""

import errno
import itertools
import os
import socket
import sys

first_port = 8000
hosts = ["0.0.0.0", "127.0.0.1", sys.argv[1], "::", "::1", sys.argv[2]]
forks = "fork" in sys.argv
options = {
    "none": None,
    "reuse address": (socket.SOL_SOCKET, socket.SO_REUSEADDR),
    "reuse port": (socket.SOL_SOCKET, socket.SO_REUSEPORT),
    "only IPv6": (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY),
}


def bound(host, port, kind, option, listens):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, kind)
    try:
        if options[option] is not None and not (option == "only IPv6" and family == socket.AF_INET):
            made.setsockopt(*options[option], 1)
        made.bind((host, port))
        if listens and kind == socket.SOCK_STREAM:
            made.listen(5)
        return made, "ok"
    except OSError as error:
        made.close()
        return None, errno.errorcode[error.errno]


def in_child(*arguments):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, bound(*arguments)[1].encode())
        os._exit(0)
    os.close(writing)
    result = os.read(reading, 100).decode()
    os.waitpid(child, 0)
    os.close(reading)
    return result


port = first_port
for kind, listens in [(socket.SOCK_STREAM, True), (socket.SOCK_STREAM, False), (socket.SOCK_DGRAM, False)]:
    for option, one, other in itertools.product(options, hosts, hosts):
        port += 1
        held, result = bound(one, port, kind, option, listens)
        if forks:
            second = in_child(other, port, kind, option, True)
        else:
            also, second = bound(other, port, kind, option, True)
            if also is not None:
                also.close()
        if held is not None:
            held.close()
        print(kind.name, "listens" if listens else "is bound", option, one, other, result, second, flush=True)
