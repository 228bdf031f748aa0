# Finds the calls of libc as Python programs do that speak C: by libc's own handle, and in a process' own symbols. Dials the host and
# port of the arguments and reads the file, by each; prints the errno or what was read.
import ctypes
import socket
import struct
import sys

host, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
name = struct.pack("=H", socket.AF_INET) + struct.pack(">H", port) + socket.inet_aton(host) + bytes(8)
for library in ("libc.so.6", None):
    libc = ctypes.CDLL(library, use_errno=True)
    with socket.socket() as one:
        status = libc.connect(one.fileno(), name, len(name))
        print(status and ctypes.get_errno())
    into = ctypes.create_string_buffer(64)
    fd = libc.open(path.encode(), 0)
    print(libc.read(fd, into, 64), into.value)
