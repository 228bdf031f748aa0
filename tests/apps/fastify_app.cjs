// A Fastify app that says who it thinks is asking, and under /walk what it finds of the pod. The first argument is its
// port.

const fastify = require("fastify");
const process = require("node:process");
const { say, walk } = require("./walk.cjs");

const app = fastify({ forceCloseConnections: true });

app.addHook("onRequest", ({ url }, _reply, done) => {
  say(url.split("?")[0]);
  done();
});
app.get("/", ({ socket }, reply) => {
  const { remoteAddress: peer, remotePort: peer_port } = socket;
  const env = { GREETING: process.env.GREETING ?? null };
  reply.send({ by: "local", pid: process.pid, peer: peer.replace("::ffff:", ""), peer_port, env });
});
app.get("/walk", (request) => walk(request.query));
app.listen({ host: "::", port: Number(process.argv[2]) });
