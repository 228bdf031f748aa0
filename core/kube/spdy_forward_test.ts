// A port-forward by SPDY against a node of the test's own.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { deadline } from "../../tests/support/deadline.ts";
import { kubeClient } from "../../tests/support/kube_client.ts";
import { control, data, SpdyNode } from "../../tests/support/spdy_node.ts";
import type { LinkStream } from "../../protocol-wasm/mod.ts";

async function withForward(use: (stream: LinkStream, node: SpdyNode) => Promise<void>): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using kube = kubeClient(`http://127.0.0.1:${listener.addr.port}`);
  const [stream, node] = await deadline(
    Promise.all([kube.portForward("p", 81), SpdyNode.open(listener)]),
    "the port-forward to open",
  );
  try {
    await deadline(use(stream, node), "the port-forward");
  } finally {
    stream.close();
    node.conn.close();
  }
}

async function readAll(stream: LinkStream, count: number): Promise<Uint8Array> {
  const all = new Uint8Array(count);
  const into = new Uint8Array(1000);
  for (let at = 0; at < count;) {
    const read = await stream.read(into);
    assert.ok(read !== null);
    all.set(into.subarray(0, read), at);
    at += read;
  }
  return all;
}

Deno.test("two streams are opened for the port, by the request that the role allows", async () => {
  await withForward((_stream, node) => {
    assert.match(
      node.request[0] ?? "",
      /^GET \/api\/v1\/namespaces\/.+\/pods\/p\/portforward\?ports=81 HTTP\/1.1$/,
    );
    assert.ok(node.request.includes("Upgrade: SPDY/3.1"));
    assert.ok(node.request.includes("X-Stream-Protocol-Version: portforward.k8s.io"));
    assert.deepEqual(node.streams, [
      { port: "81", requestid: "0", streamtype: "error" },
      { port: "81", requestid: "0", streamtype: "data" },
    ]);
    return Promise.resolve();
  });
});

Deno.test("bytes go both ways whole and in order, and the memory is free when write returns", async () => {
  await withForward(async (stream, node) => {
    const large = Uint8Array.from({ length: 700_000 }, (_, index) => index % 251);
    const copy = large.slice();
    const arrives = node.bytes(copy.length + 2);
    const written = [stream.write(Uint8Array.of(9)), stream.write(copy), stream.write(Uint8Array.of(8))];
    copy.fill(0);
    await Promise.all(written);
    assert.ok(Buffer.from([9, ...large, 8]).equals(Buffer.from(await arrives)));
    const back = readAll(stream, large.length);
    for (let at = 0; at < large.length; at += 50_000) {
      await node.say(data(3, large.subarray(at, at + 50_000)));
    }
    assert.ok(Buffer.from(large).equals(Buffer.from(await back)));
  });
});

Deno.test("the end of the port's bytes is the stream's end", async () => {
  await withForward(async (stream, node) => {
    await node.say(data(3, Uint8Array.of(1, 2), true));
    await node.say(data(1, new Uint8Array(0), true));
    assert.deepEqual(await readAll(stream, 2), Uint8Array.of(1, 2));
    assert.equal(await stream.read(new Uint8Array(8)), null);
  });
});

Deno.test("the pod's refusal of a port is the stream's rejection", async () => {
  await withForward(async (stream, node) => {
    await node.say(data(1, new TextEncoder().encode("connection refused")));
    await assert.rejects(stream.read(new Uint8Array(8)), /^Error: connection refused$/);
    await assert.rejects(stream.write(new Uint8Array(8)), /^Error: connection refused$/);
  });
});

Deno.test("the node's pings are answered", async () => {
  await withForward(async (stream, node) => {
    const reading = stream.read(new Uint8Array(8));
    await node.say(control(6, [0, 0, 0, 4]));
    for (;;) {
      const { type, body } = await node.next();
      if (type !== 6) continue;
      assert.deepEqual(body, Uint8Array.of(0, 0, 0, 4));
      break;
    }
    stream.close();
    await reading.catch(() => {});
  });
});

Deno.test("bytes that come before the node takes the stream are kept", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using kube = kubeClient(`http://127.0.0.1:${listener.addr.port}`);
  const opening = kube.portForward("p", 81);
  const bytes = opening.then((stream) => readAll(stream, 3));
  const node = await deadline(SpdyNode.accept(listener), "the request");
  using _conn = node.conn;
  await node.next(); // the answer was read
  await node.say(data(3, Uint8Array.of(1, 2)));
  await node.say(control(6, [0, 0, 0, 2]));
  while ((await node.next()).type !== 6) { /* until the bytes were read */ }
  await node.say(control(2, [0, 0, 0, 3, 0, 0]));
  await node.say(data(3, Uint8Array.of(3)));
  assert.deepEqual(await deadline(bytes, "the bytes"), Uint8Array.of(1, 2, 3));
  (await opening).close();
});

Deno.test("closing ends a pending read, after what was written was sent", async () => {
  await withForward(async (stream, node) => {
    const reading = stream.read(new Uint8Array(8));
    await stream.write(Uint8Array.of(1, 2, 3));
    stream.close();
    assert.deepEqual(await node.bytes(3), Uint8Array.of(1, 2, 3));
    assert.equal(await reading, null);
    await assert.rejects(stream.write(new Uint8Array(1)), /closed/);
  });
});
