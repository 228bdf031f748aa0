// Which client a connection to the app's listener belongs to.

import assert from "node:assert/strict";
import { Peers } from "./peers.ts";

const client = { peer: { address: "10.0.0.9", port: 4711 }, local: { address: "10.0.0.2", port: 80 } };

function dialled(peers: Peers, address = "127.0.0.1"): { isClosed: boolean } {
  const socket = { isClosed: false };
  peers.add({ address, port: 40000 }, client).connected(socket);
  return socket;
}

Deno.test("an open connection of the session's is its client's, however often that is asked", () => {
  const peers = new Peers();
  dialled(peers);
  assert.equal(peers.of({ address: "127.0.0.1", port: 40000 }), client);
  assert.equal(peers.of({ address: "127.0.0.1", port: 40000 }), client);
  assert.equal(peers.of({ address: "127.0.0.1", port: 40001 }), undefined);
});

Deno.test("a program that dials from a port that the session used before is not its client", () => {
  const peers = new Peers();
  const own = dialled(peers);
  assert.equal(peers.of({ address: "127.0.0.1", port: 40000 }), client);
  own.isClosed = true;
  assert.equal(peers.of({ address: "127.0.0.1", port: 40000 }), undefined);
});

Deno.test("a program that dials from another address with a port of the session's is not its client", () => {
  const peers = new Peers();
  dialled(peers);
  assert.equal(peers.of({ address: "127.0.0.2", port: 40000 }), undefined);
  assert.equal(peers.of({ address: "::1", port: 40000 }), undefined);
});

Deno.test("an app that accepts after the client left gets its address once", () => {
  const peers = new Peers();
  dialled(peers).isClosed = true;
  assert.equal(peers.of({ address: "127.0.0.1", port: 40000 }), client);
  assert.equal(peers.of({ address: "127.0.0.1", port: 40000 }), undefined);
});

Deno.test("a dial is its client's before there is a connection, and nobody's once it failed", () => {
  const peers = new Peers();
  const dial = peers.add({ address: "127.0.0.1", port: 40000 }, client);
  assert.equal(peers.of({ address: "127.0.0.1", port: 40000 }), client);
  dial.failed();
  assert.equal(peers.of({ address: "127.0.0.1", port: 40000 }), undefined);
});

Deno.test("a dial that failed takes nothing from a later one from the same port", () => {
  const peers = new Peers();
  const first = peers.add({ address: "127.0.0.1", port: 40000 }, client);
  dialled(peers);
  first.failed();
  assert.equal(peers.of({ address: "127.0.0.1", port: 40000 }), client);
});
