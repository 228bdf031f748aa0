#!/usr/bin/env python3
# Fetches packages of the Python registry for builds and tests, and checks them against scripts/pins.sha256 before
# anything of them is unpacked. Python, since ./dev fetches Deno with it. What is not pinned, or differs, is one error,
# and nothing of it stays.
#
#   pins.py unpack REQUIREMENT FOLDER [MACHINE]    one package, unpacked as FOLDER; x86_64, macos-aarch64, ...
#   pins.py install FOLDER REQUIREMENT...          packages for this Python, all named, as FOLDER for PYTHONPATH
#   pins.py check < LINES                          files against lines of sha256sum(1)
#   pins.py key REQUIREMENT...                     a short key of their pins, for the name of a folder
#   pins.py pin REQUIREMENT...                     fetches them again, with what they need, and writes their lines

import glob
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pins.sha256")
RENEW = "python3 scripts/pins.py pin"
MACHINES = ["x86_64", "aarch64"]
# Machine -> how a wheel's tag calls it.
MACS = {"macos-x86_64": "x86_64", "macos-aarch64": "arm64"}
MAC_TAG = "macosx_12_0"
PYTHONS = ["3.11", "3.12", "3.13"]
GLIBCS = ["manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014", "manylinux_2_12", "manylinux2010"]


class Refused(Exception):
    pass


def read_table(path):
    """File name -> SHA-256."""
    with open(path) as table:
        lines = [line.split() for line in table if line.strip() and not line.startswith("#")]
    return {name: digest for digest, name in lines}


def check(path, digest):
    """The one check: refuses a file with another SHA-256."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            found.update(block)
    if found.hexdigest() != digest:
        name = os.path.basename(path)
        raise Refused(f'Cannot use "{name}": its SHA-256 is {found.hexdigest()}, and {digest} is expected')


def project(requirement):
    """deno==2.6.10 -> the beginning of its files' names (PEP 427)."""
    found = re.fullmatch(r"([\w.-]+)==([\w.]+)", requirement)
    if not found:
        raise Refused(f'Cannot fetch "{requirement}": a package is named as NAME==VERSION')
    return re.sub(r"[-_.]+", "_", found[1]).lower() + "-" + found[2] + "-"


def fits(name, machine, python):
    """Can a wheel of that name be used on that machine by that Python (a tag, cp311)?"""
    *_, interpreter, abi, system = name[: -len(".whl")].split("-")
    if abi == "abi3":  # of that Python and all later ones (PEP 425)
        if int(interpreter[len("cp3") :]) > int(python[len("cp3") :]):
            return False
    elif interpreter.startswith("cp") and python not in interpreter.split("."):
        return False
    if system == "any":
        return True
    if machine in MACS:
        return system.startswith("macosx_") and system.endswith("_" + MACS[machine])
    return "linux" in system and system.endswith("_" + machine)


def this_machine():
    if sys.platform != "darwin":
        return platform.machine()
    return "macos-aarch64" if platform.machine() == "arm64" else "macos-x86_64"


def this_python():
    return f"cp{sys.version_info[0]}{sys.version_info[1]}"


def pinned(table, requirement, machine):
    names = [name for name in table if name.startswith(project(requirement))]
    chosen = [name for name in names if fits(name, machine, this_python())]
    if len(chosen) != 1:
        state = "has no pin" if not chosen else "has several pins"
        raise Refused(
            f'Cannot fetch "{requirement}": it {state} in scripts/pins.sha256 for {machine} and {this_python()}\n'
            f"A new version is pinned by: {RENEW} {requirement}"
        )
    return chosen[0]


def pip(*args):
    ran = subprocess.run(
        [sys.executable, "-m", "pip", *args], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    if ran.returncode != 0:
        sys.stderr.write(ran.stderr)
        raise Refused(f'Cannot run "pip {args[0]}": it ended with code {ran.returncode}')


def fetch(table, requirement, machine, folder):
    """Path of the wheel in `folder`, checked. Any index may serve it: the table says what it has to be."""
    name = pinned(table, requirement, machine)
    system = name[: -len(".whl")].split("-")[-1]
    platforms = [word for tag in system.split(".") for word in ("--platform", tag)]
    pip("download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", folder, *platforms, requirement)
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        others = [found for found in os.listdir(folder) if found.startswith(project(requirement))]
        raise Refused(f'Cannot fetch "{name}": the index gave "{"".join(others)}", which is not pinned')
    check(path, table[name])
    return path


def appear(work, folder):
    """Makes `work` the folder, whole or not at all."""
    try:
        os.rename(work, folder)
    except OSError:
        if not os.path.isdir(folder):
            raise
        # Another build was faster.


def beside(folder):
    parent = os.path.dirname(os.path.abspath(folder))
    os.makedirs(parent, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=parent, prefix=".fetch-")


def unpack(table, requirement, folder, machine=None):
    machine = machine or this_machine()
    with beside(folder) as work:
        wheel = fetch(table, requirement, machine, work)
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.infolist():
                path = archive.extract(entry, f"{work}/unpacked")
                if not entry.is_dir():
                    os.chmod(path, 0o755 if entry.external_attr >> 16 & 0o111 else 0o644)
        appear(f"{work}/unpacked", folder)


def install(table, folder, *requirements):
    with beside(folder) as work:
        wheels = [fetch(table, requirement, this_machine(), work) for requirement in requirements]
        target = f"{work}/installed"
        pip("install", "--quiet", "--no-index", "--no-deps", "--only-binary", ":all:", "--target", target, *wheels)
        os.chmod(target, 0o755)
        appear(target, folder)


def key(table, *requirements):
    names = [name for each in requirements for name in table if name.startswith(project(each))]
    lines = sorted(table[name] for name in names)
    print(hashlib.sha256(" ".join(lines).encode()).hexdigest()[:12])


def check_lines():
    for line in sys.stdin.read().splitlines():
        digest, path = line.split("  ", 1)
        check(path, digest)


def pin_for_mac(requirement, tag, folder):
    """What is built on Macs too is pinned for them; most packages are not, and some have no wheel for them."""
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--platform", tag, "--dest", folder]
    command = [sys.executable, "-m", "pip", "download", *options, requirement]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def pin(path, *requirements):
    """Replaces the lines of what is named, and of what it needs, for every machine and Python."""
    with open(path) as table:
        lines = table.read().splitlines()
    with tempfile.TemporaryDirectory() as work:
        for machine in MACHINES:
            tags = [word for glibc in GLIBCS for word in ("--platform", f"{glibc}_{machine}")]
            for python in PYTHONS:
                options = ["--quiet", "--only-binary", ":all:", "--python-version", python, "--dest", work]
                pip("download", *options, *tags, *requirements)
        for machine in MACS.values():
            for requirement in requirements:
                pin_for_mac(requirement, f"{MAC_TAG}_{machine}", work)
        wheels = sorted(glob.glob(f"{work}/*.whl"))
        names = {os.path.basename(wheel).split("-")[0] for wheel in wheels}
        kept = [line for line in lines if line.startswith("#") or line.split()[1].split("-")[0] not in names]
        for wheel in wheels:
            with open(wheel, "rb") as file:
                kept.append(f"{hashlib.sha256(file.read()).hexdigest()}  {os.path.basename(wheel)}")
    comments = [line for line in kept if line.startswith("#")]
    pins = sorted((line for line in kept if not line.startswith("#")), key=lambda line: line.split()[1])
    with open(path + ".part", "w") as table:
        table.write("\n".join(comments + pins) + "\n")
    os.rename(path + ".part", path)


def main(args):
    path = TABLE
    if args[:1] == ["--table"]:
        path, args = args[1], args[2:]
    verbs = {"unpack": unpack, "install": install, "key": key}
    try:
        if args[:1] == ["check"]:
            check_lines()
        elif args[:1] == ["pin"]:
            pin(path, *args[1:])
        elif args and args[0] in verbs:
            verbs[args[0]](read_table(path), *args[1:])
        else:
            raise Refused(f'Cannot run "{" ".join(args)}": the verbs are unpack, install, check, key and pin')
    except Refused as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
