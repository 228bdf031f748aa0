// sock_diag against the kernel: a bound socket is found, with the inode that /proc names, and a closed one is
// not.

import assert from "node:assert/strict";
import { DatagramSocket } from "./datagram.ts";
import { Gate } from "./gate.ts";
import { boundSockets } from "./sock_diag.ts";
import { dialTcp, listenTcp } from "./socket.ts";

function inodesOfOwn(): Set<string> {
  const links = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`);
    } catch {
      return ""; // the directory's own
    }
  });
  return new Set(links);
}

for (const address of ["127.0.0.1", "::1"]) {
  Deno.test(`${address}: a listener and a UDP socket are found by port and inode`, () => {
    const listener = listenTcp({ address, port: 0 });
    const socket = DatagramSocket.bind(address);
    const places = [["tcp", listener.address.port], ["udp", socket.localAddress.port]] as const;
    for (const [protocol, port] of places) {
      const found = boundSockets(protocol)?.find((one) => one.port === port);
      assert.ok(found !== undefined, protocol);
      assert.ok(inodesOfOwn().has(`socket:[${found.inode}]`), protocol);
    }
    listener.close();
    socket.close();
    for (const [protocol, port] of places) {
      assert.equal(boundSockets(protocol)?.some((one) => one.port === port), false, protocol);
    }
  });
}

Deno.test("a socket that waits at a gate is found until it is let go", async () => {
  using gate = new Gate("127.0.0.1");
  const stop = new AbortController();
  const port = Promise.withResolvers<number>();
  const dialling = dialTcp({
    destination: gate.address,
    source: { address: "127.0.0.1", port: 0 },
    bound: (source) => port.resolve(source.port),
    signal: stop.signal,
  });
  const found = await port.promise;
  assert.equal(boundSockets("waiting")?.some((one) => one.port === found), true);
  assert.equal(boundSockets("tcp")?.some((one) => one.port === found), false);
  stop.abort(new Error("enough"));
  await assert.rejects(dialling, { message: "enough" });
  assert.equal(boundSockets("waiting")?.some((one) => one.port === found), false);
});
