// The app's questions about network interfaces, sent to the agent unchanged. Made by session.ts where the
// app's traffic or connections are the target's.

import {
  type AgentLink,
  agentMessages,
  decode,
  E,
  layerMessages,
  LinkError,
  RemoteError,
} from "../../protocol-wasm/mod.ts";
import type { Floor, Question } from "./floor.ts";

const nothing = new Uint8Array();

export class Interfaces implements Floor {
  readonly kinds = ["netlink", "interface"] as const;
  readonly #agent: AgentLink;

  constructor(agent: AgentLink) {
    this.#agent = agent;
  }

  async answer({ link, frame }: Question): Promise<void> {
    try {
      if (frame.name === "netlink") {
        const asked = decode(layerMessages.netlink, frame.body);
        const [reply] = await this.#agent.request("netlink", asked);
        const { messages } = decode(agentMessages.netlinkReply, reply?.body ?? nothing);
        return await link.reply(frame, "netlinkReply", { messages });
      }
      const asked = decode(layerMessages.interface, frame.body);
      const [reply] = await this.#agent.request("interface", asked);
      const { content } = decode(agentMessages.interfaceReply, reply?.body ?? nothing);
      await link.reply(frame, "interfaceReply", { content });
    } catch (error) {
      throw error instanceof LinkError ? new RemoteError(E.EIO, "the agent is gone") : error;
    }
  }
}
