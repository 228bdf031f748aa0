// The session: the hub between one agent link and the layers of every process of the app. Opened and disposed by
// cmd/exec.ts.
//
// Theory of operation. The layer in each process opens a link to the session's Unix socket when it first needs
// one; a link lives as long as its process. The session answers the questions of one link one after the other,
// links side by side. States:
//   open    layers: hello, bind, listen, listener, accepted, closed; agent: incoming, notice.
//   lost    the agent's link ended by itself: `lost` has resolved, questions that need the agent are answered
//           with EIO, the caller ends the app.
//   closed  disposed: the socket is gone, layers see the end of their link and answer the app with EIO.
// Nothing falls back to the developer's machine in silence.

import {
  agentMessages,
  type Body,
  connStream,
  decode,
  layerMessages,
  Link,
  LinkError,
  type Received,
  tableHash,
} from "../../protocol-wasm/mod.ts";
import { SessionError } from "../base/errors.ts";
import { log, type LogLevel } from "../base/log.ts";
import { Incoming } from "./incoming.ts";
import type { IncomingAgent, IncomingConfig } from "./incoming_types.ts";
import { closeQuietly } from "./streams.ts";

type AgentLink = Link<typeof agentMessages>;
type LayerLink = Link<typeof layerMessages>;
type AgentFrame = Received<typeof agentMessages>;
type LayerFrame = Received<typeof layerMessages>;

const stealMode = 1;
const eproto = 71;
/** A process's link ends with it, but a moment later than its parent hears of it. */
const settleMs = 300;
/** How long accepting rests after it failed. */
const acceptPauseMs = 100;
const noticeLevels: LogLevel[] = ["info", "warning", "error"];

/** What a session is opened with. */
export interface SessionOptions {
  /** The proven link; null = targetless, nothing is remote. */
  agent: AgentLink | null;
  /** null = the app's listeners are its own business. */
  incoming: IncomingConfig | null;
  /** Where the socket for the layers goes; in a directory only this user can enter. */
  socketPath: string;
}

export class Session implements AsyncDisposable {
  /** Resolves with the reason when the agent's link ends by itself; never rejects. */
  readonly lost: Promise<SessionError>;
  readonly socketPath: string;
  readonly #agent: AgentLink | null;
  readonly #incoming: Incoming | null;
  readonly #listener: Deno.Listener;
  readonly #layers = new Set<LayerLink>();
  readonly #ended = new AbortController();

  constructor(options: SessionOptions) {
    this.socketPath = options.socketPath;
    this.#agent = options.agent;
    this.#incoming = options.agent === null || options.incoming === null
      ? null
      : new Incoming(incomingAgent(options.agent), options.incoming);
    this.#listener = Deno.listen({ transport: "unix", path: options.socketPath });
    this.#run(this.#serveLayers());
    if (options.agent !== null) this.#run(this.#serveAgent(options.agent));
    this.lost = this.#watch(options.agent);
  }

  /** How many processes of the app outlived it: those still linked once the links of the ended ones had time to end. */
  async outliving(): Promise<number> {
    const settled = Promise.withResolvers<void>();
    const timer = setTimeout(settled.resolve, settleMs);
    await Promise.race([settled.promise, Promise.all([...this.#layers].map((layer) => layer.closed))]);
    clearTimeout(timer);
    return this.#layers.size;
  }

  /** Closes the socket and every layer's link; the agent's link belongs to who opened it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    closeQuietly(this.#listener);
    for (const layer of this.#layers) layer.close();
    await Promise.all([...this.#layers].map((layer) => layer.closed));
  }

  async #watch(agent: AgentLink | null): Promise<SessionError> {
    const reason = agent === null ? null : await agent.closed;
    if (agent === null || this.#ended.signal.aborted) return await new Promise<never>(() => {});
    return new SessionError(
      `Cannot go on with the session: the agent is gone (${reason?.message ?? "it left"})`,
      {
        help: "A target that lives answers by itself again. Start mirrord anew when it is well.",
        cause: reason,
      },
    );
  }

  /** Lets `work` run by the side; a failure after the end is expected, before it a bug worth a line. */
  #run(work: Promise<void>): void {
    work.catch((error) => {
      if (!this.#ended.signal.aborted) {
        log.error(`Cannot serve the session: ${describe(error)}`);
      }
    });
  }

  async #serveAgent(agent: AgentLink): Promise<void> {
    try {
      for await (const frame of agent.received()) {
        if (frame.name === "incoming") {
          this.#run(this.#stolen(agent, frame, decode(agentMessages.incoming, frame.body)));
        }
        if (frame.name === "notice") {
          const { level, text } = decode(agentMessages.notice, frame.body);
          log[noticeLevels[level] ?? "warning"](text);
        }
      }
    } catch (error) {
      // A frame that says nothing: with such an agent no connection would be answered, and nobody would know.
      if (!(error instanceof LinkError)) throw error;
      agent.close(error);
    }
  }

  async #stolen(
    agent: AgentLink,
    frame: AgentFrame,
    { port, peer, local }: Body<typeof agentMessages.incoming>,
  ): Promise<void> {
    const channel = agent.openChannel(frame.id);
    const refuse = (code: number, text: string): Promise<void> => {
      channel.reset();
      return agent.fail(frame, code, text);
    };
    if (this.#incoming === null) return await refuse(111, "nothing listens here");
    const take = (): Promise<void> => agent.reply(frame, "incoming", { port, peer, local, http: false });
    await this.#incoming.connection({ port, peer, local, channel, take, refuse });
  }

  async #serveLayers(): Promise<void> {
    for (let told = false; !this.#ended.signal.aborted;) {
      try {
        this.#admit(await this.#listener.accept());
        told = false;
      } catch (error) {
        if (this.#ended.signal.aborted) return;
        // Out of descriptors, say: the process waits in the socket's queue, and is served when there is room.
        if (!told) log.warning(`Cannot serve a new process of the app yet: ${describe(error)}`);
        told = true;
        await new Promise((resolve) => setTimeout(resolve, acceptPauseMs));
      }
    }
  }

  #admit(conn: Deno.Conn): void {
    const layer: LayerLink = new Link(connStream(conn), layerMessages, { side: "agent" });
    this.#layers.add(layer);
    // Here, not where its frames end: whoever awaits `closed` must find it gone.
    void layer.closed.then(() => this.#layers.delete(layer));
    this.#run(this.#serveLayer(layer));
  }

  async #serveLayer(layer: LayerLink): Promise<void> {
    try {
      for await (const frame of layer.received()) await this.#answer(layer, frame);
    } catch (error) {
      // The process ended before it had its answer, or asked what nobody can read.
      if (!(error instanceof LinkError)) throw error;
      log.debug(`A process of the app is no longer served: ${error.message}`);
    } finally {
      layer.close(); // a process that still waits gets EIO, not silence
      await this.#incoming?.released(layer);
    }
  }

  async #answer(layer: LayerLink, frame: LayerFrame): Promise<void> {
    const incoming = this.#incoming;
    switch (frame.name) {
      case "hello": {
        const { tables, executable, pid } = decode(layerMessages.hello, frame.body);
        if (tables !== tableHash(layerMessages)) {
          log.error(`Cannot serve process ${pid} (${executable}): its layer comes from another release`);
          return await layer.fail(frame, eproto, "the layer comes from another release");
        }
        return await layer.reply(frame, "helloReply", { incoming: incoming !== null });
      }
      case "bind": {
        const { address } = decode(layerMessages.bind, frame.body);
        const managed = incoming !== null && incoming.remotePort(address) !== null;
        return await layer.reply(frame, "bindReply", {
          managed,
          suggested: incoming?.suggestedPort(address) ?? 0,
        });
      }
      case "listen": {
        const { asked, actual } = decode(layerMessages.listen, frame.body);
        const code = await incoming?.listen(layer, asked, actual) ?? 0;
        if (code !== 0) return await layer.fail(frame, code, "");
        return await layer.reply(frame, "listenReply", {});
      }
      case "listener": {
        const { actual } = decode(layerMessages.listener, frame.body);
        const asked = incoming?.asked(layer, actual) ?? null;
        return await layer.reply(frame, "listenerReply", { known: asked !== null, asked: asked ?? actual });
      }
      case "accepted": {
        const { listener, peer } = decode(layerMessages.accepted, frame.body);
        const answer = await incoming?.accepted(listener, peer) ?? { known: false, peer, local: listener };
        return await layer.reply(frame, "acceptedReply", answer);
      }
      case "bound": {
        const { asked, actual } = decode(layerMessages.bound, frame.body);
        incoming?.bound(asked, actual);
        return await layer.reply(frame, "boundReply", {});
      }
      case "closed": {
        const { actual } = decode(layerMessages.closed, frame.body);
        return await incoming?.released(layer, actual);
      }
      default:
        return await layer.fail(frame, eproto, `unexpected frame "${frame.name}"`);
    }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function incomingAgent(agent: AgentLink): IncomingAgent {
  return {
    async subscribe(port, options) {
      await agent.request("subscribe", { port, mode: stealMode, ...options });
    },
    async unsubscribe(port) {
      await agent.request("unsubscribe", { port });
    },
  };
}
