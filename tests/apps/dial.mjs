// Dials as Node programs do, and prints what came of it as one line of JSON. Arguments: a host and a port where the target's
// server answers, and one where nobody does.

import net from "node:net";
import process from "node:process";

const [host, port, nobody] = process.argv.slice(2);
const place = host.includes(":") ? `[${host}]` : host;

const connect = (to) =>
  new Promise((resolve) => {
    const socket = net.connect({ host, port: Number(to) });
    socket.on("connect", () => {
      resolve([socket.remoteAddress, socket.localAddress]);
      socket.destroy();
    });
    socket.on("error", (error) => resolve(error.code));
  });

const body = async () => (await (await fetch(`http://${place}:${port}/`)).json()).by;
const big = async () =>
  (await (await fetch(`http://${place}:${port}/chunked/3000000`)).arrayBuffer()).byteLength;

process.stdout.write(
  JSON.stringify({
    fetch: await body(),
    big: await big(),
    connect: await connect(port),
    refused: await connect(nobody),
    fetchRefused: await fetch(`http://${place}:${nobody}/`).then(() => "0", (error) => error.cause.code),
    many: (await Promise.all(Array.from({ length: 50 }, body))).filter((by) => by === "original").length,
  }) + "\n",
);
