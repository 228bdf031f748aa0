# What a local user tries at another's session: argv is the session's folder and the processes (mirrord, the app). Prints one word for
# each thing that worked. The same user's own try shows that each would work where nothing forbids it.
import ctypes, glob, os, signal, socket, stat, sys

folder, pids = sys.argv[1], [int(pid) for pid in sys.argv[2:]]
libc = ctypes.CDLL(None, use_errno=True)


def works(name, attempt):
    try:
        if attempt():
            print(name)
    except OSError:
        pass


def connects():
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(glob.glob(folder + "/s/layer.sock")[0] if os.access(folder, os.R_OK) else folder + "/s/layer.sock")
    return True


def written(path):
    with open(path, "w") as file:
        file.write("x")
    os.unlink(path)
    return True


def attached(pid):
    if libc.ptrace(0x4206, pid, 0, 0) != 0:  # PTRACE_SEIZE
        return False
    libc.ptrace(17, pid, 0, 0)
    return True


works("lists the folder", lambda: os.listdir(folder))
works("writes to the folder", lambda: written(folder + "/planted"))
works("reads the layer", lambda: open(folder + "/libmirrord_layer.so", "rb").read(1))
works("connects to the session", connects)
for pid in pids:
    works("reads variables", lambda: open(f"/proc/{pid}/environ", "rb").read(1))
    works("lists descriptors", lambda: os.listdir(f"/proc/{pid}/fd"))
    works("reads the map", lambda: open(f"/proc/{pid}/maps", "rb").read(1))
    works("opens the memory", lambda: open(f"/proc/{pid}/mem", "rb"))
    works("looks into its root", lambda: os.listdir(f"/proc/{pid}/cwd"))
    works("signals", lambda: os.kill(pid, signal.SIGWINCH) is None)
    works("traces", lambda: attached(pid))
