"""The client of the end-to-end tests: does one order (JSON, the only argument) and prints what it saw as JSON.

It runs where the target's clients are: in the client pod, or in a namespace of
a test, with nothing but the standard library. Orders are the functions at the
end; tests/support/client.ts knows their types.
"""

import base64
import collections
import hashlib
import http.client
import itertools
import json
import os
import re
import socket
import sys
import threading
import time

# No machine is so busy that what must happen takes longer: it turns a hang into a failure.
TIMEOUT = 90
BLOCK = 64 * 1024


def connect(order):
    return socket.create_connection((order["host"], order.get("port", 80)), order.get("timeout", TIMEOUT))


def connection(order):
    return http.client.HTTPConnection(order["host"], order.get("port", 80), timeout=order.get("timeout", TIMEOUT))


def body_of(request):
    """`size` bytes that depend on `seed`; None where the request has no body."""
    if "size" not in request:
        return None
    return pseudo(request["size"], request.get("seed", 1))


def pseudo(size, seed):
    block = hashlib.shake_256(str(seed).encode()).digest(BLOCK)
    return (block * (size // BLOCK + 1))[:size]


def chunks(body):
    for start in range(0, len(body), 10_007):
        yield body[start:start + 10_007]


def send(http_connection, request):
    """One request; the parsed report of who answered, with status and what was sent."""
    body = body_of(request)
    chunked = request.get("chunked", False)
    headers = dict(request.get("headers", {}))
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
    http_connection.request(
        request.get("method", "GET"),
        request.get("path", "/"),
        body=chunks(body or b"") if chunked else body,
        headers=headers,
        encode_chunked=chunked,
    )
    response = http_connection.getresponse()
    report = parse(response.read())
    report["status"] = response.status
    report["server"] = response.headers.get("Server", "")
    if body is not None:
        report["sent_sha256"] = hashlib.sha256(body).hexdigest()
    return report


def parse(content):
    """Apps of the tests answer JSON, or "address port address port" of the connection's two ends; others anything."""
    text = content.decode("latin-1")
    if ends := re.fullmatch(r"(\S+) (\d+) \S+ \d+", text):
        return {"by": "local", "peer": ends[1].removeprefix("::ffff:"), "peer_port": int(ends[2])}
    try:
        report = json.loads(text)
    except ValueError:
        report = None
    if not isinstance(report, dict):
        return {"by": text.strip()[:80]}
    return {**report, "peer": str(report.get("peer", "")).removeprefix("::ffff:")}


def ask(order):
    with_close = connection(order)
    try:
        return send(with_close, order)
    finally:
        with_close.close()


def until(order):
    """Asks until the answer is by `by`; counts failures and other answers before."""
    start = time.monotonic()
    seen = collections.Counter()
    while True:
        try:
            report = ask({**order, "headers": {**order.get("headers", {}), "Connection": "close"}})
        except (OSError, http.client.HTTPException) as error:
            report = {"by": f"{type(error).__name__}"}
        if order["by"] in report["by"]:
            return {**report, "waited": time.monotonic() - start, "before": seen}
        seen[report["by"]] += 1
        if time.monotonic() - start > TIMEOUT:
            return {"by": "nobody", "waited": time.monotonic() - start, "before": seen}
        time.sleep(0.02)


def sequence(order):
    """All requests over one connection, one after the other; the local port shows that it stayed one."""
    one = connection(order)
    one.connect()
    port = one.sock.getsockname()[1]
    reports = []
    for request in order["requests"]:
        reports.append({**send(one, request), "same": one.sock is not None and one.sock.getsockname()[1] == port})
    one.close()
    return reports


def many(order):
    """`count` requests from `connections` connections at a time, `each` per connection; %d in the path counts them."""
    by, pids, failures, peers = collections.Counter(), collections.Counter(), [], set()
    lock = threading.Lock()
    left = [order["count"]]
    numbers = itertools.count()
    path = order.get("path", "/")

    def take(wanted):
        with lock:
            count = min(wanted, left[0])
            left[0] -= count
            return count

    def worker():
        while count := take(order.get("each", 1)):
            one = connection(order)
            for done in range(count):
                try:
                    report = send(one, {**order, "path": path.replace("%d", str(next(numbers)))})
                except (OSError, http.client.HTTPException) as error:
                    with lock:
                        failures.append(f"{type(error).__name__}: {error}")
                        failures.extend(["not sent"] * (count - done - 1))
                    break
                with lock:
                    by[report["by"]] += 1
                    pids[report.get("pid", 0)] += 1
                    peers.add(report.get("peer"))
            one.close()

    threads = [threading.Thread(target=worker) for _ in range(order.get("connections", 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        "by": by,
        "pids": pids,
        "failures": failures[:5],
        "failed": len(failures),
        "peers": sorted(str(peer) for peer in peers),
    }


def download(order):
    one = connection(order)
    one.request("GET", f"/{order.get('framing', 'bytes')}/{order['size']}", headers=order.get("headers", {}))
    return read_pattern(one.getresponse(), order["size"])


def read_pattern(response, size):
    """Compares with the pattern of the server: byte i is i modulo 251 within blocks of whole periods."""
    period = bytes(range(251))
    whole = period * (BLOCK // 251)
    expected, actual = hashlib.sha256(), hashlib.sha256()
    for start in range(0, size, len(whole)):
        expected.update(whole[:size - start])
    length = 0
    while data := response.read(BLOCK):
        actual.update(data)
        length += len(data)
    return {"length": length, "equal": expected.digest() == actual.digest()}


def stalled(order):
    """One connection asks for `size` bytes and reads none, while `count` others are answered; then it reads all."""
    one = connection(order)
    one.request("GET", f"/bytes/{order['size']}", headers=order.get("headers", {}))
    others = many({"host": order["host"], "port": order.get("port", 80), "count": order["count"], "connections": 4})
    return {"others": others, **read_pattern(one.getresponse(), order["size"])}


def websocket(order):
    """Upgrades, then compares what comes back of `size` bytes in frames sent at once."""
    with connect(order) as one:
        key = base64.b64encode(os.urandom(16)).decode()
        headers = {
            "Host": "test",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13",
            **order.get("headers", {}),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        one.sendall(f"GET /echo HTTP/1.1\r\n{lines}\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = one.recv(1)
            if not byte:
                return {"status": 0, "equal": False}
            head += byte
        status = int(head.split(b" ")[1])
        if status != 101:
            return {"status": status, "equal": False}
        payload = pseudo(order["size"], 5)
        frames = b"".join(frame(part) for part in chunks(payload))
        sender = threading.Thread(target=one.sendall, args=(frames,))
        sender.start()
        back = b""
        while len(back) < len(frames) and (data := one.recv(BLOCK)):
            back += data
        sender.join()
        return {"status": status, "equal": back == frames, "by": "local" if b"X-By: local" in head else "other"}


def frame(part):
    """A masked binary frame, RFC 6455 section 5.2."""
    mask = b"\x01\x02\x03\x04"
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(part))
    return b"\x82" + bytes([0x80 | 126]) + len(part).to_bytes(2, "big") + mask + masked


def raw(order):
    """Sends text as it is and returns what comes until `expect` or the end; `again` on a new connection until it comes."""
    start = time.monotonic()
    while True:
        answer = b""
        try:
            with connect(order) as one:
                one.sendall(order["text"].encode())
                while order["expect"].encode() not in answer and (data := one.recv(BLOCK)):
                    answer += data
        except OSError as error:
            answer = f"{type(error).__name__}: {error}".encode()
        if order["expect"].encode() in answer or not order.get("again") or time.monotonic() - start > TIMEOUT:
            return {"text": answer.decode("latin-1")}
        time.sleep(0.02)


def load(order):
    """Asks without pause until `by` answered `settled` times in a row; every failure with its time."""
    start = time.monotonic()
    print("loading", file=sys.stderr, flush=True)
    by, failures, row, others = collections.Counter(), [], 0, False
    while row < order.get("settled", 50) and time.monotonic() - start < TIMEOUT:
        try:
            report = ask({**order, "headers": {"Connection": "close", "X-Load": "1"}})
        except (OSError, http.client.HTTPException) as error:
            failures.append([round(time.monotonic() - start, 2), type(error).__name__])
            row = 0
            continue
        by[report["by"]] += 1
        others = others or report["by"] != order["by"]
        row = row + 1 if others and report["by"] == order["by"] else 0
    return {"by": by, "failures": failures, "settled": row >= order.get("settled", 50)}


def main():
    order = json.loads(sys.argv[1])
    orders = [ask, until, sequence, many, download, stalled, websocket, raw, load]
    do = {function.__name__: function for function in orders}[order.pop("do")]
    json.dump(do(order), sys.stdout)


main()
