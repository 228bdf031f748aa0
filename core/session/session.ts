// The session: the hub between one agent link and the layers of every process of the app. Opened and disposed
// by cmd/exec.ts.
//
// Theory of operation. The layer in each process opens a link to the session's Unix socket when it first
// needs one, and further ones for threads that ask at the same time; links live as long as their process. The
// session answers the questions of one link one after the other, links side by side; each floor (floor.ts)
// answers its section. States:
//   open    layers: hello, then what the floors answer; agent: incoming, notice.
//   lost    the agent's link ended by itself: `lost` has resolved, questions that need the agent are answered
//           with EIO, the caller ends the app.
//   closed  disposed: the socket is gone, layers see the end of their link and answer the app with EIO.
// Nothing falls back to the developer's machine in silence.

import {
  type AgentLink,
  type Body,
  connStream,
  decode,
  E,
  layerDoor,
  type LayerFrame,
  type LayerLink,
  layerMessages,
  Link,
  LinkError,
  NonsenseError,
  RemoteError,
  rulesSuffix,
  tableHash,
} from "../../protocol-wasm/mod.ts";
import { SessionError } from "../base/errors.ts";
import { osText } from "../base/os_text.ts";
import { within } from "../base/pause.ts";
import { Debuggers } from "./debuggers.ts";
import { Deliveries } from "./deliveries.ts";
import { Details } from "./details.ts";
import type { Emit } from "./events.ts";
import type { AppProcess, Floor } from "./floor.ts";
import { Handed } from "./handed.ts";
import { hear } from "./heard.ts";
import { Incoming } from "./incoming.ts";
import { linger, type LingerOptions, waitingIn } from "./linger.ts";
import { SystemError } from "../net/system_error.ts";
import { openDns, openFiles, openInterfaces } from "./open_floors.ts";
import { openOutgoing } from "./open_outgoing.ts";
import type { Outgoing } from "./outgoing.ts";
import { OwnSockets } from "./own_sockets.ts";
import { agentGone, brokenBy, Pauses } from "./pauses.ts";
import { Processes, unchanged } from "./processes.ts";
import type { SessionOptions } from "./session_options.ts";
import { StandStill } from "./standstill.ts";
import { closeQuietly } from "./streams.ts";
import { platform } from "../net/this_platform.ts";

const { unwatched } = await platform.network();
const { processInside } = await platform.processes();

/** A process's link ends with it, but a moment after its parent was notified. */
const settleMs = 300;
/** How long accepting rests after it failed. */
const acceptPauseMs = 100;

/**
 * The private directory decides which processes may connect: an app that gave up root connects by a
 * descriptor (layer/link/way.c).
 */
const socketMode = 0o666;

export class Session implements AsyncDisposable {
  /** Resolves with the reason when the agent's link ends by itself; never rejects. */
  readonly lost: Promise<SessionError>;
  /** Resolves when the layer of a first process has spoken. */
  readonly greeted: Promise<void>;
  readonly socketPath: string;
  readonly #agent: AgentLink | null;
  readonly #emit: Emit;
  readonly #incoming: Incoming;
  readonly #listener: Deno.Listener;
  /** The process of each link, once it said hello. */
  readonly #layers = new Map<LayerLink, AppProcess | null>();
  readonly #processes = new Map<bigint, { process: AppProcess; links: number }>();
  readonly #programs: Processes;
  readonly #handed: Handed;
  readonly #debuggers: Debuggers;
  readonly #deliveries = new Deliveries();
  readonly #outgoing: Outgoing | null;
  readonly #floors: readonly Floor[];
  readonly #byKind: ReadonlyMap<string, Floor>;
  /** What every process gets first. */
  readonly #hello: Body<typeof layerMessages.helloReply>;
  readonly #ended = new AbortController();
  /** Resolves when the session itself fails: a process would wait, or fail, without end. */
  readonly #broken = Promise.withResolvers<SessionError>();
  readonly #greeted = Promise.withResolvers<void>();
  readonly #pauses = new Pauses();
  readonly #contained: boolean;
  /** What to do when the user stops mirrord, and when it goes on. */
  readonly standStill: StandStill;

  constructor(options: SessionOptions) {
    this.socketPath = options.socketPath;
    this.#agent = options.agent;
    this.greeted = this.#greeted.promise;
    this.#contained = options.contained === true;
    const emit = this.#emit = options.emit ?? (() => {});
    const details = options.details ?? new Details();
    const own = new OwnSockets({
      agent: options.agent,
      pids: () => this.#pids(),
      listens: (actual) => this.#incoming.has(actual),
    });
    this.#debuggers = new Debuggers({ ranges: options.debuggerPorts ?? [], pids: () => this.#pids() });
    this.#incoming = new Incoming({
      agent: options.agent,
      rules: options.incoming,
      own,
      debuggers: this.#debuggers,
      deliveries: this.#deliveries,
      emit,
      requests: options.requests === true,
      details,
    });
    this.standStill = new StandStill(options.agent, {
      silence: this.#incoming.subscriptions?.silence ?? null,
      emit,
    });
    const dns = openDns(options, { emit, details });
    this.#handed = new Handed({
      remote: options.agent !== null,
      socketPath: options.socketPath,
      isOurs: (pid) => this.#pids().includes(pid),
      here: (pid) => this.#here(pid),
      emit,
    });
    const outgoing = this.#outgoing = openOutgoing(options, {
      dns,
      own,
      deliveries: this.#deliveries,
      debuggers: this.#debuggers,
      handed: this.#handed,
      details,
      emit,
    });
    const interfaces = openInterfaces(options);
    const files = openFiles(options, { interfaces: interfaces !== null, emit, details });
    this.#programs = new Processes({
      remote: options.agent !== null,
      files: files !== null,
      sockets: outgoing !== null,
      prepare: options.prepare ?? unchanged,
      emit,
    });
    this.#floors = [this.#programs, this.#handed, this.#incoming, outgoing, dns, files, interfaces]
      .filter((floor) => floor !== null);
    this.#byKind = new Map(this.#floors.flatMap((floor) => floor.kinds.map((kind) => [kind, floor])));
    this.#hello = {
      incoming: this.#incoming.subscriptions !== null,
      outgoing: outgoing !== null,
      dns: dns !== null,
      files: files !== null,
      interfaces: interfaces !== null,
      paths: files?.paths ?? new Uint8Array(),
    };
    // A process that only opens local paths reads this and needs no link (layer/ops/files/paths.c): shells
    // start thousands.
    const rules = [0x30 + (files === null ? 0 : 1), 0x0a, ...this.#hello.paths];
    Deno.writeFileSync(options.socketPath + rulesSuffix, Uint8Array.from(rules), { mode: 0o600 });
    if (this.#contained) Deno.chmodSync(options.socketPath + rulesSuffix, 0o644);
    this.#listener = Deno.listen({ transport: "unix", path: options.socketPath });
    Deno.chmodSync(options.socketPath, socketMode);
    this.#run(this.#serveLayers());
    const heard = { incoming: this.#incoming, emit, run: (work: Promise<void>) => this.#run(work) };
    if (options.agent !== null) this.#run(hear(options.agent, heard));
    this.lost = this.#watch(options.agent);
    void this.lost.then((reason) => emit({ type: "lost", reason: reason.message }));
  }

  /** Reports what the layer will not see of the program at `file`, which is about to be started. */
  meets(file: string): void {
    this.#programs.meets(file);
  }

  /** Gives the session up, as if its agent were gone: `lost` resolves with `reason`. */
  abandon(reason: SessionError): void {
    this.#broken.resolve(reason);
  }

  /**
   * How many processes of the app outlived it: those still linked once the links of the ended ones had time
   * to end.
   */
  async outliving(): Promise<number> {
    const closed = Promise.all([...this.#layers.keys()].map((layer) => layer.closed));
    await within<unknown>(closed, settleMs, undefined);
    return new Set([...this.#layers].map(([link, process]) => process ?? link)).size;
  }

  /**
   * After the app's end: resolves when what it sent has reached its peers. Throws SessionError that names
   * what has not. `options.alive` may know of processes that have asked nothing yet.
   */
  async deliver(options: Omit<LingerOptions, "emit">): Promise<void> {
    this.#outgoing?.appEnded();
    const alive = () => this.#layers.size > 0 || options.alive();
    if (this.#agent === null || !(this.#deliveries.used || alive())) return;
    const done = linger(this.#deliveries, this.#agent, { ...options, alive, emit: this.#emit });
    const lost = this.lost.then((reason) => {
      const rests = waitingIn(this.#deliveries);
      if (rests.length > 0) this.#emit({ type: "deliveryLost", rests });
      throw reason;
    });
    await Promise.race([done, lost]);
  }

  /** Closes the socket and every layer's link; the agent's link belongs to the caller that opened it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    closeQuietly(this.#listener);
    for (const layer of this.#layers.keys()) layer.close();
    await Promise.all([...this.#layers.keys()].map((layer) => layer.closed));
    for (const floor of this.#floors) await floor[Symbol.asyncDispose]?.();
    this.#pauses[Symbol.dispose]();
    await unwatched();
  }

  /** This machine's number of a process that calls itself `pid`; 0: it is not known. */
  #here(pid: number): number {
    return this.#contained ? processInside(pid, `MIRRORD_LAYER_SOCKET=${this.socketPath}`) : pid;
  }

  #pids(): number[] {
    return [...this.#processes.values()].map(({ process }) => process.pid);
  }

  async #watch(agent: AgentLink | null): Promise<SessionError> {
    const gone = agent?.closed.then((reason) => agentGone(reason, this.#pauses.recent()));
    const reason = await Promise.race([this.#broken.promise, ...(gone === undefined ? [] : [gone])]);
    return this.#ended.signal.aborted ? await new Promise<never>(() => {}) : reason;
  }

  /** Lets `work` run by the side; a failure after the end is expected, before it a bug worth a line. */
  #run(work: Promise<void>): void {
    work.catch((error) => {
      // `lost` reports the link's end.
      if (!this.#ended.signal.aborted && !(error instanceof LinkError)) {
        this.#emit({ type: "servingFailed", reason: describe(error) });
      }
    });
  }

  async #serveLayers(): Promise<void> {
    for (let told = false; !this.#ended.signal.aborted;) {
      try {
        this.#admit(await this.#listener.accept());
        told = false;
      } catch (error) {
        if (this.#ended.signal.aborted) return;
        // For example, no descriptor is free: the process waits in the socket's queue, and is served when
        // there is room.
        if (!told) this.#emit({ type: "processWaits", reason: describe(error) });
        told = true;
        await new Promise((resolve) => setTimeout(resolve, acceptPauseMs));
      }
    }
  }

  #admit(conn: Deno.Conn): void {
    const layer: LayerLink = new Link(connStream(conn), layerMessages, { side: "agent", door: layerDoor() });
    this.#layers.set(layer, null);
    // Here, not where its frames end: code that awaits `closed` must find it gone.
    void layer.closed.then(() => this.#layers.delete(layer));
    this.#serveLayer(layer).catch((error) => this.#broken.resolve(brokenBy(error)));
  }

  async #serveLayer(layer: LayerLink): Promise<void> {
    let process: AppProcess | null = null;
    try {
      for await (const frame of layer.received()) {
        if (frame.name === "hello") process = await this.#greet(layer, frame, process);
        else if (process === null) await layer.fail(frame, E.EPROTO, "hello comes first");
        else await this.#answer(layer, frame, process);
      }
    } catch (error) {
      // The process ended before it had its answer, or its question cannot be read.
      if (!(error instanceof LinkError)) throw error;
      layer.close(error);
    } finally {
      layer.close(); // a process that still waits gets EIO, not silence
      this.#tellGivenUp(await layer.closed, process);
      if (process !== null) await this.#leave(process);
    }
  }

  /**
   * The process that sends hello; one that has another link already is the same one. null when it was
   * refused.
   */
  async #greet(layer: LayerLink, frame: LayerFrame, before: AppProcess | null): Promise<AppProcess | null> {
    const { tables, process: identity, pid: own, parent, executable: file } = decode(
      layerMessages.hello,
      frame.body,
    );
    const pid = (this.#processes.get(identity)?.process ?? before)?.pid ?? this.#here(own);
    const executable = osText(file);
    if (tables !== tableHash(layerMessages)) {
      this.#emit({ type: "processRefused", pid, executable, reason: "release" });
      await layer.fail(frame, E.EPROTO, "the layer comes from another release");
      return before;
    }
    const known = this.#processes.get(identity) ?? { process: { pid, parent, executable }, links: 0 };
    if (before === null) {
      known.links++;
      this.#processes.set(identity, known);
      this.#layers.set(layer, known.process);
    }
    if (!this.#contained) this.#programs.meets(executable);
    else if (pid > 0) this.#programs.meets(executable, `/proc/${pid}/exe`);
    this.#debuggers.began(pid);
    this.#greeted.resolve();
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

  /** The process's own mistake that made its link end is reported: it gets EIO from now on. */
  #tellGivenUp(reason: LinkError | null, process: AppProcess | null): void {
    if (!(reason instanceof NonsenseError)) return;
    const { pid, executable } = process ?? { pid: null, executable: null };
    this.#emit({ type: "processGivenUp", pid, executable, reason: reason.message });
  }

  async #answer(link: LayerLink, frame: LayerFrame, process: AppProcess): Promise<void> {
    const floor = this.#byKind.get(frame.name);
    if (floor === undefined) return await link.fail(frame, E.EPROTO, `unexpected frame "${frame.name}"`);
    try {
      await floor.answer({ link, frame, process });
    } catch (error) {
      // The kernel's errno here, for what the process asked, is the app's too.
      if (!(error instanceof RemoteError || error instanceof SystemError)) throw error;
      await link.fail(frame, error.errno, error.message);
    }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
