"""Uses a tree of files as an ordinary program does, and prints what it saw as JSON lines.

Runs unchanged in the pod and, with the pod's files, on the developer's machine:
the lines must be the same. Arguments: what to do (make, read, change, small,
many, fail) and the folder.
"""

import errno
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys

WORDS = ["plain.txt", "with space.txt", "ünicode-名前.txt", ".hidden", "empty", "dir/inner.txt", "dir/deep/er/leaf"]


def say(*words):
    print(json.dumps(words, ensure_ascii=False, default=str), flush=True)


def attempt(name, function, *arguments, **options):
    """Says the result, or the error by its name."""
    try:
        say(name, function(*arguments, **options))
    except OSError as error:
        say(name, errno.errorcode.get(error.errno, str(error.errno)))


def digest(path):
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(65536):
            sha.update(part)
    return sha.hexdigest()


def make(root):
    """The tree that `read` reads; made in the pod, by the pod."""
    for number, word in enumerate(WORDS):
        path = os.path.join(root, word)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write("" if word == "empty" else f"{word}\n" * (number + 1))
    with open(os.path.join(root, "large.bin"), "wb") as file:
        file.write(bytes(range(256)) * 4096 * 3)
    os.symlink("plain.txt", os.path.join(root, "link"))
    os.symlink("../plain.txt", os.path.join(root, "dir", "up"))
    os.symlink("nowhere", os.path.join(root, "dangling"))
    os.link(os.path.join(root, "plain.txt"), os.path.join(root, "hard"))
    os.chmod(os.path.join(root, "plain.txt"), 0o640)
    os.chmod(os.path.join(root, "dir"), 0o751)
    os.utime(os.path.join(root, "empty"), (1_000_000_000, 1_234_567_890.5))


def facts(path):
    """What lstat(2) says, but for times that a copy of the tree would change."""
    found = os.lstat(path)
    kind = stat.filemode(found.st_mode)
    size = found.st_size if not stat.S_ISDIR(found.st_mode) else "-"
    return [kind, size, found.st_nlink if not stat.S_ISDIR(found.st_mode) else "-", found.st_uid, found.st_gid]


def read(root):
    for folder, names, files in sorted(os.walk(root)):
        say("folder", folder, sorted(names), sorted(files))
        for name in sorted(names + files):
            path = os.path.join(folder, name)
            say("lstat", path, facts(path), os.path.exists(path), os.path.isdir(path), os.path.islink(path))
            if os.path.islink(path):
                attempt("readlink", os.readlink, path)
            if os.path.isfile(path):
                say("content", path, digest(path), os.stat(path).st_size)
    for name in ["plain.txt", "empty", "dir", "link", "dangling", "missing"]:
        path = os.path.join(root, name)
        say("access", name, [os.access(path, mode) for mode in (os.F_OK, os.R_OK)])
    say("mtime", os.stat(os.path.join(root, "empty")).st_mtime_ns)
    entries = sorted((entry.name, entry.is_dir(), entry.is_symlink(), entry.stat(follow_symlinks=False).st_size if entry.is_file() else "-") for entry in os.scandir(root))
    say("scandir", entries)
    positions(root)
    shared(root)


def positions(root):
    """lseek, pread and readv on one descriptor, of a small and of a large file."""
    for name in ["plain.txt", "large.bin"]:
        fd = os.open(os.path.join(root, name), os.O_RDONLY)
        say("seek", os.lseek(fd, -5, os.SEEK_END), os.read(fd, 3).hex(), os.lseek(fd, 0, os.SEEK_CUR))
        say("pread", os.pread(fd, 7, 2).hex(), os.lseek(fd, 0, os.SEEK_CUR))
        os.lseek(fd, 1, os.SEEK_SET)
        buffers = [bytearray(3), bytearray(4)]
        say("readv", os.readv(fd, buffers), [bytes(one).hex() for one in buffers])
        say("fstat", os.fstat(fd).st_size, os.fstat(fd).st_mode)
        os.close(fd)


def shared(root):
    """One position over dup, fork and a child that gets the file as its standard input."""
    for name in ["plain.txt", "large.bin"]:
        path = os.path.join(root, name)
        fd = os.open(path, os.O_RDONLY)
        twin = os.dup(fd)
        say("dup", os.read(fd, 4).hex(), os.read(twin, 4).hex())
        if os.fork() == 0:
            os.read(twin, 4)
            os._exit(0)
        os.wait()
        say("fork", os.read(fd, 4).hex(), os.lseek(twin, 0, os.SEEK_CUR))
        os.close(fd)
        os.close(twin)
        with open(path, "rb") as file:
            child = subprocess.run(["/usr/bin/sha256sum"], stdin=file, capture_output=True, check=True)
        say("child", child.stdout.decode())


def change(root):
    path = os.path.join(root, "new.txt")
    with open(path, "w") as file:
        file.write("first\n")
        file.flush()
        os.fsync(file.fileno())
    with open(path, "a") as file:
        file.write("second\n")
    with open(path, "r+") as file:
        file.seek(2)
        file.write("XX")
    say("written", open(path).read())
    fd = os.open(path, os.O_RDWR)
    say("pwrite", os.pwrite(fd, b"middle", 4), os.pread(fd, 100, 0).decode())
    os.ftruncate(fd, 8)
    os.lseek(fd, 0, os.SEEK_END)
    say("writev", os.writev(fd, [b"one", b"two"]), os.fstat(fd).st_size)
    os.close(fd)
    say("exclusive", *refused(lambda: os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)))
    os.makedirs(os.path.join(root, "a/b/c"))
    say("mkdir", *refused(lambda: os.mkdir(os.path.join(root, "a"))))
    say("rmdir", *refused(lambda: os.rmdir(os.path.join(root, "a"))))
    os.rename(path, os.path.join(root, "a/b/moved.txt"))
    os.rename(os.path.join(root, "a/b"), os.path.join(root, "z"))
    os.rmdir(os.path.join(root, "z/c"))
    say("unlink", *refused(lambda: os.unlink(path)))
    with open(os.path.join(root, "big.bin"), "wb") as file:
        for number in range(48):
            file.write(bytes([number]) * 65536)
    say("big", digest(os.path.join(root, "big.bin")))
    shutil.copyfile(os.path.join(root, "big.bin"), os.path.join(root, "copy.bin"))
    os.unlink(os.path.join(root, "big.bin"))
    say("copy", digest(os.path.join(root, "copy.bin")))
    say("left", sorted(os.listdir(root)), sorted(os.listdir(os.path.join(root, "z"))))


def refused(function):
    try:
        function()
        return ["no error"]
    except OSError as error:
        return [errno.errorcode.get(error.errno, str(error.errno))]


def small(root):
    """A thousand files, each read by itself."""
    sha = hashlib.sha256()
    for number in range(1000):
        with open(os.path.join(root, f"{number}"), "rb") as file:
            sha.update(file.read())
    say("small", sha.hexdigest())


def many(root):
    names = sorted(os.listdir(root))
    say("many", len(names), hashlib.sha256("\n".join(names).encode()).hexdigest())


def fail(root):
    """Each path that cannot be had, and how; `root` holds what the stage made for it."""
    say("missing", *refused(lambda: open(os.path.join(root, "none/such"))))
    say("directory", *refused(lambda: open(root).read()))
    say("write a directory", *refused(lambda: open(root, "w")))
    say("under a file", *refused(lambda: open(os.path.join(root, "secret/x"))))
    say("list a file", *refused(lambda: os.listdir(os.path.join(root, "secret"))))
    say("forbidden", *refused(lambda: open(os.path.join(root, "secret")).read()))
    say("forbidden folder", *refused(lambda: os.listdir(os.path.join(root, "closed"))))
    say("stat", *refused(lambda: os.stat(os.path.join(root, "closed/x"))))
    say("long name", *refused(lambda: open(os.path.join(root, "n" * 300))))
    say("loop", *refused(lambda: open(os.path.join(root, "loop"))))


def full(root):
    """Writes until the disk is full; what was written stays."""
    path = os.path.join(root, "full")
    fd = os.open(path, os.O_CREAT | os.O_WRONLY)
    written, failure = 0, None
    while failure is None and written < 64 << 20:
        try:
            written += os.write(fd, b"f" * 65536)
        except OSError as error:
            failure = errno.errorcode[error.errno]
    os.close(fd)
    say("full", failure, written, os.stat(path).st_size)
    os.unlink(path)


orders = [make, read, change, small, many, fail, full]
{order.__name__: order for order in orders}[sys.argv[1]](sys.argv[2])
