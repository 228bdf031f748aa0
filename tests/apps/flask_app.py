"""A Flask app that says who it thinks is asking; run by Flask's own server or by gunicorn's workers.

/walk uses what the pod gives, by the means that a Flask app has at hand.
"""

import os
import socket
import sys
import urllib.request

from flask import Flask, request

app = Flask(__name__)


@app.before_request
def say():
    print("seen", request.path, file=sys.stderr, flush=True)


@app.route("/", methods=["GET", "POST"])
def who():
    peer_port = int(request.environ.get("REMOTE_PORT", 0))
    greeting = {"GREETING": os.environ.get("GREETING")}
    return {"by": "local", "pid": os.getpid(), "peer": request.remote_addr, "peer_port": peer_port, "env": greeting}


@app.route("/walk")
def walk():
    found = socket.getaddrinfo(request.args["name"], 80, type=socket.SOCK_STREAM)
    with urllib.request.urlopen(request.args["url"], timeout=90) as answer, open(request.args["file"]) as file:
        return {
            "by": "local",
            "variable": os.environ.get(request.args["variable"]),
            "addresses": [address[0] for *_, address in found],
            "answer": answer.read().decode(),
            "content": file.read(),
        }
