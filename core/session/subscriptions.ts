// The ports that are subscribed at the agent for the app's listeners. Made by incoming.ts, which calls it
// when a listener comes or goes. Invariant: requests about one port are made in order, so a port that is
// given back and taken again ends subscribed.

import {
  type AgentLink,
  agentMessages,
  type Body,
  decode,
  probeKinds,
  RemoteError,
  subscribeModes,
} from "../../protocol-wasm/mod.ts";
import type { Emit } from "./events.ts";
import { filterOf, type IncomingRules } from "./incoming_rules.ts";
import type { Listeners } from "./listeners.ts";
import { type News, portFacts } from "./openness.ts";
import { Silence } from "./silence.ts";

export class Subscriptions implements Disposable {
  /** Which of the ports are stolen, and whether frames of the agent arrive. */
  readonly silence: Silence;
  readonly #agent: AgentLink;
  readonly #rules: IncomingRules;
  readonly #listeners: Listeners;
  readonly #news: News;
  readonly #emit: Emit;
  readonly #ports = new Map<number, Promise<void>>();
  /** Ports being given back: a new subscription of one waits, so that the two cannot overtake each other. */
  readonly #leaving = new Map<number, Promise<void>>();
  #isOver = false;

  constructor(
    agent: AgentLink,
    { rules, listeners, news, emit }: {
      rules: IncomingRules;
      listeners: Listeners;
      news: News;
      emit: Emit;
    },
  ) {
    this.#agent = agent;
    this.#rules = rules;
    this.#listeners = listeners;
    this.#news = news;
    this.#emit = emit;
    this.silence = new Silence(agent, { limitMs: rules.heartbeatMs, emit });
  }

  /**
   * A listener wants `port`: subscribes it, once for all. Rejects with RemoteError when the agent refuses.
   */
  want(port: number): Promise<void> {
    const known = this.#ports.get(port);
    if (known !== undefined) {
      this.#aim(port);
      void known.then(() => this.#announce(port), () => {});
      return known;
    }
    const subscription = Promise.resolve(this.#leaving.get(port)).then(() => this.#subscribe(port));
    this.#ports.set(port, subscription);
    subscription.then(
      () => this.#announce(port),
      () => this.#ports.delete(port),
    );
    return subscription;
  }

  /** A listener of `port` is gone: ends the subscription unless another one wants it. Never rejects. */
  async leave(port: number): Promise<void> {
    if (this.#listeners.on(port).length > 0) return this.#aim(port);
    const subscription = this.#ports.get(port);
    this.#ports.delete(port);
    if (subscription === undefined) return;
    const leaving = this.#giveBack(port, subscription);
    this.#leaving.set(port, leaving);
    await leaving;
    if (this.#leaving.get(port) === leaving) this.#leaving.delete(port);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.silence[Symbol.dispose]();
  }

  async #subscribe(port: number): Promise<void> {
    this.#aim(port);
    const { mode, probes, nodeAddresses } = this.#rules;
    // A mirror shows the kubelet's probes as it shows everything: they reach the original whatever the app
    // does.
    const spared = mode === "steal" ? probes.filter((one) => one.port === port) : [];
    if (this.#agent.version >= agentMessages.probe.since) {
      for (const { how, filter } of spared) {
        this.#send("probe", { port, how: probeKinds[how], nodes: nodeAddresses.join("\n"), filter });
      }
    }
    const filter = filterOf(port, this.#rules);
    const byHttp = spared.some(({ how }) => how === "http");
    await this.#agent.request("subscribe", { port, mode: subscribeModes[mode], filter, probes: byHttp });
    if (mode === "steal" && !this.#isOver) this.silence.steals(port, true);
  }

  async #giveBack(port: number, subscription: Promise<void>): Promise<void> {
    if (!(await subscription.then(() => true, () => false))) return;
    try {
      this.silence.steals(port, false);
      await this.#agent.request("unsubscribe", { port });
      this.#emit({ type: "released", port, mode: this.#rules.mode });
    } catch (error) {
      // With the link, every port went back; the owner of the link reports its loss.
      if (error instanceof RemoteError) this.#emit({ type: "releaseFailed", port, reason: error.message });
    }
  }

  /** Tells the agent which addresses of `port` the app's listeners take, and for which they may stand in. */
  #aim(port: number): void {
    if (this.#agent.version < agentMessages.reach.since) return;
    this.#send("reach", { port, ...this.#listeners.reach(port, this.#rules.mode) });
  }

  /**
   * Reports from where `port` is reached. Where that depends on the target's own listeners, it asks the
   * agent.
   */
  async #announce(port: number): Promise<void> {
    const hangs = this.#listeners.on(port).every(({ open }) => open.who === "pod");
    const reached = hangs ? await this.#reached(port) : null;
    const all = this.#listeners.on(port).map(({ open }) => open);
    if (all.length === 0) return;
    const facts = portFacts(port, all, { rules: this.#rules, reached });
    this.#emit({ type: "subscribed", ...facts, isNews: this.#news.isNew(`port ${port}`, facts) });
  }

  /**
   * Which addresses of `port` it has at this moment (`reachBits`); null where the agent cannot answer. Never
   * rejects.
   */
  async #reached(port: number): Promise<number | null> {
    if (this.#agent.version < agentMessages.reached.since) return null;
    const [frame] = await this.#agent.request("reached", { port }).catch(() => []); // the link's end is seen where it is read
    return frame === undefined ? null : decode(agentMessages.reachedReply, frame.body).reach;
  }

  /** One way: no answer comes. */
  #send<K extends "probe" | "reach">(kind: K, body: Body<typeof agentMessages[K]>): void {
    this.#agent.send(kind, 0, body).catch(() => {}); // the link's end is seen where it is read
  }
}
