# A process of the target that tries to read, write, trace, hold up and end the agent. Run by target_process_test.ts and
# target_process_cluster_test.ts: `target_process.py PID USER CAPABILITIES [AS]`. It becomes USER with CAPABILITIES (hexadecimal),
# and with AS "other" the agent's own user before it has only these. Standard output: JSON, what succeeded.
# PID 0: everything is tried on an ordinary process that has USER and CAPABILITIES too.

import ctypes
import errno
import json
import os
import resource
import struct
import sys
import threading

libc = ctypes.CDLL(None, use_errno=True)
X86 = os.uname().machine == "x86_64"
NR = (
    dict(tgkill=234, tkill=200, ptrace=101, readv=310, writev=311, pidfd_open=434, pidfd_getfd=438, kcmp=312,
         robust=274, prlimit=302, affinity=203, capset=126, prctl=157, ioprio=251, madvise=440, move_pages=279,
         queue=297, tgqueue=297, pidfd_signal=424, setresuid=117, setresgid=119, setgroups=116, scheduler=144)
    if X86 else
    dict(tgkill=131, tkill=130, ptrace=117, readv=270, writev=271, pidfd_open=434, pidfd_getfd=438, kcmp=272,
         robust=100, prlimit=261, affinity=122, capset=91, prctl=167, ioprio=30, madvise=440, move_pages=239,
         queue=138, tgqueue=240, pidfd_signal=424, setresuid=147, setresgid=149, setgroups=159, scheduler=119)
)
PTRACE_ATTACH, PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 16, 17, 0x4206, 0x4207
HARMLESS = (0, 17, 23, 28)  # SIGCHLD, SIGURG, SIGWINCH do nothing to who does not ask for them


def call(number, *args):
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def become(user, capabilities, group=None):
    call(NR["prctl"], 8, 1, 0, 0, 0)  # PR_SET_KEEPCAPS
    if user != os.getuid():
        group = user if group is None else group
        call(NR["setgroups"], 0, 0)
        call(NR["setresgid"], group, group, group)
        call(NR["setresuid"], user, user, user)
    low, high = capabilities & 0xFFFFFFFF, capabilities >> 32
    header = struct.pack("II", 0x20080522, 0)
    call(NR["capset"], header, struct.pack("IIIIII", low, low, 0, high, high, 0))


def victim(user, capabilities):
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        become(user, capabilities)
        call(NR["prctl"], 4, 1, 0, 0, 0)  # PR_SET_DUMPABLE
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        os.write(told, b"x")
        os.close(told)
        threading.Event().wait()
    os.read(ready, 1)
    return child


def permitted(work, *allowed):
    """An errno that comes after the check of rights counts as a success."""
    try:
        work()
        return True
    except OSError as error:
        return error.errno in allowed


def opened(path, flags):
    def work():
        fd = os.open(path, flags)
        try:
            if flags & 3 == os.O_RDONLY and not os.path.isdir(path):
                os.read(fd, 1)
            elif flags & 3 == os.O_RDWR:
                os.lseek(fd, 0, 0)
        finally:
            os.close(fd)
    return work


def written(path, text):
    def work():
        with open(path, "r+b" if os.access(path, os.R_OK) else "wb", buffering=0) as file:
            file.write(text)
    return work


def copied(path):
    """Writes back what is there: the right is what is tried."""
    def work():
        with open(path, "rb", buffering=0) as file:
            text = file.read(64)
        written(path, text)()
    return work


def traced(thread, request):
    def work():
        call(NR["ptrace"], request, thread, 0, 0)
        if request == PTRACE_SEIZE:
            call(NR["ptrace"], PTRACE_INTERRUPT, thread, 0, 0)
        os.waitpid(thread, 0x40000000)  # __WALL
        call(NR["ptrace"], PTRACE_DETACH, thread, 0, 0)
    return work


def vm(number, pid):
    here = ctypes.create_string_buffer(8)
    local = struct.pack("QQ", ctypes.addressof(here), 8)
    remote = struct.pack("QQ", 0x1000, 8)
    return lambda: call(number, pid, local, 1, remote, 1, 0)


def pidfd(pid, then):
    def work():
        fd = call(NR["pidfd_open"], pid, 0)
        try:
            then(fd)
        finally:
            os.close(fd)
    return work


def attempts(pid, threads, every):
    base = f"/proc/{pid}"
    for name in "environ maps smaps auxv syscall personality io".split():
        yield f"read {name}", opened(f"{base}/{name}", os.O_RDONLY), ()
    for name in "root cwd exe".split():
        yield f"link {name}", lambda name=name: os.readlink(f"{base}/{name}"), ()
    yield "open root", opened(f"{base}/root/", os.O_RDONLY), ()
    yield "open exe", opened(f"{base}/exe", os.O_RDONLY), ()
    for name in "fd map_files ns".split():
        yield f"link in {name}", lambda name=name: [
            os.readlink(f"{base}/{name}/{one}") for one in os.listdir(f"{base}/{name}")], ()
    for task in [base] + [f"{base}/task/{one}" for one in threads]:
        label = "" if task == base else " of a thread"
        yield f"read memory{label}", opened(f"{task}/mem", os.O_RDONLY), (errno.EIO,)
        yield f"write memory{label}", opened(f"{task}/mem", os.O_RDWR), ()
        yield f"environ{label}", opened(f"{task}/environ", os.O_RDONLY), ()
        yield f"files{label}", lambda task=task: [os.readlink(f"{task}/fd/{one}") for one in os.listdir(f"{task}/fd")], ()
    for thread in threads:
        yield "ptrace attach", traced(thread, PTRACE_ATTACH), ()
        yield "ptrace seize", traced(thread, PTRACE_SEIZE), ()
        yield "process_vm_readv", vm(NR["readv"], thread), (errno.EFAULT,)
        yield "process_vm_writev", vm(NR["writev"], thread), (errno.EFAULT,)
        yield "get_robust_list", lambda thread=thread: call(
            NR["robust"], thread, ctypes.byref(ctypes.c_long()), ctypes.byref(ctypes.c_long())), ()
        yield "kcmp", lambda thread=thread: call(NR["kcmp"], os.getpid(), thread, 1, 0, 0), ()
        yield "sched_setaffinity", lambda thread=thread: os.sched_setaffinity(thread, os.sched_getaffinity(thread)), ()
        yield "sched_setscheduler", lambda thread=thread: os.sched_setscheduler(
            thread, os.SCHED_OTHER, os.sched_param(0)), ()
        yield "setpriority", lambda thread=thread: os.setpriority(
            os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread)), ()
        yield "ioprio_set", lambda thread=thread: call(NR["ioprio"], 1, thread, 2 << 13 | 4), ()
        yield "move_pages", lambda thread=thread: call(NR["move_pages"], thread, 0, 0, 0, 0, 0), ()
    yield "pidfd_getfd", pidfd(pid, lambda fd: os.close(call(NR["pidfd_getfd"], fd, 0, 0))), ()
    yield "prlimit", lambda: resource.prlimit(pid, resource.RLIMIT_CORE, resource.prlimit(pid, resource.RLIMIT_CORE)), ()
    for number in range(65) if every else HARMLESS:
        yield "kill", lambda number=number: os.kill(pid, number), ()
        yield "pidfd_send_signal", pidfd(pid, lambda fd, number=number: call(NR["pidfd_signal"], fd, number, 0, 0)), ()
        for thread in threads:
            yield "tgkill", lambda thread=thread, number=number: call(NR["tgkill"], pid, thread, number), ()
            yield "tkill", lambda thread=thread, number=number: call(NR["tkill"], thread, number), ()
    for name in "oom_score_adj coredump_filter".split():
        yield f"write {name}", copied(f"{base}/{name}"), ()
    yield "write clear_refs", written(f"{base}/clear_refs", b"1"), ()


def main():
    pid, user, capabilities = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3], 16)
    if os.getpgrp() != os.getpid():
        os.setsid()  # SIGCONT within a session needs no right
    chosen = pid == 0
    if chosen:
        pid = victim(user, capabilities)
    group = None
    if sys.argv[4:] == ["other"]:
        group = 0
        with open(f"/proc/{pid}/status") as status:
            user = int([line.split()[1] for line in status if line.startswith("Uid:")][0])
    become(user, capabilities, group)
    threads = [int(one) for one in os.listdir(f"/proc/{pid}/task")]
    # What would end or stop the victim is tried where nothing lesser went through.
    found = {}
    for name, work, later in attempts(pid, threads, every=False):
        found[name] = permitted(work, *later) or found.get(name, False)
    if not any(found.get(name) for name in ("kill", "tgkill", "tkill", "pidfd_send_signal")):
        for name, work, later in attempts(pid, threads, every=True):
            found[name] = permitted(work, *later) or found.get(name, False)
    if chosen:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    json.dump({"threads": len(threads), "succeeded": sorted(name for name, done in found.items() if done),
               "failed": sorted(name for name, done in found.items() if not done)}, sys.stdout)


main()
