// The session: the hub between one agent link and the layers of every process of the app. Opened and disposed by
// cmd/exec.ts.
//
// Theory of operation. The layer in each process opens a link to the session's Unix socket when it first needs
// one, and further ones for threads that ask at the same time; links live as long as their process. The session
// answers the questions of one link one after the other, links side by side; each floor (floor.ts) answers its
// section. States:
//   open    layers: hello, then what the floors answer; agent: incoming, notice.
//   lost    the agent's link ended by itself: `lost` has resolved, questions that need the agent are answered
//           with EIO, the caller ends the app.
//   closed  disposed: the socket is gone, layers see the end of their link and answer the app with EIO.
// Nothing falls back to the developer's machine in silence.

import {
  type Address,
  agentMessages,
  type Body,
  connStream,
  decode,
  layerMessages,
  Link,
  LinkError,
  type Received,
  RemoteError,
  tableHash,
} from "../../protocol-wasm/mod.ts";
import { SessionError } from "../base/errors.ts";
import { log, type LogLevel } from "../base/log.ts";
import type { DnsConfig, FilesConfig, OutgoingConfig } from "../config/config.ts";
import { Dns } from "./dns.ts";
import { Files } from "./files.ts";
import type { AgentLink, AppProcess, Floor, LayerFrame, LayerLink } from "./floor.ts";
import { Incoming } from "./incoming.ts";
import { IncomingFloor } from "./incoming_floor.ts";
import type { IncomingAgent, IncomingConfig } from "./incoming_types.ts";
import { unwatched } from "../net/poll.ts";
import { ownsPort } from "./listening.ts";
import { Outgoing } from "./outgoing.ts";
import { OutgoingRules } from "./outgoing_rules.ts";
import type { LocalPlaces } from "./policy_default.ts";
import { Processes } from "./processes.ts";
import { closeQuietly } from "./streams.ts";

type AgentFrame = Received<typeof agentMessages>;

/** `subscribe.mode` on the wire. */
const modes = { steal: 1, mirror: 2 } as const;
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
  /** null or absent = the app's connections are its own business. */
  outgoing?: OutgoingConfig | null;
  /** null or absent, or nothing of it on = names are this machine's. */
  dns?: DnsConfig | null;
  /** null or absent = the app's files are its own business. */
  files?: { config: FilesConfig; places: LocalPlaces } | null;
  /** Where the socket for the layers goes; in a directory only this user can enter. */
  socketPath: string;
}

/** Who may connect is decided by the private directory: an app that gave up root comes by a descriptor (layer/way.c). */
const socketMode = 0o666;

export class Session implements AsyncDisposable {
  /** Resolves with the reason when the agent's link ends by itself; never rejects. */
  readonly lost: Promise<SessionError>;
  readonly socketPath: string;
  readonly #agent: AgentLink | null;
  readonly #incoming: Incoming | null;
  readonly #listener: Deno.Listener;
  /** The process of each link, once it said hello. */
  readonly #layers = new Map<LayerLink, AppProcess | null>();
  readonly #processes = new Map<bigint, { process: AppProcess; links: number }>();
  readonly #programs: Processes;
  readonly #floors: readonly Floor[];
  readonly #byKind: ReadonlyMap<string, Floor>;
  /** What every process is told first. */
  readonly #hello: Body<typeof layerMessages.helloReply>;
  readonly #ended = new AbortController();

  constructor(options: SessionOptions) {
    this.socketPath = options.socketPath;
    this.#agent = options.agent;
    this.#incoming = options.agent === null || options.incoming === null
      ? null
      : new Incoming(incomingAgent(options.agent), options.incoming);
    const dns = openDns(options);
    const outgoing = this.#openOutgoing(options, dns);
    const files = openFiles(options);
    this.#programs = new Processes({ remote: options.agent !== null, files: files !== null });
    this.#floors = [
      this.#programs,
      new IncomingFloor(this.#incoming),
      outgoing,
      dns,
      files,
    ]
      .filter((floor) => floor !== null);
    this.#byKind = new Map(this.#floors.flatMap((floor) => floor.kinds.map((kind) => [kind, floor])));
    this.#hello = {
      incoming: this.#incoming !== null,
      outgoing: outgoing !== null,
      dns: dns !== null,
      files: files !== null,
      paths: files?.paths ?? "",
    };
    // A process that only opens local paths reads this and needs no link (layer/ops/paths.c): shells start thousands.
    const rules = files === null ? "0\n" : `1\n${files.paths}`;
    Deno.writeTextFileSync(`${options.socketPath}.paths`, rules, { mode: 0o600 });
    this.#listener = Deno.listen({ transport: "unix", path: options.socketPath });
    Deno.chmodSync(options.socketPath, socketMode);
    this.#run(this.#serveLayers());
    if (options.agent !== null) this.#run(this.#serveAgent(options.agent));
    this.lost = this.#watch(options.agent);
  }

  /** Says what of the program at `file`, about to be started, the layer will not see. */
  meets(file: string): void {
    this.#programs.meets(file);
  }

  /** How many processes of the app outlived it: those still linked once the links of the ended ones had time to end. */
  async outliving(): Promise<number> {
    const settled = Promise.withResolvers<void>();
    const timer = setTimeout(settled.resolve, settleMs);
    await Promise.race([settled.promise, Promise.all([...this.#layers.keys()].map((layer) => layer.closed))]);
    clearTimeout(timer);
    return new Set([...this.#layers].map(([link, process]) => process ?? link)).size;
  }

  /** Closes the socket and every layer's link; the agent's link belongs to who opened it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    closeQuietly(this.#listener);
    for (const layer of this.#layers.keys()) layer.close();
    await Promise.all([...this.#layers.keys()].map((layer) => layer.closed));
    for (const floor of this.#floors) await floor[Symbol.asyncDispose]?.();
    await unwatched();
  }

  #openOutgoing({ agent, outgoing = null }: SessionOptions, dns: Dns | null): Outgoing | null {
    if (agent === null || outgoing === null || !(outgoing.tcp || outgoing.udp)) return null;
    const rules = new OutgoingRules(outgoing, {
      namesOf: (address) => dns?.known.of(address) ?? [],
      ownSocket: (port, protocol) => this.#ownSocket(port, protocol),
    });
    return new Outgoing(agent, rules);
  }

  /** Where a socket of the app's own is that answers to `port`. */
  #ownSocket(port: number, protocol: "tcp" | "udp"): Address | null {
    const listener = protocol === "tcp" ? this.#incoming?.listenerAt(port) ?? null : null;
    if (listener !== null) return listener;
    const pids = [...this.#processes.values()].map(({ process }) => process.pid);
    return ownsPort(pids, port, protocol) ? { address: "", port } : null;
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
    this.#layers.set(layer, null);
    // Here, not where its frames end: whoever awaits `closed` must find it gone.
    void layer.closed.then(() => this.#layers.delete(layer));
    this.#run(this.#serveLayer(layer));
  }

  async #serveLayer(layer: LayerLink): Promise<void> {
    let process: AppProcess | null = null;
    try {
      for await (const frame of layer.received()) {
        if (frame.name === "hello") process = await this.#greet(layer, frame, process);
        else if (process === null) await layer.fail(frame, eproto, "hello comes first");
        else await this.#answer(layer, frame, process);
      }
    } catch (error) {
      // The process ended before it had its answer, or asked what nobody can read.
      if (!(error instanceof LinkError)) throw error;
      log.debug(`A process of the app is no longer served: ${error.message}`);
    } finally {
      layer.close(); // a process that still waits gets EIO, not silence
      if (process !== null) await this.#leave(process);
    }
  }

  /** The process that says hello; one that has another link already is the same one. null when it was refused. */
  async #greet(layer: LayerLink, frame: LayerFrame, before: AppProcess | null): Promise<AppProcess | null> {
    const { tables, process: identity, pid, parent, executable } = decode(layerMessages.hello, frame.body);
    if (tables !== tableHash(layerMessages)) {
      log.error(`Cannot serve process ${pid} (${executable}): its layer comes from another release`);
      await layer.fail(frame, eproto, "the layer comes from another release");
      return before;
    }
    const known = this.#processes.get(identity) ?? { process: { pid, parent, executable }, links: 0 };
    if (before === null) {
      known.links++;
      this.#processes.set(identity, known);
      this.#layers.set(layer, known.process);
    }
    this.#programs.meets(executable);
    await layer.reply(frame, "helloReply", this.#hello);
    return known.process;
  }

  async #leave(process: AppProcess): Promise<void> {
    const found = [...this.#processes].find(([, one]) => one.process === process);
    if (found === undefined) return;
    const [identity, known] = found;
    if (--known.links > 0) return;
    this.#processes.delete(identity);
    for (const floor of this.#floors) await floor.ended?.(process);
  }

  async #answer(link: LayerLink, frame: LayerFrame, process: AppProcess): Promise<void> {
    const floor = this.#byKind.get(frame.name);
    if (floor === undefined) return await link.fail(frame, eproto, `unexpected frame "${frame.name}"`);
    try {
      await floor.answer({ link, frame, process });
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error;
      await link.fail(frame, error.errno, error.message);
    }
  }
}

function openFiles({ agent, files, socketPath }: SessionOptions): Files | null {
  if (agent === null || files === undefined || files === null) return null;
  return new Files({ agent, ...files, holdsPath: `${socketPath}.files` });
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function openDns({ agent, dns = null }: SessionOptions): Dns | null {
  return agent === null || dns === null || !(dns.enabled || dns.hostname) ? null : new Dns(agent, dns);
}

function incomingAgent(agent: AgentLink): IncomingAgent {
  return {
    async subscribe(port, { mode, filter, probes }) {
      await agent.request("subscribe", { port, mode: modes[mode], filter, probes });
    },
    async unsubscribe(port) {
      await agent.request("unsubscribe", { port });
    },
  };
}
