// The agent's messages that answer no request: connections of subscribed ports, and notices. Called by
// session.ts, and by forward/forwarding.ts, for as long as the link lives. A frame that no agent sends here
// ends the link, and with it the session: otherwise an unanswered message would go unnoticed.

import {
  type AgentLink,
  agentMessages,
  type Body,
  decode,
  LinkError,
  NonsenseError,
  type Received,
} from "../../protocol-wasm/mod.ts";
import { Notices } from "../deploy/notices.ts";
import type { Emit } from "./events.ts";
import type { StolenConnection } from "./incoming.ts";
import type { Subscriptions } from "./subscriptions.ts";

type Offered = Body<typeof agentMessages.incoming>;

/** What takes the connections of subscribed ports. */
export interface Taker {
  /** The ports at the agent; null: none is ever subscribed. */
  readonly subscriptions: Pick<Subscriptions, "silence"> | null;
  connection(stolen: StolenConnection): Promise<void>;
}

export interface HearOptions {
  incoming: Taker;
  emit: Emit;
  /** Lets work run by the side, to its end or failure. */
  run: (work: Promise<void>) => void;
}

/** Answers the agent's messages until its link ends. */
export async function hear(agent: AgentLink, { incoming, emit, run }: HearOptions): Promise<void> {
  using notices = new Notices({ show: (level, text) => emit({ type: "notice", level, text }) });
  try {
    for await (const frame of agent.received()) {
      if (frame.name === "incoming") {
        run(offered(agent, frame, decode(agentMessages.incoming, frame.body), incoming));
      } else if (frame.name === "notice") {
        const { level, text } = decode(agentMessages.notice, frame.body);
        notices.say(level, text);
      } else if (frame.name === "silence") {
        incoming.subscriptions?.silence.say(decode(agentMessages.silence, frame.body));
      } else throw new NonsenseError(`Cannot accept a message "${frame.name}": it is out of place`);
    }
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    agent.close(error);
  }
}

/** A connection of the target's: to the app, or back. */
async function offered(
  agent: AgentLink,
  frame: Received<typeof agentMessages>,
  { port, peer, local }: Offered,
  incoming: Taker,
): Promise<void> {
  const channel = agent.openChannel(frame.id);
  const refuse = (code: number, text: string): Promise<void> => {
    channel.reset();
    return agent.fail(frame, code, text);
  };
  const take = (): Promise<void> => agent.reply(frame, "incoming", { port, peer, local, http: false });
  await incoming.connection({ port, peer, local, channel, take, refuse });
}
