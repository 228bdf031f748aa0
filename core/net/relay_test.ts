// The relay over real sockets: what the other way may lose when one fails, and in which order a connection
// ends.

import assert from "node:assert/strict";
import { dialTcp, type Listener, listenTcp, type Socket } from "./linux/socket.ts";
import { unwatched } from "./linux/poll.ts";
import { openWay, relay } from "./relay.ts";

/** Two connections, each with its far end: what comes in at `left` is to go out at `right`. */
interface Pipe {
  client: Socket;
  left: Socket;
  right: Socket;
  server: Socket;
}

async function pair(listener: Listener): Promise<[Socket, Socket]> {
  const [near, far] = await Promise.all([dialTcp({ destination: listener.address }), listener.accept()]);
  assert.ok(far !== null);
  return [near, far];
}

async function withPipe(work: (pipe: Pipe) => Promise<void>): Promise<void> {
  const listener = listenTcp({ address: "127.0.0.1", port: 0 });
  const [client, left] = await pair(listener);
  const [right, server] = await pair(listener);
  try {
    await work({ client, left, right, server });
  } finally {
    for (const socket of [client, left, right, server]) socket.close();
    listener.close();
    await unwatched();
  }
}

/** All that comes, and how it ends. */
async function rest(socket: Socket): Promise<[bytes: number, end: string]> {
  let bytes = 0;
  try {
    for (let piece = await socket.read(); piece !== null; piece = await socket.read()) bytes += piece.length;
    return [bytes, "eof"];
  } catch (error) {
    return [bytes, error instanceof Error ? error.message : ""];
  }
}

Deno.test("an answer that was sent before the upload failed arrives, then the reset", async () => {
  await withPipe(async ({ client, left, right, server }) => {
    const relaying = relay(left, right);
    const uploading = client.write(new Uint8Array(20_000_000)).catch(() => {});
    await server.read();
    await server.write(new Uint8Array(50_000)); // an early answer, which the other kernel has at once
    server.close(); // with much unread: the kernel resets
    const [bytes, end] = await rest(client);
    assert.equal(bytes, 50_000);
    assert.match(end, /ECONNRESET/);
    assert.equal(await relaying, "reset");
    await uploading;
  });
});

Deno.test("a half-close before the failure is passed on as such", async () => {
  await withPipe(async ({ client, left, right, server }) => {
    const relaying = relay(left, right);
    await client.write(Uint8Array.of(1));
    await server.read();
    await server.write(new Uint8Array(300_000));
    server.close(); // with nothing unread: in order
    assert.deepEqual(await rest(client), [300_000, "eof"]);
    await client.write(Uint8Array.of(2)).catch(() => {});
    await client.closeWrite();
    await relaying;
  });
});

Deno.test("a reset comes behind all that was sent before it, to a reader that is slow", async () => {
  await withPipe(async ({ client, left, right, server }) => {
    const relaying = relay(left, right);
    await server.write(new Uint8Array(1000));
    const big = server.write(new Uint8Array(3_000_000));
    await big;
    const draining = server.resetInOrder();
    const [bytes, end] = await rest(client);
    assert.equal(bytes, 3_001_000);
    assert.match(end, /ECONNRESET/);
    await draining;
    assert.equal(await relaying, "reset");
  });
});

Deno.test("a socket that is closed in order delivers although its peer still sends", async () => {
  await withPipe(async ({ client, left }) => {
    const sending = client.write(new Uint8Array(20_000_000)).catch(() => {});
    const writing = left.write(new Uint8Array(3_000_000)).then(() => left.closeInOrder());
    const [bytes] = await rest(client);
    assert.equal(bytes, 3_000_000);
    await writing;
    await sending;
  });
});

/** Gives these pieces; keeps what was written and what was given back. */
function scripted(pieces: Uint8Array[], write: (bytes: Uint8Array) => Promise<void>) {
  const released: Uint8Array[] = [];
  return {
    released,
    read: () => Promise.resolve(pieces.shift() ?? null),
    release: (bytes: Uint8Array) => void released.push(bytes),
    write,
    closeWrite: () => Promise.resolve(),
    reset() {},
  };
}

Deno.test("bytes are given back once they were taken, and never before", async () => {
  const taken = Promise.withResolvers<void>();
  const [first, second] = [Uint8Array.of(1), Uint8Array.of(2)];
  const from = scripted([first, second], () => Promise.resolve());
  let written = 0;
  const to = scripted([], () => ++written === 1 ? taken.promise : Promise.reject(new Error("reset")));
  const way = openWay(from, to);
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(written, 1);
  assert.deepEqual(from.released, []);
  taken.resolve();
  assert.equal(await way.end, "sink");
  assert.deepEqual(from.released, [first]); // the second was not taken
});

Deno.test("what was given back takes no memory", async () => {
  await withPipe(async ({ client, left }) => {
    await client.write(new Uint8Array(10_000));
    const bytes = await left.read();
    assert.ok(bytes !== null);
    left.release(bytes);
    assert.equal(bytes.length, 0);
  });
});
