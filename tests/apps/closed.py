"""Started with some of its standard descriptors closed: uses the target's names, network and files, and writes what came
and which numbers its descriptors got into a file. Arguments: that file, the target's file, and host and port, if any.
"""

import json
import os
import socket
import sys

first = os.open("/dev/null", os.O_RDONLY)
second = socket.socket()
answer = b""
if len(sys.argv) > 3:
    second.connect(socket.getaddrinfo(sys.argv[3], int(sys.argv[4]), socket.AF_INET, socket.SOCK_STREAM)[0][4])
third = os.open(sys.argv[2], os.O_RDONLY)
numbers = [first, second.fileno(), third]
if len(sys.argv) > 3:
    second.sendall(b"GET / HTTP/1.0\r\n\r\n")
    while part := second.recv(4096):
        answer += part
found = {"numbers": numbers, "answer": answer.decode()[-15:], "content": os.read(third, 100).decode()}
with open(sys.argv[1], "w") as file:
    json.dump(found, file)
