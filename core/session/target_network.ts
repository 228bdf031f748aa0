// The questions about the target's network that several parts of a session ask of the agent: the addresses of
// a name, and a TCP connection. Called by dns.ts and outgoing.ts for the app, by forward/outward.ts for the
// clients of `mirrord port-forward`.

import {
  type Address,
  type AgentLink,
  agentMessages,
  type Body,
  decode,
  E,
  LinkError,
  RemoteError,
} from "../../protocol-wasm/mod.ts";

/** h_errno of "ask again later" (<netdb.h>). */
export const tryAgain = 2;

/** A look-up's answer: what it ended with (h_errno), names and packed addresses. */
export type LookedUp = Body<typeof agentMessages.lookupReply>;

/** Looks a name up as a program beside the target would; an agent that is busy says "try again". */
export async function lookUp(
  agent: AgentLink,
  asked: Body<typeof agentMessages.lookup>,
): Promise<LookedUp> {
  const [frame] = await unlessBusy(agent.request("lookup", asked));
  if (frame === undefined) return { ending: tryAgain, name: "", aliases: "", addresses: new Uint8Array() };
  return decode(agentMessages.lookupReply, frame.body);
}

/** The reply's frames; none when the agent has as many questions as it takes. */
export async function unlessBusy<T>(reply: Promise<T[]>): Promise<T[]> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof RemoteError && error.errno === E.EAGAIN) return [];
    throw error;
  }
}

/** A connection that the target is to make; source: an address of the target's that it is made from. */
export interface Wanted {
  id: number;
  remote: Address;
  source?: Address;
  signal?: AbortSignal;
}

/**
 * Connects from the target; connection `id` of the link carries the bytes. Rejects with RemoteError when the
 * target cannot connect, with LinkError when the link ends, with the signal's reason.
 */
export async function connectFromTarget(
  agent: AgentLink,
  { id, remote, source, signal }: Wanted,
): Promise<{ local: Address; peer: Address }> {
  const options = signal === undefined ? { id } : { id, signal };
  const [frame] =
    await (source === undefined
      ? agent.request("connect", { remote }, options)
      : agent.request("connectFrom", { remote, source }, options));
  if (frame === undefined) throw new LinkError("Cannot connect: the agent's answer is empty");
  return decode(agentMessages.connectReply, frame.body);
}
