# Runs the command line after the first argument on a terminal of its own and converses with it: the argument is a JSON
# list of [text to wait for, text to type]. Prints what the program wrote and how it ended; 3 when a text did not come.
import json
import os
import pty
import select
import sys

steps = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
written = seen = ""
while True:
    if not select.select([terminal], [], [], 25)[0]:
        break
    try:
        part = os.read(terminal, 4096).decode(errors="replace")
    except OSError:  # the terminal's other end is closed (pty(7))
        break
    if not part:
        break
    written += part
    seen += part
    while steps and steps[0][0] in seen:
        wanted, text = steps.pop(0)
        seen = seen[seen.index(wanted) + len(wanted):]
        os.write(terminal, text.encode())
sys.stdout.write(written.replace("\r", ""))
if steps:
    print("did not come:", steps[0][0])
    os.close(terminal)
    sys.exit(3)
_, status = os.waitpid(pid, 0)
print("ended with", os.waitstatus_to_exitcode(status))
