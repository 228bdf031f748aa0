// A Node HTTP server on the port given; answers who it thinks is asking, and on which address. With a second
// argument it is a cluster of two workers: "shared" hands them the listener, "rr" the connections.

import cluster from "node:cluster";
import http from "node:http";
import process from "node:process";

const [port, mode] = process.argv.slice(2);

if (mode !== undefined && cluster.isPrimary) {
  cluster.schedulingPolicy = mode === "rr" ? cluster.SCHED_RR : cluster.SCHED_NONE;
  let listening = 0;
  cluster.on("listening", () => ++listening === 2 && process.stdout.write(`${port}\n`));
  cluster.fork();
  cluster.fork();
} else {
  const server = http.createServer(({ socket }, response) => {
    const { remoteAddress, remotePort, localAddress, localPort } = socket;
    response.setHeader("connection", "close");
    response.end(`${remoteAddress} ${remotePort} ${localAddress} ${localPort}`);
  });
  server.listen(Number(port), "0.0.0.0", () => {
    if (mode === undefined) process.stdout.write(`${server.address().port}\n`);
  });
}
