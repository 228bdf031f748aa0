"""A name server whose answers the tests know: RFC 1035 over UDP and TCP on the port given, standard library only.

Under ok.test it has names of every kind; names that begin with "fail", "refused"
or "silent" get SERVFAIL, REFUSED or no answer; everything else does not exist.
"""

import socket
import socketserver
import struct
import sys
import threading

A, CNAME, PTR, AAAA = 1, 5, 12, 28
KINDS = {A: "A", CNAME: "CNAME", PTR: "PTR", AAAA: "AAAA"}
NAMES = {
    "four.ok.test": [(A, "192.0.2.4")],
    "six.ok.test": [(AAAA, "2001:db8::6")],
    "both.ok.test": [(A, "192.0.2.10"), (AAAA, "2001:db8::10")],
    "alias.ok.test": [(CNAME, "both.ok.test")],
    "many.ok.test": [(A, f"192.0.2.{number}") for number in range(100, 160)],
    "empty.ok.test": [],
    # The same name with and without the search list: which one is found says how ndots counted.
    "dotted.name.ok.test": [(A, "192.0.2.20")],
    "dotted.name": [(A, "192.0.2.21")],
    "very.dotted.name.ok.test": [(A, "192.0.2.22")],
    "very.dotted.name": [(A, "192.0.2.23")],
    "second.later.test": [(A, "192.0.2.30")],
    "10.2.0.192.in-addr.arpa": [(PTR, "both.ok.test")],
}
FAILURES = {"fail": 2, "refused": 5}
NXDOMAIN = 3


def read_name(message, at):
    labels = []
    while length := message[at]:
        labels.append(message[at + 1:at + 1 + length].decode("latin-1"))
        at += 1 + length
    return ".".join(labels), at + 1


def write_name(name):
    return b"".join(bytes([len(label)]) + label.encode("latin-1") for label in name.split(".") if label) + b"\0"


def record(name, kind, value):
    if kind == A:
        content = socket.inet_aton(value)
    elif kind == AAAA:
        content = socket.inet_pton(socket.AF_INET6, value)
    else:
        content = write_name(value)
    return write_name(name) + struct.pack("!HHIH", kind, 1, 1, len(content)) + content


def find(name, wanted):
    """The records to answer with: those of the name as it was asked for, and where an alias leads to."""
    found = []
    for kind, value in NAMES[name.lower()]:
        if kind == wanted or kind == CNAME:
            found.append(record(name, kind, value))
        if kind == CNAME and wanted != CNAME:
            found += find(value, wanted)
    return found


def answer(message, limit):
    """The reply to a query, or None where the server keeps silent."""
    number, flags = struct.unpack("!HH", message[:4])
    name, end = read_name(message, 12)
    kind = struct.unpack("!H", message[end:end + 2])[0]
    first = name.lower().split(".")[0]
    if first == "silent":
        return None
    code = FAILURES.get(first, 0 if name.lower() in NAMES else NXDOMAIN)
    records = find(name, kind) if code == 0 else []
    question, body = message[12:end + 4], b"".join(records)
    cut = 12 + len(question) + len(body) > limit
    head = struct.pack("!HHHHHH", number, 0x8480 | (flags & 0x100) | (0x200 if cut else 0) | code, 1, 0 if cut else len(records), 0, 0)
    return head + question + (b"" if cut else body)


class Datagrams(socketserver.BaseRequestHandler):
    def handle(self):
        message, sender = self.request
        if reply := answer(message, 512):
            sender.sendto(reply, self.client_address)


class Streams(socketserver.StreamRequestHandler):
    def handle(self):
        while len(size := self.rfile.read(2)) == 2:
            reply = answer(self.rfile.read(struct.unpack("!H", size)[0]), 65535)
            if reply:
                self.wfile.write(struct.pack("!H", len(reply)) + reply)


socketserver.TCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer.daemon_threads = True
place = ("", int(sys.argv[1]))
streams = socketserver.ThreadingTCPServer(place, Streams)
threading.Thread(target=streams.serve_forever, daemon=True).start()
socketserver.ThreadingUDPServer(place, Datagrams).serve_forever()
