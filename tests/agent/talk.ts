// The two ends of a stolen connection as the tests of this folder speak on them: the peer's socket and the
// channel that the session got have the same shape here. Also the original, and a peer inside the namespace.

import assert from "node:assert/strict";
import type { ByteChannel } from "../../protocol-wasm/mod.ts";
import { deadline } from "../support/deadline.ts";
import type { Netns } from "../support/netns.ts";

export const text = new TextDecoder();
export const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** One end of a conversation. */
export class Talk implements Disposable {
  readonly #read: () => Promise<Uint8Array | null>;
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #closeWrite: () => Promise<void>;
  readonly #dispose: () => void;
  #heard = "";

  constructor(end: ByteChannel | Deno.Conn) {
    if ("localAddr" in end) {
      this.#read = async () => {
        const buffer = new Uint8Array(65536);
        const count = await end.read(buffer);
        return count === null ? null : buffer.subarray(0, count);
      };
      this.#write = async (bytes) => {
        for (let at = 0; at < bytes.length;) at += await end.write(bytes.subarray(at));
      };
      this.#closeWrite = () => end.closeWrite();
      this.#dispose = () => end.close();
    } else {
      this.#read = () => end.read();
      this.#write = (bytes) => end.write(bytes);
      this.#closeWrite = () => end.closeWrite();
      this.#dispose = () => {};
    }
  }

  /** Connects to `port` of the namespace from its other host. */
  static async dial(netns: Netns, port: number, family: "ipv4" | "ipv6" = "ipv4"): Promise<Talk> {
    return new Talk(await Deno.connect({ hostname: netns[family], port }));
  }

  say(what: string | Uint8Array): Promise<void> {
    return this.#write(typeof what === "string" ? bytes(what) : what);
  }

  closeWrite(): Promise<void> {
    return this.#closeWrite();
  }

  /** Everything up to and with `end`; what follows stays for the next call. */
  async until(end: string): Promise<string> {
    for (;;) {
      const at = this.#heard.indexOf(end);
      if (at >= 0) {
        const taken = this.#heard.slice(0, at + end.length);
        this.#heard = this.#heard.slice(at + end.length);
        return taken;
      }
      const more = await deadline(this.#read(), `"${end}" after "${this.#heard.slice(0, 500)}"`);
      assert.ok(more !== null, `ended before "${end}": "${this.#heard.slice(0, 500)}"`);
      this.#heard += text.decode(more);
    }
  }

  /** A response with a Content-Length: its head and body. */
  async response(): Promise<{ head: string; body: string }> {
    const head = await this.until("\r\n\r\n");
    let length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    while (this.#heard.length < length) {
      const more = await deadline(this.#read(), "the rest of a body");
      assert.ok(more !== null, "ended inside a body");
      this.#heard += text.decode(more);
    }
    const body = this.#heard.slice(0, length);
    this.#heard = this.#heard.slice(length);
    length = 0;
    return { head, body };
  }

  /** The body of the answer to `request`. */
  async ask(request: string): Promise<string> {
    await this.say(request);
    return (await this.response()).body;
  }

  /** How many bytes still come before the end, which are not kept. */
  async drain(): Promise<number> {
    let count = 0;
    for (let more = await this.#read(); more !== null; more = await this.#read()) count += more.length;
    return count;
  }

  /** All that still comes, and how it ended. */
  async rest(): Promise<{ heard: string; reset: boolean }> {
    let reset = false;
    for (;;) {
      try {
        const more = await deadline(this.#read(), "the end of a connection");
        if (more === null) break;
        this.#heard += text.decode(more);
      } catch {
        reset = true;
        break;
      }
    }
    const heard = this.#heard;
    this.#heard = "";
    return { heard, reset };
  }

  [Symbol.dispose](): void {
    this.#dispose();
  }
}

/** A running original. */
export interface Original extends AsyncDisposable {
  end(): Promise<void>;
}

/** Starts original.py in the namespace; resolves when it listens. */
export async function startOriginal(
  netns: Netns,
  kind: string,
  port: number,
  address = "::",
): Promise<Original> {
  const script = new URL("./original.py", import.meta.url).pathname;
  const [program = "", ...args] = netns.inside(["python3", script, address, String(port), kind]);
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "inherit" })
    .spawn();
  const reader = child.stdout.getReader();
  const first = await deadline(reader.read(), "the original listens");
  assert.ok(first.value !== undefined, "the original did not start");
  await reader.cancel();
  const end = async () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It ended already.
    }
    await child.status;
  };
  return { end, [Symbol.asyncDispose]: end };
}

/** Runs a short Python program inside the namespace; what it prints. */
export function python(netns: Netns, program: string): Promise<string> {
  return netns.run(["python3", "-c", program]);
}

/** GET with a header, in one piece. */
export function get(path: string, header = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: pod\r\n${header === "" ? "" : header + "\r\n"}\r\n`;
}
