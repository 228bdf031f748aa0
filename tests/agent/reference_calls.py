# The calls of a list, made by an ordinary process of the target: what the agent's answers are compared with. Started by
# file_paths_test.ts inside the target. Standard input: JSON, a list of [call, folder or "", path, second path]; standard
# output: for each its outcome as text, an errno's name or what the call said.

import errno
import json
import os
import stat
import sys


def identity(status):
    return f"{status.st_dev}:{status.st_ino}:{status.st_mode:o}"


def content(path, flags, folder):
    fd = os.open(path, flags | os.O_NONBLOCK, 0o644, dir_fd=folder)
    try:
        status = os.fstat(fd)
        return f"{identity(status)}:{status.st_size if stat.S_ISREG(status.st_mode) else ''}"
    finally:
        os.close(fd)


def entered(path, folder):
    before = os.open("/", os.O_PATH)
    try:
        if folder is not None:
            os.fchdir(folder)
        os.chdir(path)
        return os.getcwd()
    finally:
        os.fchdir(before)
        os.close(before)


def truncated(path, folder):
    fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK, dir_fd=folder)
    try:
        os.ftruncate(fd, 1)
    finally:
        os.close(fd)


CALLS = {
    "stat": lambda d, p, q: identity(os.stat(p, dir_fd=d)),
    "lstat": lambda d, p, q: identity(os.stat(p, dir_fd=d, follow_symlinks=False)),
    "readlink": lambda d, p, q: os.readlink(p, dir_fd=d),
    "access": lambda d, p, q: str(os.access(p, os.W_OK, dir_fd=d)),
    "open": lambda d, p, q: content(p, os.O_RDONLY, d),
    "nofollow": lambda d, p, q: content(p, os.O_RDONLY | os.O_NOFOLLOW, d),
    "directory": lambda d, p, q: content(p, os.O_RDONLY | os.O_DIRECTORY, d),
    "path": lambda d, p, q: content(p, os.O_PATH, d),
    "enter": lambda d, p, q: entered(p, d),
    "create": lambda d, p, q: content(p, os.O_WRONLY | os.O_CREAT, d).split(":")[2],
    "exclusive": lambda d, p, q: content(p, os.O_WRONLY | os.O_CREAT | os.O_EXCL, d).split(":")[2],
    "truncate": lambda d, p, q: truncated(p, d),
    "mkdir": lambda d, p, q: os.mkdir(p, 0o755, dir_fd=d),
    "rmdir": lambda d, p, q: os.rmdir(p, dir_fd=d),
    "unlink": lambda d, p, q: os.unlink(p, dir_fd=d),
    "mkfifo": lambda d, p, q: os.mkfifo(p, 0o600, dir_fd=d),
    "chmod": lambda d, p, q: os.chmod(p, 0o711, dir_fd=d),
    "utimens": lambda d, p, q: os.utime(p, (1, 2), dir_fd=d),
    "chown": lambda d, p, q: os.chown(p, 7, 8, dir_fd=d, follow_symlinks=q != "nofollow"),
    "rename": lambda d, p, q: os.rename(p, q, src_dir_fd=d),
    "link": lambda d, p, q: os.link(p, q, src_dir_fd=d, follow_symlinks=False),
    "linkfollow": lambda d, p, q: os.link(p, q, src_dir_fd=root if d is None else d, follow_symlinks=True),
    "symlink": lambda d, p, q: os.symlink(q, p, dir_fd=d),
}


def outcome(call, folder, path, second):
    fd = None
    try:
        if folder:
            fd = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        if call == "access" and not os.access(path, os.F_OK, dir_fd=fd):
            os.stat(path, dir_fd=fd)
        said = CALLS[call](fd, path, second)
        return "" if said is None else said
    except OSError as error:
        return errno.errorcode[error.errno]
    finally:
        if fd is not None:
            os.close(fd)


os.umask(0)
# With a descriptor Python asks linkat(2); link(2), which it asks otherwise, does not follow.
root = os.open("/", os.O_PATH)
json.dump([outcome(*one) for one in json.load(sys.stdin)], sys.stdout)
