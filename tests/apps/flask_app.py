"""A Flask app that says who it thinks is asking; run by Flask's own server or by gunicorn's workers."""

import os

from flask import Flask, request

app = Flask(__name__)


@app.route("/", methods=["GET", "POST"])
def who():
    peer_port = int(request.environ.get("REMOTE_PORT", 0))
    greeting = {"GREETING": os.environ.get("GREETING")}
    return {"by": "local", "pid": os.getpid(), "peer": request.remote_addr, "peer_port": peer_port, "env": greeting}
