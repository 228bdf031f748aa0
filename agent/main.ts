// The agent: `mirrord agent …` inside the target's namespaces. cmd/agent.ts calls `runAgent` with its flags.
// It enters the network namespace, waits for the one client that has the session's key, serves it and exits.
// Invariant: nothing that it made outlives the process, and the process outlives neither its client nor its
// limits.

import { exitCodes } from "../core/base/errors.ts";
import { log, setLogSink } from "../core/base/log.ts";
import { announcementLine, type LinkStream } from "../protocol-wasm/mod.ts";
import type { Client, ClientEnd } from "./client.ts";
import { type DoorKeys, makeDoorKeys, proveClient, type Proven } from "./door.ts";
import { Failure } from "./failure.ts";
import { listenLoopback } from "./listen.ts";
import { enterNetns } from "./sys/netns.ts";
import { E, SystemError } from "./sys/libc.ts";
import { guardProcess, releaseMemory } from "./sys/own_process.ts";
import { watchProcess } from "./sys/pidfd.ts";
import { kernelRelease, type TargetProcess } from "./sys/proc.ts";
import { watchesAll } from "../core/net/linux/poll.ts";
import { loadSeal } from "../core/net/seal.ts";
import type { Listener, Socket } from "../core/net/linux/socket.ts";
import { stdioStream } from "./sys/stdio.ts";

/** How an agent is started; the defaults are those of an ephemeral container. */
export interface AgentOptions {
  /** The session's public key: 32 raw bytes of Ed25519 in base64. */
  publicKey: string;
  /**
   * tcp: listens on the loopback addresses of the target's network namespace, on any free port when `port` is
   * 0, and writes the port to standard output. stdio: one client, this process's parent.
   */
  link: { kind: "tcp"; port: number } | { kind: "stdio" };
  /** The target's process; 1 unless given or found by `containerId`. */
  targetPid?: number;
  /** The target's container, where the pod shares one process namespace. */
  containerId?: string;
  /** A process whose network namespace to enter. */
  netns?: number;
  /** Names the session to others: its user and machine. */
  owner?: string;
  firstClientLimitSeconds?: number;
  lostLimitSeconds?: number;
  /** How long the first message of a filtered connection may leave open whether it is HTTP. */
  httpDetectionSeconds?: number;
  /** How long the client may be silent before new connections of stolen ports go to the original. */
  heartbeatSeconds?: number;
}

/** How the agent ended: its exit code and, unless all went well, one sentence. */
interface Ending {
  code: number;
  reason: string;
}

/**
 * What serves a client, most of the agent's code: loaded once the agent has said where it listens, while its
 * client is on the way.
 */
const loadServing = () => import("./client.ts");

const terminated = 143; // 128 + SIGTERM, as a shell would say
const unprovenLimit = 16;
/** More refused clients than this are not logged: nothing outside may fill the log. */
const toldRefusals = 100;
/** How often memory that is not needed any more is released. */
const releaseMs = 500;
/** Between two announcements. */
const announceMs = 100;
/** How long a refused client may take to read why. */
const farewellMs = 2000;

/**
 * Runs one agent to its end; resolves with the exit code. 0: the client sent goodbye. 69: no client came in
 * time, or what it asked for is not possible here. 70: a bug. 74: the link was lost. 77: a capability or the
 * key is missing. 78: the options are wrong. 143: SIGTERM. The reason goes to standard error and to
 * Kubernetes' termination log.
 */
export async function runAgent(options: AgentOptions): Promise<number> {
  guardProcess();
  const ranks = ["debug", "info", "warning", "error"];
  const asked = ranks.indexOf(Deno.env.get("MIRRORD_AGENT_LOG") ?? "info");
  const lowest = asked < 0 ? ranks.indexOf("info") : asked;
  setLogSink((level, text) => {
    if (ranks.indexOf(level) < lowest) return;
    // Whatever a text holds, a line of this log begins with its level: none can pass for another's, or for
    // the announcement.
    Deno.stderr.writeSync(new TextEncoder().encode(`${level}: ${text.replaceAll(/\r?\n|\r/g, "\n  ")}\n`));
  });
  const term = Promise.withResolvers<Ending>();
  const onTerm = () => term.resolve({ code: terminated, reason: "Cannot go on: terminated by SIGTERM" });
  Deno.addSignalListener("SIGTERM", onTerm);
  await using agent = new Agent(options);
  let ending: Ending;
  try {
    ending = await Promise.race([agent.run(), term.promise]);
  } catch (error) {
    ending = describe(error);
  }
  Deno.removeSignalListener("SIGTERM", onTerm);
  if (ending.code !== 0) {
    log.error(ending.reason);
    writeTerminationLog(ending.reason);
  }
  return ending.code;
}

class Agent implements AsyncDisposable {
  readonly #options: AgentOptions;
  readonly #target: TargetProcess;
  readonly #end = Promise.withResolvers<Ending>();
  #listeners: Listener[] = [];
  #client: Client | null = null;
  /** Streams without a proof so far, oldest first. */
  readonly #unproven = new Set<LinkStream>();
  #refused = 0;
  #announcing: number | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#target = {
      ...(options.targetPid === undefined ? {} : { pid: options.targetPid }),
      ...(options.containerId === undefined ? {} : { containerId: options.containerId }),
    };
  }

  async run(): Promise<Ending> {
    const { netns, link, publicKey, firstClientLimitSeconds = 30 } = this.#options;
    // On this machine the stream is a pipe between two mirrord processes; in a pod any of its containers may
    // reach the port.
    const seal = link.kind === "tcp" ? await loadSeal() : undefined;
    const keys = await makeDoorKeys(publicKey, seal).catch((cause) => {
      throw new Failure(E.EINVAL, "Cannot use the public key: it is not 32 bytes of Ed25519 in base64", {
        cause,
      });
    });
    if (netns !== undefined) enter(netns);
    watchesAll();
    using _target = this.#watchTarget();
    const releasing = setInterval(releaseMemory, releaseMs);
    const late = setTimeout(() => {
      if (this.#client !== null) return;
      const reason =
        `Cannot wait longer than ${firstClientLimitSeconds} s: no client with the session's key came`;
      this.#end.resolve({ code: exitCodes.unavailable, reason });
    }, firstClientLimitSeconds * 1000);
    try {
      if (link.kind === "stdio") this.#greet(stdioStream(), keys);
      else this.#listen(link.port, keys);
      return await this.#end.promise;
    } finally {
      clearTimeout(late);
      clearInterval(releasing);
    }
  }

  /** A process that ended gets no traffic any more: the session ends rather than wait for it in silence. */
  #watchTarget(): Disposable {
    const { targetPid } = this.#options;
    if (targetPid === undefined) return { [Symbol.dispose]() {} };
    const reason = `Cannot go on: the target, process ${targetPid}, ended`;
    try {
      return watchProcess(targetPid, async () => {
        await this.#client?.tellEnd(reason);
        this.#end.resolve({ code: exitCodes.unavailable, reason });
      });
    } catch (error) {
      // Gone already: a request for its variables fails with the reason.
      if (error instanceof SystemError && error.errno === E.ESRCH) return { [Symbol.dispose]() {} };
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#announcing);
    for (const listener of this.#listeners.splice(0)) listener.close();
    await this.#client?.[Symbol.asyncDispose]();
  }

  #listen(port: number, keys: DoorKeys): void {
    this.#listeners = listenLoopback(port);
    const held = this.#listeners[0]?.address.port ?? 0;
    log.info(`ready on port ${held}${this.#listeners.length === 1 ? ", IPv4 alone" : ""}`);
    this.#announce(announcementLine({ port: held, key: keys.identity.bytes }));
    for (const listener of this.#listeners) void this.#acceptLinks(listener, keys);
    loadServing().catch(() => {}); // it fails again, and is told, when there is a client
  }

  /**
   * Announces this agent's port until its client is there: a reader that attaches to the container's output
   * sees only later lines, a reader of its log sees the first one.
   */
  #announce(line: string): void {
    const say = () => {
      try {
        Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
      } catch {
        clearInterval(this.#announcing); // nobody reads it
      }
    };
    this.#announcing = setInterval(say, announceMs);
    say();
  }

  async #acceptLinks(listener: Listener, keys: DoorKeys): Promise<void> {
    for (;;) {
      const socket = await listener.accept();
      if (socket === null) return;
      // The oldest makes room: strangers that only occupy places cannot keep the session's own client out.
      const [oldest] = this.#unproven;
      if (oldest !== undefined && this.#unproven.size >= unprovenLimit) oldest.close();
      this.#greet(socketStream(socket), keys);
    }
  }

  #greet(stream: LinkStream, keys: DoorKeys): void {
    this.#unproven.add(stream);
    const limitMs = (this.#options.lostLimitSeconds ?? 15) * 1000;
    proveClient(stream, keys, { intervalMs: limitMs / 3, limitMs })
      .finally(() => this.#unproven.delete(stream))
      .then((proven) => this.#admit(proven))
      .catch((error) => this.#end.resolve(describe(error)));
  }

  async #admit(proven: Proven | null): Promise<void> {
    if (proven === null) {
      if (++this.#refused <= toldRefusals) log.warning("a client without the session's key was refused");
      if (this.#options.link.kind === "stdio") {
        this.#end.resolve({
          code: exitCodes.permission,
          reason: "Cannot serve the client: it does not have the session's key",
        });
      }
      return;
    }
    const serving = await loadServing();
    clearInterval(this.#announcing);
    const { link, join, asked } = proven;
    if (this.#client !== null) {
      return await refuse(proven, new Failure(E.EBUSY, "Cannot serve a second client: this agent has one"));
    }
    const { owner = "a session", httpDetectionSeconds = 2, heartbeatSeconds = 2 } = this.#options;
    const client = new serving.Client(link, {
      owner,
      key: this.#options.publicKey.slice(0, 8),
      target: this.#target,
      detectionMs: httpDetectionSeconds * 1000,
      heartbeatMs: heartbeatSeconds * 1000,
    });
    this.#client = client;
    try {
      if (asked.steal) client.prepareSteal();
      if (asked.mirror) client.prepareMirror();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      await refuse(proven, error);
      return this.#end.resolve(describe(error));
    }
    link.reply(join, "welcome", { version: link.version, kernel: kernelRelease() }).catch(() => {});
    this.#end.resolve(endingOf(await client.serve(link.received()[Symbol.asyncIterator]())));
  }
}

/** Answers the proof with a failure, and leaves the client time to read it. */
async function refuse({ link, join }: Proven, failure: Failure): Promise<void> {
  const late = setTimeout(() => link.close(), farewellMs);
  await link.fail({ kind: "welcome", id: join.id }, failure.errno, failure.message).catch(() => {});
  await link.closed;
  clearTimeout(late);
}

function endingOf(end: ClientEnd): Ending {
  if (end.kind === "goodbye") return { code: 0, reason: "" };
  return { code: exitCodes.linkLost, reason: `Cannot go on without the client: ${end.reason}` };
}

function enter(pid: number): void {
  try {
    enterNetns(pid);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new Failure(error.errno, `Cannot enter the network of process ${pid}: ${error.message}`, {
      cause: error,
    });
  }
}

function describe(error: unknown): Ending {
  if (error instanceof Failure) {
    const denied = error.errno === E.EPERM || error.errno === E.EACCES;
    const code = error.errno === E.EINVAL
      ? exitCodes.config
      : denied
      ? exitCodes.permission
      : exitCodes.unavailable;
    return { code, reason: error.message };
  }
  if (error instanceof SystemError) {
    return { code: exitCodes.unavailable, reason: `Cannot run the agent: ${error.message}` };
  }
  return {
    code: exitCodes.bug,
    reason: `Cannot go on, a bug: ${error instanceof Error ? error.stack ?? error.message : error}`,
  };
}

/** Kubernetes shows what a container left there as the reason of its end (terminationMessagePath). */
function writeTerminationLog(reason: string): void {
  try {
    Deno.writeTextFileSync("/dev/termination-log", reason + "\n", { create: false });
  } catch {
    // Not a container of Kubernetes.
  }
}

function socketStream(socket: Socket): LinkStream {
  return {
    read: (into) => socket.readInto(into),
    write: (bytes) => socket.write(bytes),
    close: () => socket.close(),
  };
}
