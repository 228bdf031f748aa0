"""Reads, lists and changes the tree at argv[1] in the ways of Python programs, and prints what it sees of it."""
import fcntl
import glob
import hashlib
import json
import mmap
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile

root = sys.argv[1]


def fails(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except OSError as error:
        print(error.errno, error.strerror, error.filename)
    else:
        print("no error")


def looks(path):
    found = os.stat(path, follow_symlinks=False)
    when = int(found.st_mtime) if found.st_mtime < 1e9 else "now"
    print(path, stat.filemode(found.st_mode), found.st_size, found.st_nlink, found.st_uid, when)


def tree(path):
    for folder, folders, files in os.walk(path):
        folders.sort()
        print(folder, folders, sorted(files))


def reads():
    print(open(f"{root}/small").read(), json.load(open(f"{root}/a.json")))
    print(hashlib.md5(open(f"{root}/big", "rb").read()).hexdigest())
    with open(f"{root}/big", "rb") as big:
        with mmap.mmap(big.fileno(), 0, prot=mmap.PROT_READ) as mapped:
            print(mapped[-6:], len(mapped), mapped.find(b"54321"))
        big.seek(100)
        print(big.read(10), big.tell(), os.pread(big.fileno(), 5, 2), os.fstat(big.fileno()).st_size, big.isatty())
        print(oct(fcntl.fcntl(big.fileno(), fcntl.F_GETFL) & os.O_ACCMODE), os.get_inheritable(big.fileno()))
        os.lseek(big.fileno(), 40, os.SEEK_SET)
        subprocess.run(["head", "-c", "5"], stdin=big)
        copy = os.dup(big.fileno())
        os.lseek(copy, 20, os.SEEK_SET)
        print(os.read(big.fileno(), 4), os.preadv(copy, [bytearray(3)], 4))
        os.close(copy)
    with open(f"{root}/small", "rb") as small:
        with mmap.mmap(small.fileno(), 0, prot=mmap.PROT_READ) as mapped:
            print(mapped[:])
        print(stat.filemode(os.fstat(small.fileno()).st_mode), os.fstat(small.fileno()).st_mtime)
        fails(os.write, small.fileno(), b"x")
        fails(os.ftruncate, small.fileno(), 1)
    if os.fork() == 0:
        print(open(f"{root}/small").read(), flush=True)
        os._exit(0)
    os.wait()
    for line in open(f"{root}/big"):
        if line == "77777\n":
            print(line)


def lists():
    tree(root)
    print(sorted(glob.glob(f"{root}/*/*")), len(os.listdir(f"{root}/many")))
    for name in sorted(os.listdir(root)):
        looks(f"{root}/{name}")
    print([(entry.name, entry.is_dir(), entry.is_symlink()) for entry in sorted(os.scandir(root), key=lambda e: e.name)])
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    print(sorted(os.listdir(folder)), os.stat("small", dir_fd=folder).st_size, stat.S_ISDIR(os.stat(folder).st_mode))
    inner = os.open("a.json", os.O_RDONLY, dir_fd=folder)
    print(os.read(inner, 100), os.readlink("link", dir_fd=folder))
    os.close(inner)
    os.close(folder)
    print(os.path.realpath(f"{root}/link"), pathlib.Path(f"{root}/d/../link").resolve(), os.path.exists(f"{root}/none"))
    print(os.access(f"{root}/small", os.R_OK), os.path.isdir(f"{root}/d"), os.path.samefile(f"{root}/link", f"{root}/small"))


def errors():
    fails(open, f"{root}/none")
    fails(open, f"{root}/small/x")
    fails(open, f"{root}/d")
    fails(open, f"{root}/{'n' * 300}")
    fails(os.listdir, f"{root}/none")
    fails(os.listdir, f"{root}/small")
    fails(os.rmdir, f"{root}/d")
    fails(os.unlink, f"{root}/d")
    fails(os.mkdir, f"{root}/d")
    fails(os.readlink, f"{root}/small")
    fails(os.rename, f"{root}/none", f"{root}/other")
    fails(os.stat, f"{root}/small/")


def changes():
    new = pathlib.Path(root) / "new"
    new.mkdir()
    (new / "x").write_text("abc")
    with open(new / "x", "a") as file:
        file.write("def")
    print((new / "x").read_text())
    os.rename(new / "x", new / "y")
    os.chmod(new / "y", 0o600)
    os.utime(new / "y", (1, 2))
    looks(new / "y")
    os.symlink("y", new / "l")
    os.link(new / "y", new / "h")
    print(os.readlink(new / "l"), sorted(os.listdir(new)))
    os.truncate(new / "y", 2)
    print((new / "h").read_bytes())
    with open(new / "z", "w+") as file:
        file.write("0123456789")
        file.seek(3)
        print(file.read(2))
        file.truncate(5)
        file.seek(0)
        print(file.read())
        os.fsync(file.fileno())
    descriptor = os.open(new / "w", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    print(os.pwrite(descriptor, b"later", 5), os.writev(descriptor, [b"a", b"bc"]), os.pread(descriptor, 20, 0))
    os.fchmod(descriptor, 0o400)
    os.ftruncate(descriptor, 7)
    os.close(descriptor)
    fails(os.open, new / "w", os.O_RDWR | os.O_CREAT | os.O_EXCL)
    looks(new / "w")
    shutil.copytree(f"{root}/d", new / "copy")
    shutil.copyfile(f"{root}/big", new / "big")
    shutil.copy2(f"{root}/small", new / "small")
    looks(new / "small")
    print(hashlib.md5((new / "big").read_bytes()).hexdigest())
    handle, name = tempfile.mkstemp(dir=new)
    os.write(handle, b"x" * 1000)
    os.close(handle)
    print(os.path.getsize(name))
    os.unlink(name)
    tree(new)
    with tempfile.TemporaryDirectory() as local:
        shutil.copytree(root, f"{local}/all", symlinks=True)
        print(sorted(os.listdir(f"{local}/all")), os.path.getsize(f"{local}/all/big"))
        shutil.move(f"{root}/new/copy", f"{local}/moved")
        print(os.path.exists(f"{root}/new/copy"), os.listdir(f"{local}/moved"))
    shutil.rmtree(new)
    print(sorted(os.listdir(root)))


for part in (reads, lists, errors, changes):
    part()
    sys.stdout.flush()
