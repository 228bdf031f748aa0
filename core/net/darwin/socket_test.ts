// A connection by the runtime's own sockets: half-closes, what is known of bytes that nobody has read yet,
// errnos.

import assert from "node:assert/strict";
import { E, SystemError } from "../system_error.ts";
import { setImmediate as turn } from "node:timers/promises";
import { dialTcp, Socket } from "./socket.ts";

async function pair(): Promise<{ a: Socket; b: Socket }> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [a, conn] = await Promise.all([
    dialTcp({ destination: { address: "127.0.0.1", port: listener.addr.port } }),
    listener.accept(),
  ]);
  return { a, b: new Socket(conn) };
}

async function textOf(socket: Socket): Promise<string> {
  let text = "";
  for (let bytes = await socket.read(); bytes !== null; bytes = await socket.read()) {
    text += new TextDecoder().decode(bytes);
  }
  return text;
}

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("each half ends by itself", async () => {
  const { a, b } = await pair();
  assert.equal(a.localAddress.port, b.peerAddress.port);
  await a.write(bytes("there"));
  await a.closeWrite();
  assert.equal(await textOf(b), "there");
  assert.equal(b.peerIsOver, true);
  assert.equal(a.peerIsOver, false);
  await Promise.all([b.write(bytes("and ")), b.write(bytes("back"))]);
  b.close();
  assert.equal(await textOf(a), "and back");
  a.close();
  assert.ok(a.isClosed && b.isClosed);
});

Deno.test("what came and was not read is counted, and is read before the end", async () => {
  const { a, b } = await pair();
  await a.write(bytes("four"));
  a.close();
  while (b.unread === 0) await turn();
  assert.equal(b.unread, 4);
  assert.equal(await textOf(b), "four");
  assert.equal(b.unread, 0);
  b.close();
});

Deno.test("failures have Linux's errnos", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const failure = async (work: Promise<unknown>) => {
    const error = await work.then(() => null, (error) => error);
    assert.ok(error instanceof SystemError, String(error));
    return error.errno;
  };
  const destination = { address: "127.0.0.1", port };
  assert.equal(await failure(dialTcp({ destination })), E.ECONNREFUSED);
  assert.equal(await failure(dialTcp({ destination, source: destination })), E.EOPNOTSUPP);
  const { a, b } = await pair();
  a.reset();
  assert.equal(await failure(a.read()), E.ECONNRESET);
  assert.equal(await failure(a.write(bytes("x"))), E.ECONNRESET);
  b.close();
  await assert.rejects(dialTcp({ destination, signal: AbortSignal.abort(new Error("no")) }), /no/);
});
