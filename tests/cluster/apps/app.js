// A Node target: answers every request with who it is and what it saw.

"use strict";
const process = require("node:process");
const http = require("node:http");

const server = http.createServer(async (request, response) => {
  let length = 0;
  for await (const part of request) length += part.length;
  const { method, url: path, rawHeaders: headers } = request;
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ by: "original", method, path, headers, body_length: length }) + "\n");
});

// The first process of a container has no default action for signals.
process.on("SIGTERM", () => process.exit(0));
server.listen(Number(process.env.PORT ?? 80), process.env.LISTEN ?? "::");
