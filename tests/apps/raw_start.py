# Starts a program with arguments, variables and a working directory that are bytes: the order is JSON, texts in hex.
import json
import os
import sys

order = json.loads(sys.argv[1])
raw = bytes.fromhex
os.chdir(raw(order["cwd"]))
os.execve(raw(order["argv"][0]), [raw(one) for one in order["argv"]], {raw(k): raw(v) for k, v in order["env"].items()})
