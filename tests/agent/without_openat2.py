# Runs a program as on a kernel before 5.6: openat2(2) is ENOSYS (seccomp(2)). `without_openat2.py PROGRAM [ARG...]`.

import ctypes
import os
import struct
import sys

LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
SET_SECCOMP, SET_NO_NEW_PRIVS = 22, 38
OPENAT2, ENOSYS = 437, 38

rows = [(LOAD, 0, 0, 0), (EQUAL, 0, 1, OPENAT2), (RETURN, 0, 0, ERRNO | ENOSYS), (RETURN, 0, 0, ALLOW)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *row) for row in rows))
program = struct.pack("HxxxxxxQ", len(rows), ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(SET_SECCOMP, 2, program, 0, 0) != 0:
    raise OSError(ctypes.get_errno(), "no filter")
os.execvp(sys.argv[1], sys.argv[1:])
