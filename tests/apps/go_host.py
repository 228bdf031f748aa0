# Opens the library in Go of the first argument (tests/apps/go_library), and dials, reads or serves by it as go_host.c does.
import ctypes
import signal
import sys

library = ctypes.CDLL(sys.argv[1])
library.GoRead.restype = ctypes.c_char_p
verb, what = sys.argv[2], sys.argv[3]
if verb == "dial":
    print(library.GoDial(what.encode()))
if verb == "read":
    print(library.GoRead(what.encode()).decode())
if verb == "serve":
    print(library.GoServe(int(what)), flush=True)
    signal.pause()
