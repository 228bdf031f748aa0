// A session that answers what the test says, right by its form or not, for tests of the layer: real frames
// over real sockets, holders of files are taken and forgotten. What it knows nothing of gets an empty answer.

import {
  type Body,
  connStream,
  decode,
  encode,
  layerMessages,
  Link,
  type Received,
} from "../../protocol-wasm/mod.ts";

type Messages = typeof layerMessages;
type Frame = Received<Messages>;

/** The body of the answer to `frame`; null: the form that is `helloReply`'s, or nothing. */
export type Answer = (frame: Frame) => Uint8Array | null;

export class NonsenseSession implements AsyncDisposable {
  /** Questions so far. */
  asked = 0;
  readonly #folder = Deno.makeTempDirSync({ prefix: "mirrord-nonsense-" });
  readonly #answer: Answer;
  readonly #listeners: Deno.Listener[];
  readonly #links = new Set<Link<Messages>>();
  readonly #holds = new Set<Deno.Conn>();
  readonly #serving: Promise<void>[];

  constructor(answer: Answer) {
    this.#answer = answer;
    const path = `${this.#folder}/session.sock`;
    this.#listeners = [path, `${path}.files`].map((path) => Deno.listen({ transport: "unix", path }));
    Deno.writeTextFileSync(`${path}.paths`, "1\nA/pod\nL/\n");
    const [links, holds] = this.#listeners;
    this.#serving = [
      this.#accept(links, (conn) => void this.#serve(conn)),
      this.#accept(holds, (conn) => void this.#hold(conn)),
    ];
  }

  env(layer: string): Record<string, string> {
    return {
      LD_PRELOAD: layer,
      MIRRORD_LAYER_SOCKET: `${this.#folder}/session.sock`,
      MIRRORD_SESSION_PID: String(Deno.pid),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    await Promise.all(this.#serving);
    for (const link of this.#links) await link[Symbol.asyncDispose]();
    for (const conn of this.#holds) conn.close();
    Deno.removeSync(this.#folder, { recursive: true });
  }

  async #accept(listener: Deno.Listener | undefined, take: (conn: Deno.Conn) => void): Promise<void> {
    for (;;) {
      try {
        const conn = await listener?.accept();
        if (conn === undefined) return;
        take(conn);
      } catch {
        return; // closed
      }
    }
  }

  async #hold(conn: Deno.Conn): Promise<void> {
    this.#holds.add(conn);
    const into = new Uint8Array(64);
    while (await conn.read(into).catch(() => null) !== null);
    if (this.#holds.delete(conn)) conn.close();
  }

  async #serve(conn: Deno.Conn): Promise<void> {
    const link = new Link(connStream(conn), layerMessages, { side: "agent" });
    this.#links.add(link);
    for await (const frame of link.received()) {
      const name = `${frame.name}Reply`;
      if (!(name in layerMessages)) continue;
      this.asked++;
      const body = frame.name === "hello" ? helloReply() : this.#answer(frame) ?? new Uint8Array();
      await link.send(frame.name, frame.id, body, 1).catch(() => {});
    }
    this.#links.delete(link);
  }
}

/** All floors are caught. */
function helloReply(): Uint8Array {
  return encode(layerMessages.helloReply, {
    incoming: true,
    outgoing: true,
    dns: true,
    files: true,
    interfaces: true,
    paths: new TextEncoder().encode("A/pod\nL/\n"),
  });
}

/** The body of `frame`, which is a question `kind`. */
export function bodyOf<K extends keyof Messages & string>(kind: K, frame: Frame): Body<Messages[K]> {
  return decode<Messages[K]>(layerMessages[kind], frame.body);
}
