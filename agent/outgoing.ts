// Outgoing connections of one client: TCP and UDP sockets in the target's network, one for each connection of the link.
// Made by client.ts. Invariant: a socket lives no longer than its connection, a connection no longer than its client; the
// errno that the target's kernel gives is the one that the client hears.

import { type ByteChannel, relay } from "../core/base/relay.ts";
import { DatagramSocket, relayDatagrams } from "../core/net/datagram.ts";
import { dialTcp } from "../core/net/socket.ts";
import { agentMessages, decode } from "../protocol-wasm/mod.ts";
import { Failure } from "./failure.ts";
import type { AgentFrame, AgentLink, Floor } from "./floor.ts";
import { E, SystemError } from "./sys/libc.ts";

/** Sockets one client may have at a time. */
const connectionLimit = 32768;

export class Outgoing implements Floor {
  readonly kinds = ["connect", "associate"] as const;
  readonly #link: AgentLink;
  /** How to end each connection, under way or open. */
  readonly #ends = new Set<() => void>();
  #closed = false;

  constructor(link: AgentLink) {
    this.#link = link;
  }

  async answer(frame: AgentFrame): Promise<void> {
    if (this.#closed) throw new Failure(E.ECONNRESET, "Cannot connect: the client ends");
    if (this.#ends.size >= connectionLimit) {
      throw new Failure(E.ENOBUFS, `Cannot connect: ${connectionLimit} connections are open`);
    }
    if (frame.name === "connect") await this.#connect(frame);
    else await this.#associate(frame);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const end of [...this.#ends]) end();
    await Promise.resolve();
  }

  async #connect(frame: AgentFrame): Promise<void> {
    const { remote } = decode(agentMessages.connect, frame.body);
    const channel = this.#link.openChannel(frame.id);
    const dial = new AbortController();
    const giveUp = () => dial.abort(new SystemError("connect", E.ECONNRESET));
    // The client may reset the connection while it is under way.
    const first = channel.read();
    first.catch(giveUp);
    this.#ends.add(giveUp);
    try {
      const socket = await dialTcp({ destination: remote, signal: dial.signal });
      const reset = () => {
        socket.reset();
        channel.reset();
      };
      this.#ends.add(reset);
      void relay(startingWith(first, channel), socket).finally(() => {
        socket.close();
        this.#ends.delete(reset);
      });
      const { localAddress: local, peerAddress: peer } = socket;
      await this.#link.reply(frame, "connectReply", { local, peer });
    } finally {
      this.#ends.delete(giveUp);
    }
  }

  async #associate(frame: AgentFrame): Promise<void> {
    const { remote } = decode(agentMessages.associate, frame.body);
    const channel = this.#link.openChannel(frame.id);
    const socket = DatagramSocket.connect(remote);
    const end = () => {
      socket.close();
      channel.reset();
    };
    this.#ends.add(end);
    void relayDatagrams(channel, socket, { endsRefused: false }).finally(() => this.#ends.delete(end));
    const { localAddress: local, peerAddress: peer } = socket;
    await this.#link.reply(frame, "associateReply", { local, peer });
  }
}

/** `channel`, whose first read is under way already. */
function startingWith(first: Promise<Uint8Array | null>, channel: ByteChannel): ByteChannel {
  let begun = false;
  return {
    read: () => {
      if (begun) return channel.read();
      begun = true;
      return first;
    },
    write: (bytes) => channel.write(bytes),
    closeWrite: () => channel.closeWrite(),
    reset: () => channel.reset(),
  };
}
