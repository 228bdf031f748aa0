// The end of a long message over TLS, with a server that reads late: the kernel's buffers are full by then,
// and without the file under test up to 64 KiB stay in this process for good.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { authority, type Certificate, serverCertificate } from "../../tests/support/certificates.ts";
import { deadline } from "../../tests/support/deadline.ts";
import { type AttachInput, openAttachInput } from "./attach_input.ts";
import { openWebSocketForward } from "./websocket_forward.ts";

/** So far apart are the lengths that are tried; what can stay behind is longer. */
const step = 12 << 10;
const steps = 8;

/** A server of one WebSocket that reads nothing until `read` is called. */
class LateServer implements Disposable {
  /** Bytes that arrived after `read`, frames' heads with them. */
  arrived = 0;
  readonly #listener: Deno.TlsListener;
  readonly #client: Deno.HttpClient;
  readonly #read = Promise.withResolvers<void>();
  #wake = Promise.withResolvers<void>();
  #near: Deno.TlsConn | undefined;

  constructor(own: Certificate, by: Certificate, greeting: readonly Uint8Array[]) {
    this.#listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...own });
    this.#client = Deno.createHttpClient({ caCerts: [by.cert] });
    void this.#serve(greeting);
  }

  get options() {
    return {
      url: `wss://127.0.0.1:${this.#listener.addr.port}`,
      headers: {},
      client: this.#client,
      signal: new AbortController().signal,
      refused: (cause: unknown) => Promise.resolve(new Error(`refused: ${cause}`)),
    };
  }

  /** Resolves when `bytes` are there. */
  async read(bytes: number): Promise<void> {
    this.#read.resolve();
    while (this.arrived < bytes) {
      this.#wake = Promise.withResolvers();
      await this.#wake.promise;
    }
  }

  [Symbol.dispose](): void {
    this.#near?.close();
    this.#listener.close();
    this.#client.close();
  }

  async #serve(greeting: readonly Uint8Array[]): Promise<void> {
    const near = this.#near = await this.#listener.accept();
    const buffer = new Uint8Array(1 << 16);
    let head = "";
    while (!head.endsWith("\r\n\r\n")) {
      head += new TextDecoder().decode(buffer.subarray(0, await near.read(buffer) ?? 0));
    }
    const key = /sec-websocket-key: (\S+)/i.exec(head)?.[1];
    const answer = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    lines.push("Sec-WebSocket-Protocol: v4.channel.k8s.io", `Sec-WebSocket-Accept: ${answer}`);
    await near.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
    for (const message of greeting) await near.write(Uint8Array.of(0x82, message.length, ...message));
    await this.#read.promise;
    for (;;) {
      const count = await near.read(buffer).catch(() => null);
      if (count === null) return;
      this.arrived += count;
      this.#wake.resolve();
    }
  }
}

/** How much a connection takes whose server reads nothing: all buffers, the one in this process too. */
async function capacity(own: Certificate, by: Certificate): Promise<number> {
  using server = new LateServer(own, by, []);
  const { url, client } = server.options;
  const socket = new WebSocket(url, { protocols: ["v4.channel.k8s.io"], client });
  await new Promise((resolve) => socket.onopen = resolve);
  const part = new Uint8Array(4096);
  let taken = 0;
  for (let fullFor = 0; fullFor < 100;) {
    await setImmediate();
    if (socket.bufferedAmount > 0) {
      fullFor++;
      continue;
    }
    fullFor = 0;
    socket.send(part);
    taken += part.length;
  }
  return taken;
}

async function everyLengthArrives(
  greeting: readonly Uint8Array[],
  open: (server: LateServer) => Promise<{ write(bytes: Uint8Array): Promise<void>; close(): void }>,
): Promise<void> {
  const by = await authority("late");
  const own = await serverCertificate(by);
  const full = await capacity(own, by);
  for (let less = 0; less < steps; less++) {
    using server = new LateServer(own, by, greeting);
    const sender = await open(server);
    const length = full - less * step;
    const part = new Uint8Array(4096);
    for (let sent = 0; sent < length; sent += part.length) {
      await sender.write(part);
      await setImmediate();
    }
    await deadline(server.read(length), `the last of ${length} bytes`);
    assert.ok(server.arrived >= length);
    sender.close();
  }
}

Deno.test("the last bytes of a port-forward arrive when its server reads late", async () => {
  await everyLengthArrives(
    [Uint8Array.of(0, 0, 80), Uint8Array.of(1, 0, 80)],
    async (server) => await openWebSocketForward(server.options),
  );
});

Deno.test("the last bytes of a container's input arrive when its server reads late", async () => {
  await everyLengthArrives([], async (server) => {
    const input: AttachInput = await openAttachInput(server.options);
    return { write: (bytes) => input.write(bytes), close: () => input[Symbol.dispose]() };
  });
});
