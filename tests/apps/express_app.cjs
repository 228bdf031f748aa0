// An Express app that says who it thinks is asking, and under /walk what it finds of the pod. The first argument is
// its port; with a second one it is a cluster of so many workers.

const cluster = require("node:cluster");
const express = require("express");
const process = require("node:process");
const { say, walk } = require("./walk.cjs");

const [port, workers = "0"] = process.argv.slice(2);
const app = express();

app.use((request, _response, next) => {
  say(request.path);
  next();
});
app.get("/", ({ socket }, response) => {
  const { remoteAddress: peer, remotePort: peer_port } = socket;
  const env = { GREETING: process.env.GREETING ?? null };
  response.json({ by: "local", pid: process.pid, peer: peer.replace("::ffff:", ""), peer_port, env });
});
app.get("/walk", async (request, response) => {
  response.json(await walk(request.query));
});

if (Number(workers) === 0 || cluster.isWorker) app.listen(Number(port));
else for (let number = 0; number < Number(workers); number++) cluster.fork();
