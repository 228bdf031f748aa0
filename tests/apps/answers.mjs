// A Node program that serves port 80 (or PORT) and answers every request as local.py does: who it is, and the
// variables that the request names (?env=A).

import { createServer } from "node:http";
import process from "node:process";

createServer((request, response) => {
  const names = new URL(request.url, "http://here").searchParams.getAll("env");
  const env = Object.fromEntries(names.map((name) => [name, process.env[name] ?? null]));
  const peer = request.socket.remoteAddress.replace(/^::ffff:/, "");
  response.end(JSON.stringify({ by: "local", pid: process.pid, peer, env }));
}).listen(Number(process.env.PORT ?? 80));
