// A stage for outgoing between a layer and an agent: the real session, an agent of the test's own that
// decides what comes of each connect, and tests/apps/dials.c under the layer. What the agent takes is handed
// to the test, or sent back.

import {
  type Address,
  agentMessages,
  type ByteChannel,
  decode,
  type Received,
} from "../../protocol-wasm/mod.ts";
import type { OutgoingConfig } from "../../core/config/config.ts";
import type { Emit } from "../../core/session/events.ts";
import { Session } from "../../core/session/session.ts";
import type { SessionOptions } from "../../core/session/session_options.ts";
import { DatagramParts } from "../../core/net/datagram_relay.ts";
import { deadline } from "./deadline.ts";
import { type AgentPair, agentPair } from "./fake_agent.ts";
import { Calls, type RunOptions } from "./layer_app.ts";
import { layerEnv } from "./layer_door.ts";

/** The target's own end of every connection. */
export const podEnd: Address = { address: "10.1.2.3", port: 40000 };

/**
 * What the agent makes of a connect, TCP's or UDP's: an errno, or a connection. A promise keeps the app
 * waiting.
 */
export type Decide = (remote: Address) => number | Promise<number>;

export interface OutgoingStageOptions {
  config?: Partial<OutgoingConfig>;
  decide?: Decide;
  incoming?: SessionOptions["incoming"];
  app?: RunOptions;
  /** Takes what happens in the session. */
  emit?: Emit;
}

/** A connection that the agent made. */
export interface Made {
  remote: Address;
  channel: ByteChannel;
}

export class OutgoingStage implements AsyncDisposable {
  readonly session: Session;
  readonly agent: AgentPair;
  /** Every address that the agent was asked for, in order. */
  readonly asked: string[] = [];
  /** UDP sockets that the agent has now. */
  associations = 0;
  decide: Decide;
  readonly #folder: string;
  readonly #made: Made[] = [];
  readonly #givenUp = Promise.withResolvers<void>();
  #wake = Promise.withResolvers<void>();

  private constructor(agent: AgentPair, options: OutgoingStageOptions) {
    this.#folder = Deno.makeTempDirSync({ prefix: "mirrord-outgoing-test." });
    this.agent = agent;
    this.decide = options.decide ?? (() => 0);
    this.session = new Session({
      agent: agent.client,
      incoming: options.incoming ?? null,
      outgoing: { tcp: true, udp: true, ignoreLocalhost: false, filter: null, ...options.config },
      socketPath: `${this.#folder}/layer.sock`,
      ...(options.emit === undefined ? {} : { emit: options.emit }),
    });
    void this.#serve();
  }

  static async create(options: OutgoingStageOptions = {}): Promise<OutgoingStage> {
    return new OutgoingStage(await agentPair(), options);
  }

  /** What an app finds in its environment. */
  env(layer: string): Record<string, string> {
    return layerEnv(layer, this.session.socketPath);
  }

  /** tests/apps/dials.c in this session. */
  app(options: RunOptions = {}): Promise<Calls> {
    return Calls.start(this, options, "dials");
  }

  /** The next connection that the agent made. */
  async made(): Promise<Made> {
    for (;;) {
      const made = this.#made.shift();
      if (made !== undefined) return made;
      await deadline(this.#wake.promise, "the agent makes a connection");
    }
  }

  /** Resolves once the agent was asked for a connection. */
  async heard(): Promise<void> {
    while (this.asked.length === 0) await deadline(this.#wake.promise, "the agent is asked");
  }

  /** Resolves once the session gave up a connection that the agent was still making. */
  async givenUp(): Promise<void> {
    await deadline(this.#givenUp.promise, "the session gives up a connection");
  }

  /** Resolves once the agent has no UDP socket left. */
  async associationsEnd(): Promise<void> {
    while (this.associations > 0) await deadline(this.#wake.promise, "the UDP sockets end");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session[Symbol.asyncDispose]();
    await this.agent[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #serve(): Promise<void> {
    for await (const frame of this.agent.agent.received()) {
      if (frame.name === "connect") void this.#connect(frame).catch(() => {}); // the test is over
      if (frame.name === "associate") void this.#associate(frame).catch(() => {});
    }
  }

  async #connect(frame: Received<typeof agentMessages>): Promise<void> {
    const { remote } = decode(agentMessages.connect, frame.body);
    this.asked.push(`${remote.address} ${remote.port}`);
    const channel = this.agent.agent.openChannel(frame.id);
    this.#tell();
    const first = channel.read();
    first.catch(() => this.#givenUp.resolve());
    const errno = await this.decide(remote);
    if (errno !== 0) return await this.agent.agent.fail(frame, errno, "as the test says");
    await this.agent.agent.reply(frame, "connectReply", { local: podEnd, peer: remote });
    this.#made.push({ remote, channel: startingWith(first, channel) });
    this.#tell();
  }

  #tell(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  /** Every datagram comes back. */
  async #associate(frame: Received<typeof agentMessages>): Promise<void> {
    const { remote } = decode(agentMessages.associate, frame.body);
    this.asked.push(`udp ${remote.address} ${remote.port}`);
    const errno = await this.decide(remote);
    if (errno !== 0) return await this.agent.agent.fail(frame, errno, "as the test says");
    const channel = this.agent.agent.openChannel(frame.id);
    await this.agent.agent.reply(frame, "associateReply", { local: podEnd, peer: remote });
    const parts = new DatagramParts();
    this.associations++;
    try {
      for (let bytes = await channel.read(); bytes !== null; bytes = await channel.read()) {
        for (const datagram of parts.take(bytes)) {
          await channel.write(new Uint8Array([datagram.length, datagram.length >> 8, ...datagram]));
        }
      }
    } finally {
      this.associations--;
      this.#tell();
    }
  }
}

/** `channel`, whose first read is under way already. */
function startingWith(first: Promise<Uint8Array | null>, channel: ByteChannel): ByteChannel {
  const reads = [first];
  return {
    read: () => reads.shift() ?? channel.read(),
    write: (bytes) => channel.write(bytes),
    closeWrite: () => channel.closeWrite(),
    reset: () => channel.reset(),
  };
}
