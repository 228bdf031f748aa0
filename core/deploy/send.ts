// Sends the agent into the container that waits for it (sent.ts), and hears the agent's first words. Called
// by ephemeral.ts. Disposing closes the container's input: one that did not get all of it
// ends by that.

import { type Announcement, readAnnouncement } from "../../protocol-wasm/mod.ts";
import { MirrordError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { noteStep } from "../base/progress.ts";
import { pause, pauseOrEnd } from "../base/pause.ts";
import { ApiError } from "../kube/api_error.ts";
import type { AttachInput } from "../kube/attach_input.ts";
import { type AgentContainer, AgentEnded, type AgentPlace } from "./container.ts";
import { imageHelp, type Payload } from "./payload.ts";
import { countOf, greeting, readWanted } from "./sent.ts";

/** Waits between two attempts to attach, in milliseconds; then the last again. */
const attachPauses = [40, 60, 80, 100, 150, 200, 300, 500];
const chunkBytes = 1 << 16;
/** Between two words on how far it is. */
const noteMilliseconds = 1000;
const megabyte = 1e6;
/** The cluster tells of a container's end within some seconds. */
const lastWordsMilliseconds = 5000;

/** One agent on its way. */
export class Sending implements AsyncDisposable {
  /** All of it has left. */
  isSent = false;
  readonly #stop = new AbortController();
  readonly #place: AgentPlace;
  readonly #container: AgentContainer;
  readonly #done: Promise<void>;
  #input: AttachInput | undefined;

  /** Begins; where it fails the container counts as ended, with why. `signal` stops it. */
  constructor(
    place: AgentPlace,
    container: AgentContainer,
    options: { payloads: readonly Payload[]; image: string; signal: AbortSignal },
  ) {
    this.#place = place;
    this.#container = container;
    const signal = AbortSignal.any([options.signal, container.ended, this.#stop.signal]);
    this.#done = this.#send(options, signal).catch(async (error) => {
      // A container that ended closes its input first: then its own words tell why.
      if (this.#input !== undefined) await pauseOrEnd(lastWordsMilliseconds, signal);
      if (!signal.aborted) container.giveUp(explain(error));
    });
  }

  /**
   * The agent's own line, from the attachment that carried it there. It does not wait for the kubelet's next
   * look at the pod, before which there is neither state nor log (a minute was seen). Rejects when the agent
   * did not get there.
   */
  async announcement(): Promise<Announcement> {
    await this.#done;
    if (!this.isSent || this.#input === undefined) throw new Error("the agent was not sent");
    return await this.#input.hear(readAnnouncement);
  }

  /** Ends a container that waits for an agent still: its input is opened and closed. */
  async recall(signal: AbortSignal): Promise<void> {
    await this[Symbol.asyncDispose]();
    this.#input ??= await this.#attach(AbortSignal.any([signal, this.#container.ended]));
    this.#input[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#input?.[Symbol.dispose]();
    await this.#done;
  }

  async #send(
    { payloads, image }: { payloads: readonly Payload[]; image: string },
    signal: AbortSignal,
  ): Promise<void> {
    const [first] = payloads;
    if (first === undefined) throw new TypeError("there is nothing to send");
    // While the container starts the likeliest payload is made ready.
    const [, input] = await Promise.all([first.packed(), this.#attach(signal)]);
    await input.write(new TextEncoder().encode(greeting));
    const machine = await input.hear(readWanted);
    const asked = payloads.find((payload) => payload.machine === machine);
    if (asked === undefined) throw new Error(`the container asks for an agent for ${machine}`);
    const chunks = await asked.packed();
    const total = chunks.reduce((sum, { length }) => sum + length, 0);
    log.info(
      `The agent is sent, ${
        (total / megabyte).toFixed(0)
      } MB, to a container of the target's own image (${image})`,
    );
    await input.write(new TextEncoder().encode(countOf(total)));
    const started = performance.now();
    let noted = started;
    let sent = 0;
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += chunkBytes) {
        signal.throwIfAborted();
        const part = chunk.subarray(at, at + chunkBytes);
        await input.write(part);
        sent += part.length;
        if (performance.now() - noted < noteMilliseconds) continue;
        noted = performance.now();
        noteStep(progressText(sent, { total, seconds: (noted - started) / 1000 }));
      }
    }
    await input.flush();
    this.isSent = true;
  }

  async #attach(signal: AbortSignal): Promise<AttachInput> {
    for (let attempt = 0;; attempt++) {
      try {
        return this.#input = await this.#place.kube.attachInput(
          this.#place.pod,
          this.#container.name,
          signal,
        );
      } catch (error) {
        signal.throwIfAborted();
        if (isFinal(error)) throw error;
      }
      await pause(attachPauses[Math.min(attempt, attachPauses.length - 1)] ?? 500, signal);
    }
  }
}

/** "sending the agent: 12 of 39 MB, 18 MB/s" */
export function progressText(sent: number, { total, seconds }: { total: number; seconds: number }): string {
  const whole = (bytes: number) => Math.round(bytes / megabyte);
  const rate = seconds > 0 ? `, ${(sent / megabyte / seconds).toFixed(1)} MB/s` : "";
  return `sending the agent: ${whole(sent)} of ${whole(total)} MB${rate}`;
}

/** What no container that starts will change: a missing login or right. */
function isFinal(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 401 || error.status === 403);
}

function explain(error: unknown): AgentEnded {
  const message = error instanceof Error ? error.message : String(error);
  const help = error instanceof MirrordError && error.help !== undefined ? `${error.help} ` : "";
  return new AgentEnded(`it cannot be sent: ${message}`, {
    help: `${help}${help === "" ? imageHelp : `Otherwise: ${imageHelp}`}`,
    ...(error instanceof MirrordError ? { code: error.exitCode } : {}),
  });
}
