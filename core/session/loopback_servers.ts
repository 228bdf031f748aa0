// Which side serves a port on loopback: a program of this machine, one of the target, or both. Asked by
// outgoing_rules.ts for connections of the app to loopback that none of its own sockets takes. Made by
// session.ts.

import {
  type Address,
  type AgentLink,
  agentMessages,
  decode,
  E,
  LinkError,
  RemoteError,
} from "../../protocol-wasm/mod.ts";
import { fit, isWildcard } from "../net/fit.ts";
import type { Servers } from "./outgoing_rules.ts";
import type { OwnSockets } from "./own_sockets.ts";

/** How long the target's answer counts: programs connect again and again, for example to a database. */
const answerMs = 1000;
const rememberedAnswers = 256;

export class LoopbackServers {
  readonly #agent: AgentLink;
  readonly #own: OwnSockets;
  /** The inode of the target's socket, 0 for none, by protocol and address. */
  readonly #answers = new Map<string, { inode: number; until: number }>();

  constructor(agent: AgentLink, own: OwnSockets) {
    this.#agent = agent;
    this.#own = own;
  }

  /**
   * Null: the agent is of an older release, which cannot answer. Rejects with RemoteError when it is gone.
   */
  async of({ address, port }: Address, protocol: "tcp" | "udp"): Promise<Servers | null> {
    if (this.#agent.version < agentMessages.served.since) return null;
    const wanted = isWildcard(address) ? (address.includes(":") ? "::1" : "127.0.0.1") : address;
    const here = this.#own.listed(protocol).filter((one) => one.port === port && fit(one, wanted) > 0);
    if (here.length === 0) return { here: false, there: false, same: false };
    const inode = await this.#inode({ address: wanted, port }, protocol);
    return { here: true, there: inode !== 0, same: here.some((one) => one.inode === inode) };
  }

  async #inode(address: Address, protocol: "tcp" | "udp"): Promise<number> {
    const key = `${protocol} ${address.address} ${address.port}`;
    const known = this.#answers.get(key);
    if (known !== undefined && known.until > performance.now()) return known.inode;
    const inode = await this.#ask(address, protocol === "tcp");
    this.#answers.delete(key);
    this.#answers.set(key, { inode, until: performance.now() + answerMs });
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > rememberedAnswers && oldest !== undefined) this.#answers.delete(oldest);
    return inode;
  }

  async #ask(address: Address, stream: boolean): Promise<number> {
    try {
      const [frame] = await this.#agent.request("served", { address, stream });
      if (frame === undefined) {
        throw new LinkError("Cannot ask which side serves a port: the agent's answer is empty");
      }
      return decode(agentMessages.servedReply, frame.body).inode;
    } catch (error) {
      throw error instanceof LinkError ? new RemoteError(E.EIO, error.message) : error;
    }
  }
}
