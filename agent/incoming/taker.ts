// A client that may take connections of a port: a session, which is offered each one and answers whether it
// takes it. Made by incoming.ts from the client's link; steal.ts, route.ts and mirror.ts offer connections to
// it.
// Invariant: the connection's channel is open before the frame that offers it is written, so no byte is lost.

import type { Endpoint } from "../../core/net/address.ts";
import { type AgentLink, type LinkChannel, RemoteError } from "../../protocol-wasm/mod.ts";
import type { Heartbeat } from "./heartbeat.ts";

/** The two ends of a connection of the target's; a `Socket` has them. */
export interface Ends {
  readonly peerAddress: Endpoint;
  readonly localAddress: Endpoint;
}

/** A connection that was offered to a taker. `answer` rejects when the link ends. */
export interface Offer {
  readonly channel: LinkChannel;
  readonly answer: Promise<"taken" | "refused">;
}

export interface Taker {
  /** Offers it a connection of `port`; http: it gets requests, not the whole connection. */
  offer(connection: Ends, about: { port: number; http: boolean }): Offer;
  /** Whether it is there. */
  readonly heartbeat: Pick<Heartbeat, "present" | "silent" | "now" | "mayBeLost">;
}

/** The client at the other end of a link. */
export class LinkTaker implements Taker {
  readonly heartbeat: Taker["heartbeat"];
  readonly #link: AgentLink;

  constructor(link: AgentLink, heartbeat: Taker["heartbeat"]) {
    this.#link = link;
    this.heartbeat = heartbeat;
  }

  offer({ peerAddress: peer, localAddress: local }: Ends, about: { port: number; http: boolean }): Offer {
    const id = this.#link.nextId();
    const reply = this.#link.request("incoming", { ...about, peer, local }, { id });
    const channel = this.#link.openChannel(id);
    const answer = reply.then(() => "taken" as const, (error) => {
      if (error instanceof RemoteError) return "refused" as const;
      throw error;
    });
    return { channel, answer };
  }
}
