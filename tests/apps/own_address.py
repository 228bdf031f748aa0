"""Binds addresses one after another and asks itself at each of its hosts, for tests/program/own_addresses_test.ts.

Argument: a JSON list of rows with protocol, family (4 or 6), bind, port, ask (hosts), name (who answers).
Prints a JSON object for each row: what the socket is called, and for each host who answered, under which names. A row with
"wait" tells its port and goes on answering until a line of input comes, one with "hold" until the input ends. One without
"bind" only asks.
"""

import errno
import json
import socket
import sys
import threading


def answer_stream(listener, who):
    while True:
        try:
            connection, peer = listener.accept()
        except OSError:
            return  # closed
        names = [peer[0], connection.getsockname()[0], connection.getpeername() == peer]
        connection.sendall(json.dumps({"by": who, "sees": names}).encode())
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
        connection.close()


def answer_datagrams(bound, who):
    while True:
        asked_for, peer = bound.recvfrom(100)
        if asked_for == b"end":
            return
        bound.sendto(json.dumps({"by": who, "sees": [peer[0]]}).encode(), peer)


def all_of(connection):
    parts = []
    while part := connection.recv(4096):
        parts.append(part)
    return b"".join(parts)


def asked(row, host, port, connects):
    """Who answers at that host and port, and what the socket that asks is called."""
    stream = row["protocol"] == "tcp"
    family = socket.AF_INET6 if row["family"] == 6 else socket.AF_INET
    kind = socket.SOCK_STREAM if stream else socket.SOCK_DGRAM
    try:
        found = socket.getaddrinfo(host, port, family, kind)[0]
    except socket.gaierror as error:
        return f"gaierror {error.errno}"
    try:
        with socket.socket(found[0], kind) as asking:
            asking.settimeout(5)
            if not connects:
                asking.sendto(b"?", found[4])
                answer, sender = asking.recvfrom(4096)
                return {"answer": json.loads(answer), "sender": [sender[0], sender[1] == port]}
            asking.connect(found[4])
            names = [asking.getpeername()[0], asking.getpeername()[1] == port, asking.getsockname()[0]]
            if stream:
                return {"answer": json.loads(all_of(asking)), "names": names}
            asking.send(b"?")
            return {"answer": json.loads(asking.recv(4096)), "names": names}
    except OSError as error:
        return "timed out" if error.errno is None else errno.errorcode[error.errno]


def run(row):
    if "bind" not in row:
        print(json.dumps({host: asked(row, host, row["port"], True) for host in row["ask"]}), flush=True)
        return
    stream = row["protocol"] == "tcp"
    bound = socket.socket(
        socket.AF_INET6 if row["family"] == 6 else socket.AF_INET,
        socket.SOCK_STREAM if stream else socket.SOCK_DGRAM,
    )
    if "only6" in row:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, row["only6"])
    try:
        bound.bind((row["bind"], row["port"]))
        if stream:
            bound.listen(16)
    except OSError as error:
        print(json.dumps({"bind": errno.errorcode[error.errno]}), flush=True)
        return
    name = bound.getsockname()
    answers = answer_stream if stream else answer_datagrams
    answer = threading.Thread(target=answers, args=(bound, row["name"]), daemon=True)
    answer.start()
    result = {"name": [name[0], name[1] == row["port"] or (row["port"] == 0 and name[1] > 0)]}
    for host in row["ask"]:
        result[host] = asked(row, host, name[1], True)
        if not stream:
            result[f"{host}, sendto"] = asked(row, host, name[1], False)
    result["still"] = bound.getsockname() == name
    if row.get("wait"):
        result["port"] = name[1]
    print(json.dumps(result), flush=True)
    if row.get("hold"):
        return
    if row.get("wait"):
        sys.stdin.readline()
    if stream:
        bound.shutdown(socket.SHUT_RDWR)
    else:
        bound.sendto(b"end", {"0.0.0.0": ("127.0.0.1", name[1]), "::": ("::1", name[1])}.get(name[0], name))
    answer.join(5)
    bound.close()


rows = json.loads(sys.argv[1])
for one in rows:
    run(one)
if any("hold" in one for one in rows):
    sys.stdin.read()
