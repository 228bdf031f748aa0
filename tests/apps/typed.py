# Types at a program on a terminal: argv is the program; standard input is JSON, a list of [pattern, text]: once what was shown since
# the last text fits the pattern, the text is typed. Prints all that was shown. For tests of shells and of questions.
import json, os, pty, re, select, sys

steps = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM="dumb")
    os.execvp(sys.argv[1], sys.argv[1:])
shown = seen = b""


def read():
    global shown, seen
    ready, _, _ = select.select([terminal], [], [], 20)
    try:
        data = os.read(terminal, 65536) if ready else b""
    except OSError:
        data = b""
    shown += data
    seen += data
    return bool(data)


for pattern, text in steps:
    while not re.search(pattern.encode(), seen, re.S):
        if not read():
            sys.stdout.buffer.write(shown)
            sys.exit("nothing was shown that fits " + pattern)
    seen = b""
    os.write(terminal, text.encode())
while read():
    pass
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(status))
