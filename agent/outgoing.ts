// Outgoing connections of one client: TCP and UDP sockets in the target's network, one for each connection of
// the link. Made by client.ts. Invariant: a socket lives no longer than its connection, a connection no
// longer than its client; the client gets the errno of the target's kernel; the kernel delivers what the
// client sent before it ended a connection.

import { relay } from "../core/net/relay.ts";
import { relayDatagrams } from "../core/net/datagram_relay.ts";
import { DatagramSocket } from "../core/net/linux/datagram.ts";
import type { Endpoint } from "../core/net/address.ts";
import { fit } from "../core/net/fit.ts";
import { isOwnAddress } from "../core/net/linux/own_address.ts";
import { boundSockets } from "../core/net/linux/sock_diag.ts";
import { dialTcp, type Socket } from "../core/net/linux/socket.ts";
import type { DialOptions } from "../core/net/platform.ts";
import {
  type AgentFrame,
  type AgentLink,
  agentMessages,
  type ByteChannel,
  decode,
} from "../protocol-wasm/mod.ts";
import { Failure } from "./failure.ts";
import type { Floor } from "./floor.ts";
import { E, SystemError } from "./sys/libc.ts";
import type { Unsent } from "./unsent.ts";

/** Sockets one client may have at a time. */
const connectionLimit = 32768;

export class Outgoing implements Floor {
  readonly kinds = ["connect", "associate", "held", "served", "connectFrom", "associateFrom"] as const;
  readonly #link: AgentLink;
  readonly #unsent: Unsent;
  /** How to end each connection, under way or open. */
  readonly #ends = new Set<() => void>();
  #closed = false;

  constructor(link: AgentLink, unsent: Unsent) {
    this.#link = link;
    this.#unsent = unsent;
  }

  async answer(frame: AgentFrame): Promise<void> {
    if (frame.name === "held") return await this.#held(frame);
    if (frame.name === "served") return await this.#served(frame);
    if (this.#closed) throw new Failure(E.ECONNRESET, "Cannot connect: the client ends");
    if (this.#ends.size >= connectionLimit) {
      throw new Failure(E.ENOBUFS, `Cannot connect: ${connectionLimit} connections are open`);
    }
    if (frame.name === "connect" || frame.name === "connectFrom") await this.#connect(frame, frame.name);
    else await this.#associate(frame, frame.name === "associate" ? "associate" : "associateFrom");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const end of [...this.#ends]) end();
    await Promise.resolve();
  }

  async #held(frame: AgentFrame): Promise<void> {
    const { address: { address } } = decode(agentMessages.held, frame.body);
    await this.#link.reply(frame, "heldReply", { own: isOwnAddress({ address, port: 0 }) });
  }

  async #served(frame: AgentFrame): Promise<void> {
    const { address: { address, port }, stream } = decode(agentMessages.served, frame.body);
    const there = (boundSockets(stream ? "tcp" : "udp") ?? []).filter((one) => one.port === port);
    const [server] = there.filter((one) => fit(one, address) > 0);
    await this.#link.reply(frame, "servedReply", { inode: server?.inode ?? 0 });
  }

  async #connect(frame: AgentFrame, kind: "connect" | "connectFrom"): Promise<void> {
    const { remote } = decode(agentMessages.connect, frame.body);
    const source = kind === "connect" ? undefined : decode(agentMessages.connectFrom, frame.body).source;
    const channel = this.#link.openChannel(frame.id);
    const dial = new AbortController();
    const giveUp = () => dial.abort(new SystemError("connect", E.ECONNRESET));
    // The client may reset the connection while it is under way.
    const first = channel.read();
    first.catch(giveUp);
    this.#ends.add(giveUp);
    try {
      const socket = await dialFrom(source, { destination: remote, signal: dial.signal });
      const leave = () => {
        socket.leave(); // what the client ended is the kernel's to deliver
        channel.reset();
      };
      this.#ends.add(leave);
      const entry = this.#unsent.enter({
        peer: socket.peerAddress,
        unsent: () => channel.unread + socket.unsent,
      });
      void relay(startingWith(first, channel), socket).finally(() => {
        socket.close();
        entry[Symbol.dispose]();
        this.#ends.delete(leave);
      });
      const { localAddress: local, peerAddress: peer } = socket;
      await this.#link.reply(frame, `${kind}Reply`, { local, peer });
    } finally {
      this.#ends.delete(giveUp);
    }
  }

  async #associate(frame: AgentFrame, kind: "associate" | "associateFrom"): Promise<void> {
    const { remote } = decode(agentMessages.associate, frame.body);
    const source = kind === "associate" ? undefined : decode(agentMessages.associateFrom, frame.body).source;
    const channel = this.#link.openChannel(frame.id);
    const socket = DatagramSocket.connect(remote, source?.address);
    const end = () => {
      socket.close();
      channel.reset();
    };
    this.#ends.add(end);
    const entry = this.#unsent.enter({ peer: remote, unsent: () => channel.unread });
    void relayDatagrams(channel, socket, { endsRefused: false }).finally(() => {
      entry[Symbol.dispose]();
      this.#ends.delete(end);
    });
    const { localAddress: local, peerAddress: peer } = socket;
    await this.#link.reply(frame, `${kind}Reply`, { local, peer });
  }
}

/** Connects from `source`, if any; from another port of it where a program of the target has that one. */
async function dialFrom(source: Endpoint | undefined, options: DialOptions): Promise<Socket> {
  if (source === undefined) return await dialTcp(options);
  try {
    return await dialTcp({ ...options, source });
  } catch (error) {
    if (!(error instanceof SystemError) || error.errno !== E.EADDRINUSE) throw error;
    return await dialTcp({ ...options, source: { ...source, port: 0 } });
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
    release: (bytes) => channel.release?.(bytes),
    write: (bytes) => channel.write(bytes),
    closeWrite: () => channel.closeWrite(),
    reset: () => channel.reset(),
  };
}
