# The demo's program, run in the target and on "the developer's machine". Standard library only. Its first argument
# says which of the two it is; all else it tells comes from where it thinks it runs. `--once` prints the facts and ends.
import http.server
import json
import os
import socket
import sys
import urllib.request


def attempt(work):
    try:
        return work()
    except OSError as error:
        error = getattr(error, "reason", error)
        return f"({error.strerror or error})"


def facts():
    return {
        "who": sys.argv[1],
        "variable": os.environ.get("DEMO_GREETING", "(not set)"),
        "name": attempt(lambda: socket.gethostbyname("ledger")),
        "call": attempt(lambda: urllib.request.urlopen("http://ledger:8080/", timeout=10).read().decode().strip()),
        "file": attempt(lambda: open("/srv/demo/motto.txt").read().strip()),
    }


class Greeter(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        client = self.client_address[0]
        print(f"{sys.argv[1]} saw {self.requestline} from {client}", flush=True)
        body = json.dumps({**facts(), "client": client}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


if "--once" in sys.argv:
    print(json.dumps(facts()))
else:
    http.server.ThreadingHTTPServer(("", 80), Greeter).serve_forever()
