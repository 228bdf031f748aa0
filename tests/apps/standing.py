"""A program that stands at a breakpoint: standing.py PORT ... listens there and answers nobody.

"heard PORT" on standard error tells that a connection came, so that a test knows whom it would have kept waiting.
"""
import selectors, socket, sys

selector = selectors.DefaultSelector()
for port in map(int, sys.argv[1:]):
    selector.register(socket.create_server(("", port)), selectors.EVENT_READ, port)
print("listening", *sys.argv[1:], file=sys.stderr, flush=True)
kept = []
while True:
    for key, _ in selector.select():
        kept.append(key.fileobj.accept())
        print(f"heard {key.data}", file=sys.stderr, flush=True)
