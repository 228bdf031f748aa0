# A service that only the target can reach: answers every request on port 8080 with one line.
import http.server


class Ledger(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"42 entries, asked from {self.client_address[0]}\n".encode())

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("", 8080), Ledger).serve_forever()
