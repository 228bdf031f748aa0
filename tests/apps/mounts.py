"""Looks at what is mounted in a pod, and prints what it saw as JSON lines. Arguments: the paths, files or folders."""
import json
import os
import runpy
import subprocess
import sys


def say(*words):
    print(json.dumps(words), flush=True)


def see(path):
    status = os.stat(path)
    say(path, oct(status.st_mode), os.path.realpath(path), os.access(path, os.R_OK), os.access(path, os.W_OK))
    if not os.path.isdir(path):
        with open(path) as file:
            say(path, file.read())
        return
    names = sorted(os.listdir(path))
    say(path, names)
    for name in names:
        inner = os.path.join(path, name)
        if os.path.islink(inner):
            say(inner, os.readlink(inner) if not name.startswith("..") else "dated")
        if os.path.isfile(inner):
            with open(inner) as file:
                say(inner, file.read())
        if name.endswith(".py"):
            say(inner, runpy.run_path(inner)["answer"])
        if name.endswith(".sh"):
            say(inner, subprocess.run(["sh", inner], capture_output=True, text=True).stdout)


for path in sys.argv[1:]:
    try:
        see(path)
    except OSError as error:
        say(path, error.errno)
