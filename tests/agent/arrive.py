"""A client whose first packet has HOPS hops to live: arrive.py ADDRESS PORT HOPS FROM [TEXT]. FROM: its address, "" any.

Sends TEXT (with Python's escapes), half-closes, and prints what it hears; without TEXT it only connects and closes.
"""
import socket, sys

address, port, hops, source, *text = sys.argv[1:]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
conn = socket.socket(family)
if family == socket.AF_INET:
    conn.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, int(hops))
else:
    conn.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, int(hops))
if source:
    conn.bind((source, 0))
conn.connect((address, int(port)))
if text:
    conn.sendall(text[0].encode().decode("unicode_escape").encode("latin1"))
    conn.shutdown(socket.SHUT_WR)
    heard = b""
    try:
        while chunk := conn.recv(65536):
            heard += chunk
    except ConnectionResetError:
        heard += b"reset"
    sys.stdout.buffer.write(heard)
conn.close()
