"""bridge.py PORT: standard input and output <-> 127.0.0.1:PORT of the namespace it runs in."""
import os, socket, sys, threading

connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))


def up():
    while chunk := os.read(0, 65536):
        connection.sendall(chunk)
    connection.shutdown(socket.SHUT_WR)


threading.Thread(target=up, daemon=True).start()
try:
    while chunk := connection.recv(65536):
        os.write(1, chunk)
except ConnectionResetError:
    pass
