// Reports when the target answers new connections of stolen ports by itself, because nothing arrives between
// agent and session, and when they are stolen again. Made by session.ts. The agent decides
// (agent/incoming/heartbeat.ts) and notifies; this file reports it as soon as this side can know.

import { type AgentLink, agentMessages, type Body } from "../../protocol-wasm/mod.ts";
import type { Emit } from "./events.ts";

/** How often the time of the agent's last frame is checked. */
const lookMs = 500;
/** The agent knows its own limit better: it gets so much more time. */
const spareMs = 500;
/** So long after frames arrive again the agent has reported what became of the silence. */
const settledMs = 1500;

export class Silence implements Disposable {
  readonly #agent: AgentLink;
  readonly #limitMs: number;
  readonly #ports = new Set<number>();
  readonly #emit: Emit;
  #timer: number | undefined;
  #told = false;
  #held = false;
  #since = 0;
  #heardSince = 0;

  /** The agent beats for `limitMs`. */
  constructor(agent: AgentLink, { limitMs, emit }: { limitMs: number; emit: Emit }) {
    this.#agent = agent;
    this.#limitMs = limitMs;
    this.#emit = emit;
  }

  /** `port` is stolen, or is no longer. */
  steals(port: number, stolen: boolean): void {
    if (stolen) this.#ports.add(port);
    else this.#ports.delete(port);
    if (this.#ports.size === 0) this[Symbol.dispose]();
    else if (this.#agent.version >= agentMessages.silence.since) {
      this.#timer ??= setInterval(() => this.#look(), lookMs);
      Deno.unrefTimer(this.#timer);
    }
  }

  /**
   * This side stands still on purpose, until the agent says that the ports are stolen again. Returns them.
   */
  hold(): number[] {
    this.#held = true;
    return this.#sorted;
  }

  /** Nothing is stolen, or nobody says so. */
  letGo(): void {
    this.#held = false;
  }

  /** The agent's notice about it. */
  say({ over, milliseconds, connections }: Body<typeof agentMessages.silence>): void {
    if (this.#held) {
      if (!over) return;
      this.#held = false;
      return this.#emit({ type: "continued", ports: this.#sorted, milliseconds, connections });
    }
    if (!over) return this.#begin();
    this.#begin();
    this.#end(milliseconds, connections);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#told = this.#held = false;
  }

  #look(): void {
    if (this.#held) return;
    const now = performance.now();
    const { heardAt } = this.#agent.liveness;
    const silent = now - heardAt > this.#limitMs + spareMs;
    if (silent) this.#heardSince = now;
    if (silent) this.#begin();
    else if (this.#told && now - this.#heardSince > settledMs) this.#end(now - this.#since);
  }

  #begin(): void {
    if (this.#told) return;
    this.#told = true;
    this.#since = this.#heardSince = performance.now();
    this.#emit({ type: "silent", ports: this.#sorted });
  }

  #end(milliseconds: number, connections: number | null = null): void {
    this.#told = false;
    this.#emit({ type: "heardAgain", ports: this.#sorted, milliseconds, connections });
  }

  get #sorted(): number[] {
    return [...this.#ports].sort((a, b) => a - b);
  }
}
