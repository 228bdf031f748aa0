"""Sends TCP segments that no kernel would send: packets.py DEVICE MAC DESTINATION, segments as JSON lines on standard input.

A segment: {"port", "seq", "flags" (of "SAFR"), "text", "extension" (an IPv6 header in front of TCP), "to"}. They
come from an address that is nobody's, so no kernel answers. Prints "sent" at the end.
"""
import json, socket, struct, sys

device, mac, destination = sys.argv[1:4]
six = ":" in destination
family = socket.AF_INET6 if six else socket.AF_INET
source = "2001:db8::9" if six else "192.0.2.9"
bits = {"F": 1, "S": 2, "R": 4, "A": 16}


def checksum(content):
    content += b"\0" * (len(content) % 2)
    total = sum(struct.unpack(f"!{len(content) // 2}H", content))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(segment):
    payload = segment.get("text", "").encode()
    ends = [socket.inet_pton(family, one) for one in (source, segment.get("to", destination))]
    flags = sum(bits[letter] for letter in segment.get("flags", "A"))
    head = struct.pack("!HHIIBBHHH", segment.get("port", 40000), 80, segment["seq"] & 0xFFFFFFFF, 1, 5 << 4, flags, 65535, 0, 0)
    length = len(head) + len(payload)
    pseudo = b"".join(ends) + (struct.pack("!II", length, 6) if six else struct.pack("!HH", 6, length))
    tcp = head[:16] + struct.pack("!H", checksum(pseudo + head + payload)) + head[18:] + payload
    if six:
        extension = b"\x06\0\x01\x04\0\0\0\0" if segment.get("extension") else b""
        first = 60 if extension else 6
        return struct.pack("!IHBB", 6 << 28, len(extension + tcp), first, 64) + b"".join(ends) + extension + tcp
    start = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0)
    return start[:10] + struct.pack("!H", checksum(start + b"".join(ends))) + b"".join(ends) + tcp


wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
for line in sys.stdin:
    wire.sendto(packet(json.loads(line)), (device, 0x86DD if six else 0x0800, 0, 0, bytes.fromhex(mac.replace(":", ""))))
print("sent")
