"""Prints "PID PEER_PORT TCP_NODELAY" for each connected TCP socket that the processes named as arguments have.

The sockets themselves are asked, by a copy of each descriptor (pidfd_getfd(2)). Needs root.
"""

import ctypes
import os
import socket
import sys

PIDFD_GETFD = 438  # the same on every machine
libc = ctypes.CDLL(None, use_errno=True)


def connected(pid):
    """Its connected TCP sockets, as copies."""
    pidfd = os.pidfd_open(pid)
    for name in os.listdir(f"/proc/{pid}/fd"):
        fd = libc.syscall(PIDFD_GETFD, pidfd, int(name), 0)
        if fd < 0:
            continue  # closed meanwhile
        try:
            if not os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(fd)) as one:
                if one.proto == socket.IPPROTO_TCP:
                    yield one, one.getpeername()[1]
        except OSError:
            pass  # it listens
        finally:
            os.close(fd)
    os.close(pidfd)


for argument in sys.argv[1:]:
    for one, port in connected(int(argument)):
        print(argument, port, one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
