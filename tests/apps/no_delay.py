# Accepts one connection on the port given and says whether small writes on it are delayed (TCP_NODELAY is off).
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(sys.argv[1], flush=True)
connection, _ = listener.accept()
print("at once" if connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) else "delayed", flush=True)
