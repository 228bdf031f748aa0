"""Dials as Python programs do, and prints what came of it as one line of JSON. Arguments: a host and a port where the
target's server answers, and one where nobody does."""

import asyncio
import errno
import json
import selectors
import socket
import sys
import urllib.request

host, port, nobody = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
family = socket.AF_INET6 if ":" in host else socket.AF_INET
url = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def name(error):
    return errno.errorcode.get(error.errno, str(error))


def blocking(to):
    with socket.socket(family) as dialled:
        try:
            dialled.connect((host, to))
        except OSError as error:
            return name(error)
        return [dialled.getpeername()[0], dialled.getsockname()[0]]


def selecting(to):
    with socket.socket(family) as dialled, selectors.DefaultSelector() as selector:
        dialled.setblocking(False)
        began = errno.errorcode.get(dialled.connect_ex((host, to)), "0")
        selector.register(dialled, selectors.EVENT_WRITE)
        ready = len(selector.select(20))
        failure = dialled.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return [began, ready, errno.errorcode.get(failure, "0")]


async def streams(to):
    try:
        reader, writer = await asyncio.open_connection(host, to)
    except OSError as error:
        return name(error)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    writer.write_eof()
    said = await reader.read()
    writer.close()
    return b'"by": "original"' in said


def own():
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as dialled:
            accepted, _ = server.accept()
            accepted.sendall(b"mine")
            accepted.close()
            return dialled.recv(4).decode()


async def many(count):
    return sum(await asyncio.gather(*(streams(port) for _ in range(count))))


with urllib.request.urlopen(url) as answer:
    by = json.load(answer)["by"]
print(json.dumps({
    "urllib": by,
    "blocking": blocking(port),
    "refused": blocking(nobody),
    "select": selecting(port),
    "selectRefused": selecting(nobody),
    "asyncio": asyncio.run(streams(port)),
    "asyncioRefused": asyncio.run(streams(nobody)),
    "many": asyncio.run(many(50)),
    "own": own(),
}))
