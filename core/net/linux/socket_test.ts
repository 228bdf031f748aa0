// The sockets against the kernel over loopback, each alone.

import assert from "node:assert/strict";
import { noErrno, outcome } from "./libc.ts";
import { E, SystemError } from "../system_error.ts";
import { dialTcp, listenTcp, retry, type Socket } from "./socket.ts";

/** Both ends of a connection; the caller closes them. */
async function pair(): Promise<[Socket, Socket]> {
  const listener = listenTcp({ address: "127.0.0.1", port: 0 });
  const [near, far] = await Promise.all([dialTcp({ destination: listener.address }), listener.accept()]);
  listener.close();
  assert.ok(far !== null);
  return [near, far];
}

const fails = (errno: number) => (error: unknown) => error instanceof SystemError && error.errno === errno;

Deno.test("bytes, half-close and end arrive", async () => {
  const [near, far] = await pair();
  assert.deepEqual(near.localAddress, far.peerAddress);
  await near.write(new Uint8Array([1, 2, 3]));
  await near.closeWrite();
  assert.deepEqual(await far.read(), new Uint8Array([1, 2, 3]));
  assert.equal(await far.read(), null);
  await far.write(new Uint8Array([4]));
  assert.deepEqual(await near.read(), new Uint8Array([4]));
  near.close();
  far.close();
});

Deno.test("writes wait for the reader and keep their order", async () => {
  const [near, far] = await pair();
  const writes = [1, 2, 3].map((value) => near.write(new Uint8Array(8 << 20).fill(value)));
  let done = false;
  const all = Promise.all(writes).then(() => done = true);
  const counts = [0, 0, 0, 0];
  let last = 0;
  while (counts.reduce((a, b) => a + b) < 3 * (8 << 20)) {
    const bytes = await far.read();
    assert.ok(bytes !== null);
    if (counts[1] === 0) assert.equal(done, false);
    for (const value of bytes) {
      assert.ok(value >= last);
      last = value;
      counts[value] = (counts[value] ?? 0) + 1;
    }
  }
  await all;
  assert.deepEqual(counts, [0, 8 << 20, 8 << 20, 8 << 20]);
  near.close();
  far.close();
});

Deno.test("a reset rejects what the other end waits for", async () => {
  const [near, far] = await pair();
  const waiting = far.read();
  near.reset();
  await assert.rejects(waiting, fails(E.ECONNRESET));
  far.close();
});

Deno.test("a close lets go of what this end waits for", async () => {
  const [near, far] = await pair();
  const reading = near.read();
  const writing = near.write(new Uint8Array(64 << 20));
  near.close();
  await assert.rejects(reading, fails(E.ECONNRESET));
  await assert.rejects(writing, fails(E.ECONNRESET));
  await assert.rejects(near.read(), fails(E.ECONNRESET));
  far.close();
});

Deno.test("a port without a listener is a refused connection", async () => {
  const listener = listenTcp({ address: "127.0.0.1", port: 0 });
  listener.close();
  assert.equal(await listener.accept(), null);
  await assert.rejects(dialTcp({ destination: listener.address }), fails(E.ECONNREFUSED));
});

Deno.test("a dial tells its source before it connects, and can be given up", async () => {
  const listener = listenTcp({ address: "127.0.0.1", port: 0 });
  let source = 0;
  const near = await dialTcp({
    destination: listener.address,
    source: { address: "127.0.0.1", port: 0 },
    bound: (from) => source = from.port,
  });
  assert.equal(near.localAddress.port, source);
  near.close();
  listener.close();
  // 192.0.2.0/24 is for documentation: no host answers there (RFC 5737), or the network refuses at once.
  const giveUp = new AbortController();
  const dial = dialTcp({ destination: { address: "192.0.2.1", port: 9 }, signal: giveUp.signal });
  giveUp.abort(new Error("given up"));
  await assert.rejects(dial, (error: Error) => error.message === "given up" || error instanceof SystemError);
});

Deno.test("1000 round trips on 50 connections at once", async () => {
  const pairs = await Promise.all(Array.from({ length: 50 }, pair));
  await Promise.all(pairs.map(async ([near, far], i) => {
    for (let j = 0; j < 20; j++) {
      await near.write(new Uint8Array([i, j]));
      const heard = await far.read();
      assert.deepEqual(heard, new Uint8Array([i, j]));
      await far.write(heard);
      assert.deepEqual(await near.read(), new Uint8Array([i, j]));
    }
    near.close();
    far.close();
  }));
});

Deno.test("an errno that is no socket's is asked for again, and at last told as it is", () => {
  for (const [foreign, told] of [[E.ENOENT, E.ENOENT], [noErrno, E.EIO]] as const) {
    let calls = 0;
    assert.equal(retry(() => ++calls < 3 ? -foreign : 7), 7);
    assert.equal(calls, 3);
    assert.equal(retry(() => -foreign), -told);
  }
});

Deno.test("a call's own errno is reported, whatever was left before", () => {
  for (const path of ["/nowhere", "/dev/null/nothing"]) {
    assert.throws(() => Deno.statSync(path));
    assert.equal(outcome.recv(-1, new Uint8Array(1), 0), -E.EBADF);
    assert.equal(outcome.send(-1, new Uint8Array(1), 0), -E.EBADF);
    assert.equal(outcome.accept(-1), -E.EBADF);
    assert.equal(outcome.connect(-1, new Uint8Array(16)), -E.EBADF);
  }
});
