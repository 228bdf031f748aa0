// Telling the client (a session) of a connection, and its answer. Called by steal.ts, http.ts and mirror.ts.
// Invariant: the connection's channel is open before the frame that tells of it is written, so no byte is lost.

import { type agentMessages, type ByteChannel, type Link, RemoteError } from "../../protocol-wasm/mod.ts";
import type { Endpoint } from "../../core/net/address.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** What handling a connection needs of its client. */
export interface Context {
  readonly link: Link<typeof agentMessages>;
  readonly subscriptions: Subscriptions;
  /** Tells the developer, once for each port and kind of notice. */
  notice(port: number, text: string): void;
}

/** The two ends of a connection of the target's; a `Socket` has them. */
export interface Ends {
  readonly peerAddress: Endpoint;
  readonly localAddress: Endpoint;
}

/** Tells the session of a connection; `answer` says whether it took it, and rejects when the link ends. */
export function offer(
  link: Link<typeof agentMessages>,
  connection: Ends,
  port: number,
  http: boolean,
): { channel: ByteChannel; answer: Promise<"taken" | "refused"> } {
  const id = link.nextId();
  const peer = connection.peerAddress;
  const local = connection.localAddress;
  const reply = link.request("incoming", { port, peer, local, http }, { id });
  const channel = link.openChannel(id);
  const answer = reply.then(() => "taken" as const, (error) => {
    if (error instanceof RemoteError) return "refused" as const;
    throw error;
  });
  return { channel, answer };
}
