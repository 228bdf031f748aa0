#!/usr/bin/python3
"""The CGI script of `python3 -m http.server --cgi`: what a child of the server finds of the pod."""

import json
import os
import socket
import urllib.parse
import urllib.request

query = dict(urllib.parse.parse_qsl(os.environ["QUERY_STRING"]))
with urllib.request.urlopen(query["url"], timeout=90) as answer, open(query["file"]) as file:
    found = {
        "by": "local",
        "variable": os.environ.get(query["variable"]),
        "addresses": [end[0] for *_, end in socket.getaddrinfo(query["name"], 80, type=socket.SOCK_STREAM)],
        "answer": answer.read().decode(),
        "content": file.read(),
    }
print("Content-Type: application/json\n")
print(json.dumps(found))
