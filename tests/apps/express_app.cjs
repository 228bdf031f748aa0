// An Express app that says who it thinks is asking. The first argument is its port.

const express = require("express");
const process = require("node:process");

express().get("/", ({ socket }, response) => {
  const { remoteAddress: peer, remotePort: peer_port } = socket;
  const env = { GREETING: process.env.GREETING ?? null };
  response.json({ by: "local", pid: process.pid, peer: peer.replace("::ffff:", ""), peer_port, env });
}).listen(Number(process.argv[2]));
