// The forwards over one agent, from its welcome to its loss. Made by forwarder.ts for each agent. Invariant:
// when it ends, however it ends, every connection of it has ended: in order, or by a reset on both sides.

import { type AgentLink, LinkError, NonsenseError } from "../../../protocol-wasm/mod.ts";
import { SessionError } from "../../base/errors.ts";
import { Deliveries } from "../deliveries.ts";
import type { Emit } from "../events.ts";
import { hear, type Taker } from "../heard.ts";
import type { IncomingRules } from "../incoming_rules.ts";
import { linger, type LingerOptions } from "../linger.ts";
import { agentGone, Pauses } from "../pauses.ts";
import type { Requests } from "../requests.ts";
import { StandStill } from "../standstill.ts";
import { Carried } from "./carried.ts";
import type { Failures } from "./failures.ts";
import { Inward } from "./inward.ts";
import { Outward } from "./outward.ts";
import type { RemoteForward } from "./written.ts";

/** At the end: how often it is looked which connections are at rest. Twice at rest is at rest. */
const lookMs = 50;

/** Why an agent was lost. */
export interface Loss {
  error: SessionError;
  /** Another agent would not do better: this one spoke nonsense. */
  isFinal: boolean;
  /** How many connections were under way, and are reset. */
  connections: number;
}

export interface ForwardingOptions {
  remotes: readonly RemoteForward[];
  /** null: no port of the target is forwarded. */
  rules: IncomingRules | null;
  failures: Failures;
  emit: Emit;
  requests: Requests;
}

/** Where no port of the target is forwarded no connection can come. */
const noTaker: Taker = {
  subscriptions: null,
  connection: ({ refuse, port }) => refuse(111, `port ${port} is not forwarded`),
};

export class Forwarding implements AsyncDisposable {
  readonly outward: Outward;
  /** What to do when the user stops mirrord (Ctrl-Z), and when it goes on. */
  readonly standStill: StandStill;
  /** Resolves when the agent's link ends by itself; never rejects. */
  readonly lost: Promise<Loss>;
  readonly #agent: AgentLink;
  readonly #emit: Emit;
  readonly #deliveries = new Deliveries();
  readonly #carried = new Carried(this.#deliveries);
  readonly #inward: Inward | null;
  readonly #pauses = new Pauses();
  #isOver = false;
  #isLost = false;

  constructor(agent: AgentLink, { remotes, rules, failures, emit, requests }: ForwardingOptions) {
    this.#agent = agent;
    this.#emit = emit;
    const carried = this.#carried;
    this.outward = new Outward(agent, { carried, emit });
    this.#inward = rules === null
      ? null
      : new Inward(agent, { rules, remotes, carried, failures, emit, requests });
    const silence = this.#inward?.subscriptions.silence ?? null;
    this.standStill = new StandStill(agent, { silence, emit });
    this.#run(hear(agent, { incoming: this.#inward ?? noTaker, emit, run: (work) => this.#run(work) }));
    this.lost = agent.closed.then(async (reason) => {
      if (this.#isOver) return await new Promise<never>(() => {});
      this.#isLost = true;
      return {
        error: agentGone(reason, this.#pauses.recent()),
        isFinal: reason instanceof NonsenseError,
        connections: this.#carried.size,
      };
    });
  }

  /** Steals the ports of the target that are forwarded. Rejects with SessionError when one cannot be had. */
  async open(): Promise<void> {
    await this.#inward?.open();
  }

  /**
   * Ends what is under way: resolves when what clients had sent is delivered. Throws SessionError that names
   * what is not.
   */
  async deliver(options: Pick<LingerOptions, "limitMs" | "giveUp" | "asked">): Promise<void> {
    if (!this.#deliveries.used) return;
    const looking = setInterval(() => this.#carried.resetRested(), lookMs);
    const stop = () => this.#carried.resetUnfinished();
    // One that sends without end is not waited for without end.
    let sending: string[] = [];
    const limit = setTimeout(() => {
      sending = this.#carried.unfinished();
      stop();
    }, options.limitMs);
    options.giveUp.addEventListener("abort", stop);
    try {
      await this.#linger(options);
    } finally {
      clearInterval(looking);
      clearTimeout(limit);
      options.giveUp.removeEventListener("abort", stop);
    }
    if (sending.length > 0) throw stillSending(sending, options.limitMs);
  }

  async #linger(options: Pick<LingerOptions, "limitMs" | "giveUp" | "asked">): Promise<void> {
    await linger(this.#deliveries, this.#agent, {
      ...options,
      what: "clients had sent",
      alive: () => this.#carried.unfinished().length > 0,
      settleMs: Infinity,
      emit: this.#emit,
    });
  }

  /** The agent's link belongs to the caller that opened it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    // With the link, every connection ends by itself, behind what had come before.
    if (!this.#isLost) this.#carried.leave();
    this.#inward?.[Symbol.dispose]();
    this.#pauses[Symbol.dispose]();
    await Promise.resolve();
  }

  /** Lets `work` run by the side; a failure before the end is a bug worth a line. */
  #run(work: Promise<void>): void {
    work.catch((error) => {
      // The link's end is `lost`.
      if (this.#isOver || error instanceof LinkError) return;
      const reason = error instanceof Error ? error.message : String(error);
      this.#emit({ type: "servingFailed", reason });
    });
  }
}

function stillSending(peers: readonly string[], limitMs: number): SessionError {
  const names = [...new Set(peers)].join(", ");
  return new SessionError(
    `Cannot deliver everything that clients had sent: some sent for longer than ${
      limitMs / 1000
    } s, to ${names}`,
    { help: "A longer time: --linger SECONDS, or agent.linger in the configuration." },
  );
}
