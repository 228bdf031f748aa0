# Runs the command line after it on a terminal of its own and types Ctrl-C each time the program says "ready N" (N counts
# from 0). Prints what the program wrote and how it ended.
import os
import pty
import sys

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
written, typed = b"", 0
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:  # the terminal's other end is closed (pty(7))
        break
    if not part:
        break
    written += part
    while b"ready %d\r" % typed in written:
        typed += 1
        os.write(terminal, b"\x03")
_, status = os.waitpid(pid, 0)
sys.stdout.write(written.decode().replace("\r", ""))
print("ended with", os.waitstatus_to_exitcode(status))
