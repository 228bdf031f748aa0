# Runs the command line after it as a shell with job control runs a job, on a terminal of its own. A line
# "stop" on standard input types Ctrl-Z, "go" is fg. Standard error has what the terminal shows, and what
# became of the job: "job stopped", "job ended with N". SIGTERM ends the job.
import os
import pty
import signal
import sys
import termios
import threading


class Ended(Exception):
    pass


def end(*_):
    raise Ended


def shell(terminal, orders, argv):
    """The terminal's session leader; never returns."""
    os.setsid()
    terminal = os.open(os.ttyname(terminal), os.O_RDWR)  # becomes the controlling one
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(terminal, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        for number in range(3):
            os.dup2(terminal, number)
        os.execvp(argv[0], argv)
    signal.signal(signal.SIGTERM, end)
    try:
        while os.WIFSTOPPED(status := os.waitpid(job, os.WUNTRACED)[1]):
            os.tcsetpgrp(terminal, os.getpid())
            os.write(2, b"job stopped\n")
            os.read(orders, 3)
            os.tcsetpgrp(terminal, job)
            os.killpg(job, signal.SIGCONT)
    except Ended:
        os.killpg(job, signal.SIGTERM)
        os.killpg(job, signal.SIGCONT)
        status = os.waitpid(job, 0)[1]
    os.write(2, b"job ended with %d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


controller, terminal = pty.openpty()
modes = termios.tcgetattr(terminal)
modes[1] &= ~termios.OPOST  # lines end as they were written
modes[3] &= ~termios.ECHO  # no ^Z in them
termios.tcsetattr(terminal, termios.TCSANOW, modes)
orders, to_shell = os.pipe()
leader = os.fork()
if leader == 0:
    os.close(controller)
    os.close(to_shell)
    shell(terminal, orders, sys.argv[1:])
os.close(terminal)
signal.signal(signal.SIGTERM, lambda *_: os.kill(leader, signal.SIGTERM))


def obey():
    for line in sys.stdin:
        os.write(*((controller, b"\x1a") if line == "stop\n" else (to_shell, line.encode())))


threading.Thread(target=obey, daemon=True).start()
try:
    while part := os.read(controller, 4096):
        os.write(2, part)
except OSError:  # the terminal's other end is closed (pty(7))
    pass
os.waitpid(leader, 0)
os._exit(0)
