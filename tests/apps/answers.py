"""Serves port 80 and answers every request as answers.mjs does: who it is, and the variables that the request
names (?env=A). A debugger stops in answer(), where the variables can be seen."""

import http.server
import json
import os
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query))

    def answer(self, query):
        env = {name: os.environ.get(name) for name in query.get("env", [])}
        content = json.dumps({"by": "local", "pid": os.getpid(), "env": env}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format, *args):
        pass


http.server.ThreadingHTTPServer(("0.0.0.0", 80), Handler).serve_forever()
