# A name server for tests. Argument: JSON {"listen": [addresses], "silent": [addresses], "log": file, "zone": {NAME: what}}.
# what: "A"/"AAAA"/"PTR": list of records, "TXT": list of texts, "MX"/"SRV": list of [numbers…, name], "CNAME": name; "also":
# {NAME: [addresses]} behind the answer; "rcode": number or {TYPE: number}; "drop": [TYPE]; "delay": seconds;
# "cut": true = truncated over UDP, whole over TCP; "authentic": true = with AD; "echo": the query's own flags and OPT; "lies": wrong answers before the right one; "garbage": nothing else.
# Writes "ready" when it listens. An address that is silent takes questions and never answers.
import asyncio, ipaddress, json, os, struct, sys

order = json.loads(sys.argv[1])
zone = {name.lower(): what for name, what in order["zone"].items()}
types = {1: "A", 28: "AAAA", 12: "PTR", 5: "CNAME", 15: "MX", 16: "TXT", 33: "SRV"}
log = open(order["log"], "a", buffering=1)


def encode(name):
    return b"".join(bytes([len(label)]) + label.encode("latin1") for label in name.split(".") if label) + b"\0"


def question(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("latin1"))
        at += 1 + query[at]
    return ".".join(labels), struct.unpack(">H", query[at + 1 : at + 3])[0], query[12 : at + 5]


def record(name, kind, data):
    return encode(name) + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def packed(kind, value):
    if kind in (5, 12):
        return encode(value)
    if kind in (15, 33):
        return b"".join(struct.pack(">H", number) for number in value[:-1]) + encode(value[-1])
    if kind == 16:
        return bytes([len(value)]) + value.encode("latin1")
    return ipaddress.ip_address(value).packed


def answers(name, kind):
    found, owner = [], name
    for _ in range(9):
        what = zone.get(owner.lower(), {})
        if "CNAME" not in what:
            break
        found.append(record(owner, 5, encode(what["CNAME"])))
        owner = what["CNAME"]
    for value in zone.get(owner.lower(), {}).get(types.get(kind, ""), []):
        found.append(record(owner, kind, packed(kind, value)))
    return found


def additional(what):
    also = (what or {}).get("also", {})
    return [record(name, 1, packed(1, value)) for name, values in also.items() for value in values]


def reply(query, tcp):
    name, kind, asked = question(query)
    what = zone.get(name.lower())
    rcode = 3 if what is None else what.get("rcode", 0)
    if isinstance(rcode, dict):
        rcode = rcode.get(types.get(kind), 0)
    found = answers(name, kind) if rcode == 0 and what is not None else []
    flags = 0x8580 | rcode
    if what and what.get("cut") and not tcp:
        flags, found = flags | 0x200, found[:1]
    if what and what.get("authentic"):
        flags |= 0x20
    if what and what.get("echo"):  # what the query said beside its question: flags, records, and those
        said = query[2:4] + query[10:12] + query[12 + len(asked) :]
        found = [record(name, 16, bytes([len(said)]) + said)]
    also = additional(what)
    return query[:2] + struct.pack(">HHHHH", flags, 1, len(found), 0, len(also)) + asked + b"".join(found + also)


async def serve(query, tcp, send):
    name, kind, asked = question(query)
    what = zone.get(name.lower()) or {}
    log.write(f"{name} {types.get(kind, kind)} {'tcp' if tcp else 'udp'}\n")
    if types.get(kind) in what.get("drop", []):
        return
    if "delay" in what:
        await asyncio.sleep(what["delay"])
    if what.get("garbage"):
        return send(query[:2] + b"\x85\x80" + os.urandom(40))
    if what.get("lies"):
        other = bytes([query[0] ^ 1]) + query[1:]
        send(reply(other, tcp))
        elsewhere = query[:2] + struct.pack(">HHHHH", 0x8583, 1, 0, 0, 0) + encode("other.test") + struct.pack(">HH", kind, 1)
        send(elsewhere)
    send(reply(query, tcp))


class Udp(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, query, peer):
        asyncio.ensure_future(serve(query, False, lambda bytes: self.transport.sendto(bytes, peer)))


async def tcp(reader, writer):
    try:
        while True:
            (length,) = struct.unpack(">H", await reader.readexactly(2))
            query = await reader.readexactly(length)
            await serve(query, True, lambda bytes: writer.write(struct.pack(">H", len(bytes)) + bytes))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    loop = asyncio.get_running_loop()
    kept = []
    for address in order["listen"]:
        kept.append(await loop.create_datagram_endpoint(Udp, local_addr=(address, 53)))
        kept.append(await asyncio.start_server(tcp, address, 53))
    for address in order.get("silent", []):
        kept.append(await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=(address, 53)))
    os.write(1, b"ready\n")
    await asyncio.Event().wait()


asyncio.run(main())
