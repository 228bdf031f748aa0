"""A FastAPI app that says who it thinks is asking; run by uvicorn."""

import os

from fastapi import FastAPI, Request

app = FastAPI()


@app.get("/")
async def who(request: Request):
    peer, peer_port = request.client
    greeting = {"GREETING": os.environ.get("GREETING")}
    return {"by": "local", "pid": os.getpid(), "peer": peer, "peer_port": peer_port, "env": greeting}
