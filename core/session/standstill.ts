// A session that is stopped on purpose (Ctrl-Z): the agent hears of it before, gives new connections to the
// original at once and waits longer than for a link that is lost. Made by session.ts, called by the launch.

import { type AgentLink, agentMessages } from "../../protocol-wasm/mod.ts";
import { within } from "../base/pause.ts";
import type { Emit } from "./events.ts";
import type { Silence } from "./silence.ts";

/** So long the agent waits for a session that was stopped. */
const longestSeconds = 600;
/** Ctrl-Z does not wait longer: an agent that does not answer learns of it by the silence. */
const noticeMs = 3000;

export class StandStill {
  readonly #agent: AgentLink | null;
  readonly #silence: Silence | null;
  readonly #emit: Emit;
  #since = 0;
  #ports: number[] = [];
  #isTold = false;

  constructor(agent: AgentLink | null, { silence, emit }: { silence: Silence | null; emit: Emit }) {
    this.#agent = agent;
    this.#silence = silence;
    this.#emit = emit;
  }

  /** Resolves when this process may stop. Never rejects. */
  async begin(): Promise<void> {
    this.#since = performance.now();
    this.#ports = this.#silence?.hold() ?? [];
    this.#isTold = await within(this.#tell(longestSeconds), noticeMs, false);
    this.#emit({ type: "paused", ports: this.#ports, seconds: this.#isTold ? longestSeconds : null });
  }

  /** It goes on. What became of stolen ports the agent tells a moment later. Never rejects. */
  async end(): Promise<void> {
    const isTold = await this.#tell(0) && this.#isTold;
    // The agent says what became of stolen ports, before or after its answer.
    if (isTold && this.#ports.length > 0) return;
    this.#silence?.letGo();
    if (!isTold && this.#agent !== null) return; // the link's end, or its return, is reported where it is seen
    const milliseconds = Math.round(performance.now() - this.#since);
    this.#emit({ type: "continued", ports: [], milliseconds, connections: null });
  }

  async #tell(seconds: number): Promise<boolean> {
    const agent = this.#agent;
    if (agent === null || agent.version < agentMessages.standStill.since) return false;
    return await agent.request("standStill", { seconds }).then(() => true, () => false);
  }
}
