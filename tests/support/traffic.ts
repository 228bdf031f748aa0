// A steady load on a stage's target, from where its clients are, through whatever happens meanwhile: who
// answered each request, which were lost, and for how long. The load's process needs nothing of the cluster
// once it runs, so the API server may stop. Used by tests/faults.

import assert from "node:assert/strict";
import { deadline } from "./deadline.ts";
import type { Stage } from "./stage.ts";
import { TextLineStream } from "./text_lines.ts";

const program = decodeURIComponent(new URL("../apps/steady.py", import.meta.url).pathname);

/** Requests in a second, and for how many seconds each is waited for. */
export const rate = 50;
const limit = 3;

/** One request that is over: when it began, in seconds, and who answered it; null: nobody. */
interface Asked {
  began: number;
  by: string | null;
  failure: string;
}

/** What became of all requests. */
export interface Tally {
  sent: number;
  lost: number;
  by: Record<string, number>;
  failures: Record<string, number>;
  /** For how long requests were lost: the tenths of a second in which one began that was, in seconds. */
  seconds: number;
}

export class Traffic implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #asked: Asked[] = [];
  readonly #reading: Promise<void>;
  #wake = Promise.withResolvers<void>();
  #finished: Promise<Tally> | null = null;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#reading = this.#read();
  }

  /** Starts it and waits until the original has answered. */
  static async start(stage: Stage & { clientPlace?(): Promise<string[]> }, port = 80): Promise<Traffic> {
    const place = await stage.clientPlace?.() ?? [];
    const [command = "", ...args] = [
      ...place,
      ...["/usr/bin/python3", program, stage.hosts.ipv4, String(port), String(rate), String(limit)],
    ];
    const child = new Deno.Command(command, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const traffic = new Traffic(child);
    await traffic.settled("original");
    return traffic;
  }

  async #read(): Promise<void> {
    for await (const line of this.#child.stdout.pipeThrough(new TextLineStream())) {
      const [began = "", by = "", failure = ""] = line.split(" ");
      this.#asked.push({ began: Number(began), by: by === "!" ? null : by, failure });
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    }
  }

  /** How many requests are over. */
  get count(): number {
    return this.#asked.length;
  }

  /** Waits until `count` more requests are over: time that passes by what happens in it. */
  async more(count: number): Promise<void> {
    const wanted = this.count + count;
    const enough = async () => {
      while (this.count < wanted) await this.#wake.promise;
    };
    await deadline(enough(), `${count} more requests`, 30_000 + count / rate * 2000);
  }

  /** Waits until the last `count` requests, begun after this call, were all answered by `by`. */
  async settled(by: string, count = rate / 2, limitMs = 60_000): Promise<void> {
    const from = Date.now() / 1000;
    const is = () => {
      const since = this.#asked.filter((one) => one.began >= from).slice(-count);
      return since.length === count && since.every((one) => one.by === by);
    };
    const wait = async () => {
      while (!is()) await this.#wake.promise;
    };
    await deadline(wait(), `"${by}" answers for good; last: ${this.#last()}`, limitMs);
  }

  #last(): string {
    return this.#asked.slice(-5).map(({ by, failure }) => by ?? failure).join(" ");
  }

  /** Ends it and counts. */
  finish(): Promise<Tally> {
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  async #finish(): Promise<Tally> {
    await this.#child.stdin.close();
    assert.equal((await deadline(this.#child.status, "the load ends")).code, 0);
    await this.#reading;
    const tally: Tally = { sent: this.count, lost: 0, by: {}, failures: {}, seconds: 0 };
    for (const { by, failure } of this.#asked) {
      if (by !== null) tally.by[by] = (tally.by[by] ?? 0) + 1;
      else tally.failures[failure] = (tally.failures[failure] ?? 0) + 1;
    }
    const lost = this.#asked.filter((one) => one.by === null).map((one) => one.began);
    tally.lost = lost.length;
    tally.seconds = new Set(lost.map((began) => Math.floor(began * 10))).size / 10;
    return tally;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#finished === null) await this.finish().catch(() => {});
  }
}
