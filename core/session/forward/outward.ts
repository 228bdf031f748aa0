// From clients on this machine to hosts that the target reaches, over one agent. Made by forwarding.ts; the
// clients' sockets are forwarder.ts's. A name is looked up by the target for each connection: what it means
// may change while a forward lives. Its addresses are tried in the target's order until one takes it.

import { domainToASCII } from "node:url";
import {
  type Address,
  type AgentLink,
  agentMessages,
  decode,
  E,
  type LinkChannel,
  LinkError,
  lookupFlags,
  parseIp,
  RemoteError,
  unpackAddresses,
} from "../../../protocol-wasm/mod.ts";
import { relayDatagrams, type RelayedSocket } from "../../net/datagram_relay.ts";
import type { Socket } from "../../net/platform.ts";
import { relay } from "../../net/relay.ts";
import type { Emit } from "../events.ts";
import { connectFromTarget, lookUp, tryAgain } from "../target_network.ts";
import type { Carried } from "./carried.ts";
import { type Place, placeText } from "./written.ts";

/** The datagrams of one client: `unread` waits here, and nothing more comes once it is `finished`. */
export interface ClientDatagrams extends RelayedSocket {
  readonly unread: number;
  readonly finished: boolean;
}

export class Outward {
  readonly #agent: AgentLink;
  readonly #carried: Carried;
  readonly #emit: Emit;

  constructor(agent: AgentLink, { carried, emit }: { carried: Carried; emit: Emit }) {
    this.#agent = agent;
    this.#carried = carried;
    this.#emit = emit;
  }

  /**
   * Carries the client's connection to its end. Rejects, with the client reset, when nothing of the target
   * takes it: RemoteError, or LinkError when the agent is gone. `opened` is called once something has.
   */
  async connection(socket: Socket, to: Place, opened: () => void): Promise<void> {
    const peer = placeText(to);
    using one = this.#carried.enter(socket, peer);
    let channel: LinkChannel;
    try {
      channel = await this.#connect(to, one.signal);
    } catch (error) {
      socket.reset();
      if (one.signal.aborted) return; // the forward ends
      throw error;
    }
    opened();
    const facts = { direction: "outgoing", port: null, peer } as const;
    this.#emit({ type: "connectionOpened", ...facts });
    try {
      await relay(one.follow(channel), socket);
      socket.close();
    } finally {
      this.#emit({ type: "connectionClosed", ...facts });
    }
  }

  /** Carries a client's datagrams until they end. Rejects as `connection` does. */
  async datagrams(client: ClientDatagrams, to: Place, options: {
    opened: () => void;
    dropped: (count: number) => void;
  }): Promise<void> {
    using _entry = this.#carried.enterDatagrams(client, placeText(to));
    const channel = await this.#associate(to);
    options.opened();
    await relayDatagrams(channel, client, { endsRefused: false, dropped: options.dropped });
  }

  async #connect(to: Place, signal: AbortSignal): Promise<LinkChannel> {
    return await this.#firstThat(to, async (remote, id) => {
      await connectFromTarget(this.#agent, { id, remote, signal });
    }, signal);
  }

  async #associate(to: Place): Promise<LinkChannel> {
    return await this.#firstThat(to, async (remote, id) => {
      const [frame] = await this.#agent.request("associate", { remote }, { id });
      if (frame === undefined) throw new LinkError("Cannot associate: the agent's answer is empty");
      decode(agentMessages.associateReply, frame.body);
    });
  }

  /** The channel to the first address of `to` that `open` does not reject; rejects as the last one did. */
  async #firstThat(
    { host, port }: Place,
    open: (remote: Address, id: number) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<LinkChannel> {
    let failure: unknown = new RemoteError(E.EIO, `the target finds no address of "${host}"`);
    for (const address of await this.#addressesOf(host)) {
      const id = this.#agent.nextId();
      try {
        await open({ address, port }, id);
        return this.#agent.openChannel(id);
      } catch (error) {
        if (!(error instanceof RemoteError) || signal?.aborted) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async #addressesOf(host: string): Promise<string[]> {
    if (parseIp(host) !== null) return [host];
    const name = domainToASCII(host) || host;
    const flags = lookupFlags.sorted | lookupFlags.addrConfig;
    const { ending, addresses } = await lookUp(this.#agent, { name, family: 0, flags });
    if (ending === 0) return unpackAddresses(addresses);
    const state = ending === tryAgain
      ? "the target's name servers do not answer"
      : "the target knows no such name";
    throw new RemoteError(E.EIO, `${state} (${host})`);
  }
}
