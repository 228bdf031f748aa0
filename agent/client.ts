// One session as the agent sees it: owns its link, its subscriptions and its connections, and answers its
// requests. Made by main.ts from a proven link. Its end, whatever the reason, frees all of them.

import { log } from "../core/base/log.ts";
import { agentMessages, decode, FilterError } from "../protocol-wasm/mod.ts";
import { Dns } from "./dns.ts";
import { environmentFrames, targetEnvironment } from "./env.ts";
import { Failure } from "./failure.ts";
import { Files } from "./files.ts";
import type { AgentFrame, AgentLink, Floor } from "./floor.ts";
import { Mirror } from "./incoming/mirror.ts";
import { Connections } from "./incoming/steal.ts";
import { Subscriptions } from "./incoming/subscriptions.ts";
import { Outgoing } from "./outgoing.ts";
import { E, SystemError } from "./sys/libc.ts";
import type { TargetProcess } from "./sys/proc.ts";

/** Why a client ended: it said goodbye, or its link did. */
export type ClientEnd = { kind: "goodbye" } | { kind: "lost"; reason: string };

const stealMode = 1;
const mirrorMode = 2;
const warning = 1;
/** Level of a notice that ends the session. */
const failure = 2;
/** How long the original's answers may take when the client is gone. */
const leaveLimitMs = 1500;

export class Client implements AsyncDisposable {
  readonly #link: AgentLink;
  readonly #target: TargetProcess;
  readonly #subscriptions: Subscriptions;
  readonly #connections: Connections;
  readonly #mirror: Mirror;
  readonly #noticed = new Set<string>();
  readonly #floors: readonly Floor[];
  /** Subscribing and unsubscribing happen one after the other. */
  #ports: Promise<void> = Promise.resolve();

  constructor(link: AgentLink, options: { owner: string; target: TargetProcess }) {
    this.#link = link;
    this.#target = options.target;
    const { target } = options;
    this.#floors = [new Outgoing(link), new Dns(link, target), new Files(link, target)];
    this.#subscriptions = new Subscriptions(
      options.owner,
      (connection) => void this.#connections.serve(connection),
    );
    this.#connections = new Connections({
      link,
      subscriptions: this.#subscriptions,
      notice: (port, state) =>
        this.#noticeOnce(
          `Cannot filter all of port ${port}: ${state}. Such connections go to the original whole.`,
        ),
    });
    this.#mirror = new Mirror({
      link,
      say: (text) => this.#notice(text),
      notice: (port, state) =>
        this.#noticeOnce(`Cannot filter all of port ${port}: ${state}. Such connections are not mirrored.`),
    });
  }

  /** Tells the developer why this agent is about to leave; resolves when that is on its way. */
  async tellEnd(text: string): Promise<void> {
    await this.#link.send("notice", 0, { level: failure, text }).catch(() => {}); // the link is over already
  }

  /** The kernel part of stealing, now. Throws Failure with what lacks. */
  prepareSteal(): void {
    this.#subscriptions.prepare();
  }

  /** The kernel part of mirroring, now. Throws Failure with what lacks. */
  prepareMirror(): void {
    this.#mirror.prepare();
  }

  /** Answers requests until the client says goodbye or its link ends. */
  async serve(frames: AsyncIterator<AgentFrame>): Promise<ClientEnd> {
    for (let next = await frames.next(); !next.done; next = await frames.next()) {
      const frame = next.value;
      if (frame.name === "goodbye") {
        this.#subscriptions.removeAll();
        await this.#link.reply(frame, "goodbye", {}).catch(() => {}); // the client need not wait for it
        return { kind: "goodbye" };
      }
      if (frame.name === "env") void this.#answer(frame, () => this.#env(frame));
      else if (frame.name === "subscribe") {
        this.#ports = this.#ports.then(() => this.#answer(frame, () => this.#subscribe(frame)));
      } else if (frame.name === "unsubscribe") {
        this.#ports = this.#ports.then(() => this.#answer(frame, () => this.#unsubscribe(frame)));
      } else {
        const floor = this.#floors.find(({ kinds }) => kinds.includes(frame.name));
        void this.#answer(frame, async () => {
          if (floor === undefined) throw new Failure(E.EPROTO, `Cannot answer "${frame.name}": not now`);
          await floor.answer(frame);
        });
      }
    }
    const reason = await this.#link.closed;
    return { kind: "lost", reason: reason?.message ?? "the link was closed" };
  }

  /**
   * Ports first, so that new connections are the original's; then what the client had is reset, and what the
   * original is answering may be finished, for a moment.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscriptions.removeAll();
    this.#mirror[Symbol.dispose]();
    await Promise.all(this.#floors.map((floor) => floor[Symbol.asyncDispose]()));
    await this.#connections.leave(leaveLimitMs);
    this.#subscriptions[Symbol.dispose]();
    this.#connections.resetAll();
    this.#link.close();
  }

  /** Runs `work`; what it throws is the answer. */
  async #answer(frame: AgentFrame, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const [errno, sentence] = described(error);
      await this.#link.fail(frame, errno, sentence).catch(() => {}); // the link's end is seen by `serve`
    }
  }

  async #env(frame: AgentFrame): Promise<void> {
    const { include, exclude } = decode(agentMessages.env, frame.body);
    for (const { body, flags } of environmentFrames(targetEnvironment(this.#target, include, exclude))) {
      await this.#link.send("env", frame.id, body, flags);
    }
  }

  async #subscribe(frame: AgentFrame): Promise<void> {
    const { port, mode, filter, probes } = decode(agentMessages.subscribe, frame.body);
    const how = filter === "" ? "" : " by a filter";
    if (this.#mirror.has(port) || (mode === mirrorMode && this.#subscriptions.has(port))) {
      throw new Failure(E.EEXIST, `Cannot subscribe to port ${port}: this session has it already`);
    }
    if (mode === stealMode) {
      await this.#subscriptions.add(port, { filter, probes });
      log.info(`port ${port} is stolen${how}`);
    } else if (mode === mirrorMode) {
      this.#mirror.add(port, filter);
      log.info(`port ${port} is mirrored${how}`);
    } else throw new Failure(E.EINVAL, `Cannot subscribe to port ${port}: unknown mode ${mode}`);
    await this.#link.reply(frame, "subscribe", { port, mode, filter: "", probes });
  }

  async #unsubscribe(frame: AgentFrame): Promise<void> {
    const { port } = decode(agentMessages.unsubscribe, frame.body);
    if (this.#mirror.has(port)) this.#mirror.remove(port);
    else this.#subscriptions.remove(port);
    log.info(`port ${port} is given back`);
    await this.#link.reply(frame, "unsubscribe", { port });
  }

  #noticeOnce(text: string): void {
    if (this.#noticed.has(text)) return;
    this.#noticed.add(text);
    this.#notice(text);
  }

  #notice(text: string): void {
    log.warning(text);
    this.#link.send("notice", 0, { level: warning, text }).catch(() => {});
  }
}

function described(error: unknown): [errno: number, sentence: string] {
  if (error instanceof Failure) return [error.errno, error.message];
  if (error instanceof SystemError) return [error.errno, error.message];
  if (error instanceof FilterError) return [E.EINVAL, error.message];
  const text = error instanceof Error ? error.message : String(error);
  log.error(`a request failed: ${error instanceof Error ? error.stack ?? text : text}`);
  return [E.EIO, `Cannot answer: the agent failed (${text})`];
}
