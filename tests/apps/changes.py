"""Tries to change the files of a folder in every way that wants to read them too, and prints what came of each as JSON
lines. Argument: the folder."""
import ctypes
import dbm.ndbm
import errno
import json
import os
import sqlite3
import sys
import tempfile

top = sys.argv[1]
libc = ctypes.CDLL(None, use_errno=True)


def attempt(name, work):
    try:
        result = work()
    except OSError as error:
        result = errno.errorcode.get(error.errno, str(error))
    except Exception as error:
        result = f"{type(error).__name__} {error}"
    print(json.dumps([name, result]), flush=True)


def opened(path, flags, **more):
    fd = os.open(path, flags, 0o644, **more)
    try:
        return os.read(fd, 20).decode()
    finally:
        os.close(fd)


def stream(path, mode):
    with open(path, mode) as file:
        return file.read(20)


def failed(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def select(path):
    with sqlite3.connect(path) as db:
        return db.execute("select text from words").fetchall()


def insert(path):
    with sqlite3.connect(path) as db:
        db.execute("insert into words values ('more')")


def spawned(flags):
    action = (os.POSIX_SPAWN_OPEN, 0, file, flags, 0o644)
    pid = os.posix_spawn("/usr/bin/cat", ["cat"], {}, file_actions=[action])
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


file, large, folder = (os.path.join(top, name) for name in ("file", "large", "folder"))
inside = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
RW, CREATE = os.O_RDWR, os.O_CREAT
for path in (file, large):
    attempt("O_RDWR", lambda: opened(path, RW))
    attempt("O_RDWR|O_CREAT", lambda: opened(path, RW | CREATE))
    attempt("O_RDWR|O_CREAT|O_EXCL", lambda: opened(path, RW | CREATE | os.O_EXCL))
    attempt("O_RDWR|O_TRUNC", lambda: opened(path, RW | os.O_TRUNC))
    attempt("O_RDWR|O_APPEND", lambda: opened(path, RW | os.O_APPEND))
    attempt("O_RDONLY|O_CREAT", lambda: opened(path, CREATE))
    attempt("O_RDONLY|O_CREAT|O_EXCL", lambda: opened(path, CREATE | os.O_EXCL))
    for mode in ("r+", "w+", "a+", "x+", "r+b"):
        attempt(mode, lambda: str(stream(path, mode)))
attempt("O_RDWR of a folder", lambda: opened(folder, RW))
attempt("O_RDONLY|O_CREAT of a folder", lambda: opened(folder, CREATE))
attempt("O_RDWR of what is not there", lambda: opened(top + "/none", RW))
attempt("O_RDWR through a link", lambda: opened(top + "/link", RW))
attempt("O_RDWR through a link, O_NOFOLLOW", lambda: opened(top + "/link", RW | os.O_NOFOLLOW))
attempt("O_RDWR of a link to nowhere", lambda: opened(top + "/dangling", RW))
attempt("O_TMPFILE", lambda: opened(top, RW | os.O_TMPFILE))
attempt("a new file, O_RDWR", lambda: opened(top + "/new", RW | CREATE))
attempt("openat", lambda: opened("file", RW, dir_fd=inside))
attempt("openat, created", lambda: opened("file", RW | CREATE, dir_fd=inside))
attempt("mkstemp", lambda: tempfile.mkstemp(dir=top)[1])
attempt("libc's mkstemp", lambda: failed(libc.mkstemp(ctypes.create_string_buffer(f"{top}/t-XXXXXX".encode()))))
attempt("mkdtemp", lambda: tempfile.mkdtemp(dir=top))
attempt("mkdir", lambda: os.mkdir(top + "/made"))
attempt("mkdir of what is there", lambda: os.mkdir(folder))
attempt("makedirs of what is there", lambda: os.makedirs(folder, exist_ok=True))
attempt("mkdir at", lambda: os.mkdir("made", dir_fd=inside))
attempt("rename", lambda: os.rename(file, top + "/renamed"))
attempt("rename over", lambda: os.rename(file, large))
attempt("link", lambda: os.link(file, top + "/linked"))
attempt("symlink", lambda: os.symlink("file", top + "/linked"))
attempt("symlink at what is there", lambda: os.symlink("file", large))
attempt("mkfifo", lambda: os.mkfifo(top + "/fifo"))
attempt("truncate", lambda: os.truncate(file, 2))
attempt("chmod", lambda: os.chmod(file, 0o600))
attempt("chmod of what is not there", lambda: os.chmod(top + "/none", 0o600))
attempt("chown", lambda: os.chown(file, 1, 1))
attempt("utime", lambda: os.utime(file, (1, 1)))
attempt("unlink", lambda: os.unlink(file))
attempt("rmdir", lambda: os.rmdir(folder))
attempt("sqlite3 reads", lambda: select(top + "/db"))
attempt("sqlite3 writes", lambda: insert(top + "/db"))
attempt("sqlite3 reads by a URI", lambda: select(f"file:{top}/db"))
attempt("ndbm", lambda: str(dbm.ndbm.open(top + "/ndbm", "c")))
attempt("posix_spawn, O_RDWR", lambda: spawned(RW))
attempt("posix_spawn, O_RDWR|O_CREAT", lambda: spawned(RW | CREATE))
attempt("the folder", lambda: sorted(os.listdir(top)))
attempt("the file", lambda: stream(file, "r"))
