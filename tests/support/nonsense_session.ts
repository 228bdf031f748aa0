// A session that answers what the test says, right by its form or not, for tests of the layer: real frames
// over real sockets, holders of files are taken and forgotten. What it knows nothing of gets an empty answer.

import {
  type Body,
  decode,
  encode,
  type LayerLink,
  layerMessages,
  type Received,
} from "../../protocol-wasm/mod.ts";
import { LayerDoor } from "./layer_door.ts";

type Messages = typeof layerMessages;
type Frame = Received<Messages>;

/** The body of the answer to `frame`; null: the form that is `helloReply`'s, or nothing. */
export type Answer = (frame: Frame) => Uint8Array | null;

export class NonsenseSession implements AsyncDisposable {
  /** Questions so far. */
  asked = 0;
  readonly #answer: Answer;
  readonly #door = new LayerDoor((link) => this.#serve(link));
  readonly #holders = Deno.listen({ transport: "unix", path: `${this.#door.path}.files` });
  readonly #holds = new Set<Deno.Conn>();
  readonly #holding = this.#serveHolds();

  constructor(answer: Answer) {
    this.#answer = answer;
    this.#door.writePaths("1\nA/pod\nL/\n");
  }

  env(layer: string): Record<string, string> {
    return this.#door.env(layer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holders.close();
    await this.#holding;
    for (const conn of this.#holds) conn.close();
    await this.#door[Symbol.asyncDispose]();
  }

  async #serveHolds(): Promise<void> {
    for await (const conn of this.#holders) void this.#hold(conn);
  }

  async #hold(conn: Deno.Conn): Promise<void> {
    this.#holds.add(conn);
    const into = new Uint8Array(64);
    while (await conn.read(into).catch(() => null) !== null);
    if (this.#holds.delete(conn)) conn.close();
  }

  async #serve(link: LayerLink): Promise<void> {
    for await (const frame of link.received()) {
      const name = `${frame.name}Reply`;
      if (!(name in layerMessages)) continue;
      this.asked++;
      const body = frame.name === "hello" ? helloReply() : this.#answer(frame) ?? new Uint8Array();
      await link.send(frame.name, frame.id, body, 1);
    }
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
