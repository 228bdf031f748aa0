// The floor "incoming" of one client: the ports that it stole or mirrors, and their connections. Made by
// client.ts. Invariant: requests about ports are carried out in the order in which they came.

import { log } from "../../core/base/log.ts";
import {
  type AgentFrame,
  type AgentLink,
  agentMessages,
  decode,
  noticeLevel,
  subscribeModes,
} from "../../protocol-wasm/mod.ts";
import { described, Failure } from "../failure.ts";
import type { Floor } from "../floor.ts";
import { E } from "../sys/libc.ts";
import type { Unsent } from "../unsent.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Mirror } from "./mirror.ts";
import { Probes } from "./probes.ts";
import { Connections } from "./steal.ts";
import { Subscriptions } from "./subscriptions.ts";
import { LinkTaker, type Taker } from "./taker.ts";

/** How long the original may take to finish its answers when the client is gone. */
const leaveLimitMs = 1500;

export interface IncomingOptions {
  owner: string;
  /** The session's key, which distinguishes sessions. */
  key: string;
  detectionMs: number;
  /** How long the client may be silent before the original gets new connections. */
  heartbeatMs: number;
}

export class Incoming implements Floor {
  readonly kinds = ["owner", "standStill", "subscribe", "unsubscribe", "probe", "reach", "reached"] as const;
  readonly #link: AgentLink;
  readonly #subscriptions: Subscriptions;
  readonly #connections: Connections;
  readonly #heartbeat: Heartbeat;
  readonly #probes = new Probes();
  readonly #taker: Taker;
  readonly #mirror: Mirror;
  readonly #noticed = new Set<string>();
  #last: Promise<void> = Promise.resolve();

  constructor(link: AgentLink, unsent: Unsent, options: IncomingOptions) {
    this.#link = link;
    this.#subscriptions = new Subscriptions(options.owner, {
      key: options.key,
      onConnection: (connection) => void this.#connections.serve(connection),
      notice: (text) => this.#noticeOnce(text),
    });
    this.#heartbeat = new Heartbeat({
      limitMs: options.heartbeatMs,
      liveness: link.liveness,
      gate: this.#subscriptions.gate,
      onSilence: () => {
        this.#connections.silence();
        this.#tellSilence({ over: false, milliseconds: 0, connections: 0 });
      },
      onReturn: (milliseconds, connections) => this.#tellSilence({ over: true, milliseconds, connections }),
    });
    this.#taker = new LinkTaker(link, this.#heartbeat);
    const say = (text: string) => this.#notice(text);
    const context = {
      subscriptions: this.#subscriptions,
      unsent,
      probes: this.#probes,
      detectionMs: options.detectionMs,
      notice: (port: number, state: string) =>
        this.#noticeOnce(
          `Cannot filter all of port ${port}: ${state}. Such connections go to the original whole.`,
        ),
    };
    this.#connections = new Connections(context, { heartbeat: this.#heartbeat, say });
    this.#mirror = new Mirror({
      taker: this.#taker,
      say,
      notice: (port, state) =>
        this.#noticeOnce(`Cannot filter all of port ${port}: ${state}. Such connections are not mirrored.`),
    });
  }

  /** Loads the kernel part of stealing now. Throws Failure with what is missing. */
  prepareSteal(): void {
    this.#subscriptions.prepare();
  }

  /** Loads the kernel part of mirroring now. Throws Failure with what is missing. */
  prepareMirror(): void {
    this.#mirror.prepare();
  }

  /** From now on new connections go to the original. */
  giveBack(): void {
    this.#subscriptions.removeAll();
  }

  answer(frame: AgentFrame): Promise<void> {
    if (frame.name === "owner") return Promise.resolve(this.#ownedBy(frame));
    if (frame.name === "standStill") return this.#standStill(frame);
    const done = this.#last.then(() => this.#answerNext(frame));
    this.#last = done.catch(() => {}); // its client gets the failure
    return done;
  }

  /**
   * Gives the ports back first, so that new connections go to the original; then the client's connections are
   * reset, and the original gets a moment to finish what it is answering.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.giveBack();
    this.#heartbeat[Symbol.dispose]();
    this.#mirror[Symbol.dispose]();
    await this.#connections.leave(leaveLimitMs);
    this.#subscriptions[Symbol.dispose]();
    this.#connections.resetAll();
    this.#probes[Symbol.dispose]();
  }

  async #answerNext(frame: AgentFrame): Promise<void> {
    if (frame.name === "subscribe") await this.#subscribe(frame);
    else if (frame.name === "unsubscribe") await this.#unsubscribe(frame);
    else if (frame.name === "reached") await this.#reached(frame);
    else if (frame.name === "reach") this.#reach(frame);
    else this.#probe(frame);
  }

  /** The original's at once: nobody waits for the heartbeat's limit. */
  async #standStill(frame: AgentFrame): Promise<void> {
    const { seconds } = decode(agentMessages.standStill, frame.body);
    this.#link.liveness.excuse(seconds * 1000);
    this.#heartbeat.hold(seconds > 0);
    await this.#link.reply(frame, "standStillReply", {});
  }

  #ownedBy(frame: AgentFrame): void {
    this.#subscriptions.ownedBy(decode(agentMessages.owner, frame.body).text);
  }

  async #subscribe(frame: AgentFrame): Promise<void> {
    const { port, mode, filter, probes } = decode(agentMessages.subscribe, frame.body);
    const how = filter === "" ? "" : " by a filter";
    if (this.#mirror.has(port) || (mode === subscribeModes.mirror && this.#subscriptions.has(port))) {
      throw new Failure(E.EEXIST, `Cannot subscribe to port ${port}: this session has it already`);
    }
    if (mode === subscribeModes.steal) {
      if (probes) this.#probes.addUnknown(port);
      await this.#subscriptions.add(port, { filter, taker: this.#taker });
      this.#heartbeat.start();
      this.#mirror.reaches.forget(port);
      log.info(`port ${port} is stolen${how}`);
    } else if (mode === subscribeModes.mirror) {
      this.#mirror.add(port, filter);
      this.#subscriptions.reaches.forget(port);
      log.info(`port ${port} is mirrored${how}`);
    } else throw new Failure(E.EINVAL, `Cannot subscribe to port ${port}: unknown mode ${mode}`);
    await this.#link.reply(frame, "subscribe", { port, mode, filter: "", probes });
  }

  async #unsubscribe(frame: AgentFrame): Promise<void> {
    const { port } = decode(agentMessages.unsubscribe, frame.body);
    this.#subscriptions.reaches.forget(port);
    this.#mirror.reaches.forget(port);
    if (this.#mirror.has(port)) this.#mirror.remove(port);
    else this.#subscriptions.remove(port);
    if (this.#subscriptions.isEmpty) this.#heartbeat.stop();
    log.info(`port ${port} is given back`);
    await this.#link.reply(frame, "unsubscribe", { port });
  }

  async #reached(frame: AgentFrame): Promise<void> {
    const { port } = decode(agentMessages.reached, frame.body);
    const { reaches } = this.#mirror.has(port) ? this.#mirror : this.#subscriptions;
    await this.#link.reply(frame, "reachedReply", { reach: reaches.now(port) });
  }

  /** No request waits for an answer: what the kernel refuses stays as it was, and is reported. */
  #reach(frame: AgentFrame): void {
    const { port, ...reach } = decode(agentMessages.reach, frame.body);
    try {
      // Before `subscribe` the mode is not known: both get it, and one of them drops it then.
      if (!this.#mirror.has(port)) this.#subscriptions.reaches.ask(port, reach);
      if (!this.#subscriptions.has(port)) this.#mirror.reaches.ask(port, reach);
    } catch (error) {
      const [, sentence] = described(error);
      this.#noticeOnce(`Cannot change for which addresses port ${port} is stolen: ${sentence}`);
    }
  }

  /** No request waits for an answer: what cannot be used is reported. */
  #probe(frame: AgentFrame): void {
    const { port, nodes, ...rule } = decode(agentMessages.probe, frame.body);
    try {
      this.#subscriptions.keepOpenings();
      this.#probes.add(port, rule, nodes.split("\n").filter((one) => one !== ""));
    } catch (error) {
      const [, why] = described(error);
      this.#noticeOnce(`Cannot distinguish the kubelet's probes of port ${port} from other requests: ${why}`);
    }
  }

  #tellSilence(state: { over: boolean; milliseconds: number; connections: number }): void {
    const { over, milliseconds, connections } = state;
    log.warning(
      over
        ? `new connections are stolen again; for ${milliseconds} ms the original got them, ${connections} in all`
        : "the client is silent: the original gets new connections",
    );
    if (this.#link.version < agentMessages.silence.since) return;
    this.#link.send("silence", 0, state).catch(() => {}); // the link's end is seen by `serve`
  }

  #noticeOnce(text: string): void {
    if (this.#noticed.has(text)) return;
    this.#noticed.add(text);
    this.#notice(text);
  }

  #notice(text: string): void {
    log.warning(text);
    this.#link.send("notice", 0, { level: noticeLevel("warning"), text }).catch(() => {});
  }
}
