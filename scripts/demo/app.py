# The demo's program, run twice: once as the service, once on "the developer's machine". Standard library only.
# Its first argument says which of the two it is; everything else it shows comes from where it thinks it runs.
import http.server
import os
import sys


class Greeter(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        variable = os.environ.get("DEMO_GREETING", "(not set)")
        body = f"{sys.argv[1]}\t{variable}\t{self.client_address[0]}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("", 80), Greeter).serve_forever()
