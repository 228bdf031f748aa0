"""A FastAPI app that says who it thinks is asking; run by uvicorn.

/walk uses what the pod gives, by asyncio's own calls: the resolver's threads and
connections that never block.
"""

import asyncio
import os
import pathlib
import socket
import sys
import urllib.parse

from fastapi import FastAPI, Request

app = FastAPI()


@app.middleware("http")
async def say(request: Request, call_next):
    print("seen", request.url.path, file=sys.stderr, flush=True)
    return await call_next(request)


@app.get("/")
async def who(request: Request):
    peer, peer_port = request.client
    greeting = {"GREETING": os.environ.get("GREETING")}
    return {"by": "local", "pid": os.getpid(), "peer": peer, "peer_port": peer_port, "env": greeting}


@app.get("/walk")
async def walk(variable: str, name: str, url: str, file: str):
    found = await asyncio.get_running_loop().getaddrinfo(name, 80, type=socket.SOCK_STREAM)
    return {
        "by": "local",
        "variable": os.environ.get(variable),
        "addresses": [address[0] for *_, address in found],
        "answer": await fetch(url),
        "content": await asyncio.to_thread(pathlib.Path(file).read_text),
    }


async def fetch(url):
    parts = urllib.parse.urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    writer.write(f"GET {parts.path} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
    await writer.drain()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.partition(b"\r\n\r\n")[2].decode()
