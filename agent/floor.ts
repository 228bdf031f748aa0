// What a floor is to a client of the agent: the part of it that answers one section of the agent link's
// requests (incoming, outgoing, dns, files, env). Made and disposed by client.ts, which calls it for every
// frame of its kinds.

import type { AgentFrame, agentMessages } from "../protocol-wasm/mod.ts";

export interface Floor {
  /** The frames it answers, by name. */
  readonly kinds: readonly (keyof typeof agentMessages)[];
  /**
   * Answers `frame` on the link, with its kind and id. Throws Failure, or SystemError, for what the client
   * gets as errno and sentence. Requests run side by side: a floor that needs an order keeps it itself.
   */
  answer(frame: AgentFrame): Promise<void>;
  /** The client ended: frees everything, at once. */
  [Symbol.asyncDispose](): Promise<void>;
}
