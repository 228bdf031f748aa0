"""A peer that reads to the end and prints, for each connection, a line of JSON: how many bytes, their SHA-256, how it
ended ("eof", or the name of an errno).

usage: sink.py listen|once|dial HOST PORT [BYTES_PER_SECOND [REQUEST]]
       sink.py datagrams HOST PORT
"listening" comes first from a listener; "once" ends with its first connection. A rate of 0 is no limit, -1 reads nothing. REQUEST is sent first. Datagrams are
printed as a list of texts when one comes that is "end".
"""

import errno
import hashlib
import json
import socket
import sys
import threading
import time

SO_RCVBUFFORCE = 33


def read(connection, rate):
    count, digest, end = 0, hashlib.sha256(), "eof"
    try:
        while True:
            if rate < 0:
                time.sleep(3600)
            piece = connection.recv(65536)
            if not piece:
                break
            count += len(piece)
            digest.update(piece)
            if rate > 0:
                time.sleep(len(piece) / rate)
    except OSError as error:
        end = errno.errorcode.get(error.errno, str(error))
    print(json.dumps({"bytes": count, "sha256": digest.hexdigest(), "end": end}), flush=True)


def datagrams(family, host, port):
    receiver = socket.socket(family, socket.SOCK_DGRAM)
    try:
        receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    except PermissionError:
        pass  # a pod has not the right, and gets no large ones
    receiver.bind((host, port))
    print("listening", flush=True)
    texts = []
    while True:
        text = receiver.recv(70000).decode()
        if text == "end":
            print(json.dumps(texts), flush=True)
            texts = []
        else:
            texts.append(text)


def main():
    what, host, port, rate, request = [*sys.argv[1:], "0", ""][:5]
    rate = float(rate)
    if what == "dial":
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(request.encode())
            read(connection, rate)
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if what == "datagrams":
        return datagrams(family, host, int(port))
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, int(port)))
    listener.listen(100)
    print("listening", flush=True)
    if what == "once":
        return read(listener.accept()[0], rate)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=read, args=(connection, rate), daemon=True).start()


main()
