// Plays what was recorded to a program of this machine, and compares what it answers. Called by
// cmd/replay.ts. Each request goes over a connection of its own, with its recorded headers; nothing is asked
// of a cluster.

import { concatenate, HttpReader } from "../../protocol-wasm/mod.ts";
import { exitCodes, MirrordError } from "../base/errors.ts";
import { within } from "../base/pause.ts";
import { textBytes } from "../net/byte_text.ts";
import { compareAnswers, type CompareOptions, compareTurns, type Difference } from "./compare.ts";
import { knownCodings, type Message, newMessage } from "./message.ts";
import { answerOf, mostBody, type Recorded, type RecordedAnswer, type RecordedRequest } from "./recorded.ts";

/** Where to play, and how. */
export interface PlayOptions extends CompareOptions {
  hostname: string;
  port: number;
  /** How long nothing may come, in milliseconds. */
  patience: number;
  signal: AbortSignal;
}

/** How one part went. */
export interface Outcome {
  /** What came; null: nothing, or it was no HTTP. */
  status: number | null;
  milliseconds: number;
  /** Empty: as it was recorded. */
  differences: Difference[];
  /** There is nothing to compare with. */
  isNew: boolean;
}

/** The bytes of a head; other programs' recordings may have characters that stand for no byte. */
const headBytes = (text: string): Uint8Array =>
  /^[\0-\xff]*$/.test(text) ? textBytes(text) : new TextEncoder().encode(text);

/** Plays one part to its end; what fails is a difference. Rejects when `signal` aborts. */
export async function play(part: Recorded, options: PlayOptions): Promise<Outcome> {
  const began = performance.now();
  const timed = (rest: Omit<Outcome, "milliseconds">): Outcome => ({
    ...rest,
    milliseconds: Math.round((performance.now() - began) * 10) / 10,
  });
  try {
    options.signal.throwIfAborted();
    if (part.kind === "bytes") {
      return timed({ status: null, differences: await converse(part, options), isNew: false });
    }
    const now = await ask(part.request, options);
    const { answer } = part;
    const differences = answer === null ? [] : compareAnswers(answer, now, options);
    return timed({ status: now.status, differences, isNew: answer === null });
  } catch (error) {
    options.signal.throwIfAborted();
    const recorded = part.kind === "bytes" || part.answer === null ? null : String(part.answer.status);
    const now = error instanceof Error ? error.message : String(error);
    return timed({ status: null, differences: [{ what: "answer", recorded, now }], isNew: false });
  }
}

/** A connection that ends with the disposal or the signal, and reads with a time limit. */
class Line implements Disposable {
  readonly #conn: Deno.Conn;
  readonly #options: PlayOptions;
  readonly #end = (): void => this[Symbol.dispose]();
  #over = false;

  private constructor(conn: Deno.Conn, options: PlayOptions) {
    this.#conn = conn;
    this.#options = options;
    options.signal.addEventListener("abort", this.#end);
  }

  static async open(options: PlayOptions): Promise<Line> {
    const { hostname, port, signal } = options;
    return new Line(await Deno.connect({ hostname, port, signal }), options);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** null: the other side ended. */
  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    const buffer = new Uint8Array(1 << 16);
    const late = Symbol();
    const count = await within<number | null | typeof late>(
      this.#conn.read(buffer),
      this.#options.patience,
      late,
    );
    if (count === late) throw new Error(`nothing came for ${this.#options.patience / 1000} s`);
    return count === null ? null : buffer.subarray(0, count as number);
  }

  async closeWrite(): Promise<void> {
    await this.#conn.closeWrite().catch(() => {}); // it is over already
  }

  [Symbol.dispose](): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.signal.removeEventListener("abort", this.#end);
    this.#conn.close();
  }
}

async function ask(request: RecordedRequest, options: PlayOptions): Promise<RecordedAnswer> {
  using line = await Line.open(options);
  // A program may answer before it has read all, and close.
  line.write(concatenate([headBytes(headText(request)), request.body])).catch(() => {});
  return await readAnswer(line, request.method);
}

/**
 * The head that is sent: the recorded one, for a connection of its own and with the codings that can be read.
 */
function headText({ method, target, headers, body }: RecordedRequest): string {
  const lines = headers.flatMap(({ name, value }) => {
    if (name.toLowerCase() !== "accept-encoding") return [`${name}: ${value}`];
    const codings = value.split(",").map((one) => one.trim())
      .filter((one) => knownCodings.includes(one.replace(/;.*/, "").toLowerCase()));
    return codings.length === 0 ? [] : [`${name}: ${codings.join(", ")}`];
  });
  const hasBody = body.length > 0 || /^(POST|PUT|PATCH)$/.test(method);
  if (hasBody) lines.push(`Content-Length: ${body.length}`);
  return [`${method} ${target} HTTP/1.1`, ...lines, "Connection: close"].map((one) => `${one}\r\n`).join("") +
    "\r\n";
}

async function readAnswer(line: Line, method: string): Promise<RecordedAnswer> {
  let message: Message | null = null;
  using reader = new HttpReader("response", (bytes) => message === null ? undefined : keep(message, bytes));
  reader.expect(method);
  for (;;) {
    const bytes = await line.read();
    if (bytes === null) {
      if (message === null) throw new Error("the connection ended without an answer");
      message.state = reader.atEof() === "clean" ? "complete" : "the connection ended";
      return answerOf(message);
    }
    for (let rest = bytes;;) {
      const { state, used } = reader.next(rest);
      const part = rest.subarray(0, used);
      rest = rest.subarray(used);
      if (state === "more") break;
      if (state === "head" && !reader.interim) message = newMessage(reader.head, 0n);
      else if (state === "end" && !reader.interim && message !== null) {
        message.state = "complete";
        return answerOf(message);
      } else if (state === "raw" && message !== null) {
        keep(message, part);
        break;
      } else if (state === "not-http") throw new Error(`the answer is no HTTP/1 (${reader.reason})`);
    }
  }
}

function keep(message: Message, bytes: Uint8Array): void {
  message.size += bytes.length;
  if (message.keptSize + bytes.length > mostBody) return;
  message.kept.push(bytes.slice());
  message.keptSize += bytes.length;
}

/** Says what the client said, and after each of its turns waits for as much as the target then said. */
async function converse(
  { turns }: Extract<Recorded, { kind: "bytes" }>,
  options: PlayOptions,
): Promise<Difference[]> {
  using line = await Line.open(options);
  let rest: Uint8Array<ArrayBuffer> = new Uint8Array();
  for (const [index, turn] of turns.entries()) {
    if (turn.side === "client") {
      await line.write(turn.bytes);
      if (index === turns.length - 1) await line.closeWrite();
      continue;
    }
    const heard = [rest];
    for (let size = rest.length; size < turn.bytes.length;) {
      const more = await line.read();
      if (more === null) break;
      heard.push(more.slice()); // without the room that was left in its buffer
      size += more.length;
    }
    rest = concatenate(heard);
    const found = compareTurns(turn, rest.subarray(0, turn.bytes.length));
    if (found.length > 0) return found.map((one) => ({ ...one, what: `turn ${index + 1}, ${one.what}` }));
    rest = rest.subarray(turn.bytes.length);
  }
  return [];
}

/** Rejects with MirrordError unless something listens there. */
export async function checkListener({ hostname, port }: { hostname: string; port: number }): Promise<void> {
  try {
    (await Deno.connect({ hostname, port })).close();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MirrordError(`Cannot play to "${hostname}:${port}": ${why}`, {
      help: "Start the program first; it has to listen there.",
      exitCode: exitCodes.unavailable,
    });
  }
}
