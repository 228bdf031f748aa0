// What the client sent and its peers have not received yet, for a session whose app has ended. Made by
// client.ts; outgoing.ts and incoming/ register each connection for as long as it is open.

import type { AgentFrame, AgentLink } from "../protocol-wasm/mod.ts";
import type { Endpoint } from "../core/net/address.ts";
import type { Floor } from "./floor.ts";

/** One connection's part. */
export interface Part {
  readonly peer: Endpoint;
  /** Bytes that wait here, or in the kernel for the peer's. */
  unsent(): number;
}

export class Unsent implements Floor {
  readonly kinds = ["unsent"] as const;
  readonly #link: AgentLink;
  readonly #parts = new Set<Part>();

  constructor(link: AgentLink) {
    this.#link = link;
  }

  /** Counts `part` until the result is disposed. */
  enter(part: Part): Disposable {
    this.#parts.add(part);
    return { [Symbol.dispose]: () => void this.#parts.delete(part) };
  }

  async answer(frame: AgentFrame): Promise<void> {
    for (const part of [...this.#parts]) {
      const bytes = part.unsent();
      if (bytes === 0) continue;
      await this.#link.send("unsentReply", frame.id, { peer: part.peer, bytes: BigInt(bytes) });
    }
    await this.#link.reply(frame, "unsentReply", { peer: { address: "", port: 0 }, bytes: 0n });
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
