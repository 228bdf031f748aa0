// A session as the agent sees it, without the session: starts a real agent in a namespace, proves itself with a
// real key over the real link, and answers stolen connections as a test says. Disposing ends the agent.

import assert from "node:assert/strict";
import type { AgentOptions } from "../../agent/main.ts";
import {
  type Address,
  agentMessages,
  type Body,
  type ByteChannel,
  decode,
  endFlag,
  errorFlag,
  Link,
  type LinkStream,
  type Received,
} from "../../protocol-wasm/mod.ts";
import { deadline } from "./deadline.ts";
import type { Netns } from "./netns.ts";
import { TextLineStream } from "./text_lines.ts";

type AgentLink = Link<typeof agentMessages>;
type Frame = Received<typeof agentMessages>;

const entry = new URL("../agent/run_agent.ts", import.meta.url).pathname;
const context = new TextEncoder().encode("mirrord-agent-v1\0");

/** An Ed25519 pair as a session makes it. */
export interface SessionKey {
  publicKey: string;
  sign(nonce: Uint8Array): Promise<Uint8Array>;
}

/** A fresh key. */
export async function makeKey(): Promise<SessionKey> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const sign = async (nonce: Uint8Array) => {
    const signed = new Uint8Array([...context, ...nonce]);
    return new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, signed));
  };
  return { publicKey: btoa(String.fromCharCode(...raw)), sign };
}

/** A real agent process. Its options but for the key and the link have the tests' defaults. */
export interface AgentStart {
  options?: Partial<AgentOptions>;
  /** Put before the command line; brings the agent into the namespace, which it then does not enter itself. */
  prefix?: string[];
  /** The agent is not told which process is the target. */
  anyProcess?: boolean;
  /** What its kernel part is for; "steal" unless given. */
  mode?: "steal" | "mirror";
}

/** An agent with its standard streams; what it prints is kept. */
export class AgentProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: string[] = [];
  readonly #reading: Promise<void>;
  #wake = Promise.withResolvers<void>();
  #closeStreams = async (): Promise<void> => {
    await Promise.allSettled([this.#child.stdin.close(), this.#child.stdout.cancel()]);
  };

  constructor(options: AgentOptions, prefix: string[] = []) {
    const argv = [...prefix, Deno.execPath(), "run", "-A", "--quiet", entry, JSON.stringify(options)];
    const [program = "", ...args] = argv;
    this.#child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "piped" })
      .spawn();
    this.#reading = this.#read();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What it printed so far. */
  get output(): string {
    return this.#lines.join("\n");
  }

  /** Its standard input and output as a link's stream; call once. */
  stream(): LinkStream {
    const reader = this.#child.stdout.getReader();
    const writer = this.#child.stdin.getWriter();
    this.#closeStreams = async () => {
      await Promise.allSettled([writer.close(), reader.cancel()]);
    };
    let rest: Uint8Array = new Uint8Array();
    return {
      async read(into) {
        if (rest.length === 0) {
          const { value } = await reader.read();
          if (value === undefined) return null;
          rest = value;
        }
        const count = Math.min(into.length, rest.length);
        into.set(rest.subarray(0, count));
        rest = rest.subarray(count);
        return count;
      },
      write: (bytes) => writer.write(bytes.slice()),
      close: () => void this.#closeStreams(),
    };
  }

  /** The first line of standard error that fits. */
  async until(pattern: RegExp): Promise<string> {
    const find = async () => {
      for (;;) {
        const line = this.#lines.find((one) => pattern.test(one));
        if (line !== undefined) return line;
        await this.#wake.promise;
      }
    };
    return await deadline(find(), `the agent says ${pattern}`);
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Its exit code and all it printed. */
  async finished(): Promise<{ code: number; signal: string | null; output: string }> {
    const { code, signal } = await deadline(this.#child.status, "the agent ends");
    await this.#reading;
    return { code, signal, output: this.output };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It ended already.
    }
    await this.finished();
    await this.#closeStreams();
  }

  async #read(): Promise<void> {
    for await (const line of this.#child.stderr.pipeThrough(new TextLineStream())) {
      this.#lines.push(line);
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    }
  }
}

/** One stolen connection that was offered. */
export interface Offered {
  port: number;
  peer: Address;
  local: Address;
  http: boolean;
  channel: ByteChannel;
  take(): Promise<void>;
  refuse(errno?: number): Promise<void>;
}

/** The challenge answered with `key`: the `welcome` frame, or null when the agent closed the link. */
export async function prove(
  link: AgentLink,
  key: SessionKey,
  { steal = true, mirror = false }: { steal?: boolean; mirror?: boolean } = {},
): Promise<Frame | null> {
  const frames = link.received()[Symbol.asyncIterator]();
  const first = await deadline(frames.next(), "the agent's challenge");
  if (first.done) return null;
  assert.equal(first.value.name, "challenge");
  const { nonce, version, release } = decode(agentMessages.challenge, first.value.body);
  assert.equal(nonce.length, 32);
  const signature = await key.sign(nonce);
  await link.send("prove", link.nextId(), { version, signature, release, steal, mirror });
  const answer = await deadline(frames.next(), "the agent's welcome");
  if (answer.done) return null;
  assert.equal(answer.value.name, "welcome");
  assert.notEqual(answer.value.flags & (endFlag | errorFlag), 0);
  return answer.value;
}

/** A proven client of an agent. */
export class FakeClient implements AsyncDisposable {
  readonly agent: AgentProcess;
  readonly link: AgentLink;
  readonly notices: string[] = [];
  readonly #offers: Offered[] = [];
  #wake = Promise.withResolvers<void>();
  #handler: ((offered: Offered) => void) | null = null;

  constructor(agent: AgentProcess, link: AgentLink) {
    this.agent = agent;
    this.link = link;
    void this.#receive();
  }

  /** Starts an agent in `netns` with its link on standard input and output, and proves itself. */
  static async start(netns: Netns, start: AgentStart = {}): Promise<FakeClient> {
    const key = await makeKey();
    const options: AgentOptions = {
      publicKey: key.publicKey,
      link: { kind: "stdio" },
      ...(start.prefix === undefined ? { netns: netns.pid } : {}),
      ...(start.anyProcess === true ? {} : { targetPid: netns.pid }),
      ...start.options,
    };
    const agent = new AgentProcess(options, start.prefix);
    try {
      const link: AgentLink = new Link(agent.stream(), agentMessages, { side: "client" });
      const mirror = start.mode === "mirror";
      const welcome = await prove(link, key, { steal: !mirror, mirror });
      assert.ok(welcome !== null, `the agent closed the link: ${agent.output}`);
      if ((welcome.flags & errorFlag) !== 0) {
        throw new Error(decode(agentMessages.failure, welcome.body).text);
      }
      return new FakeClient(agent, link);
    } catch (error) {
      await agent[Symbol.asyncDispose]();
      throw error;
    }
  }

  async subscribe(port: number, filter = "", probes = false): Promise<void> {
    await deadline(
      this.link.request("subscribe", { port, mode: 1, filter, probes }),
      `port ${port} is stolen`,
    );
  }

  async mirror(port: number, filter = ""): Promise<void> {
    await deadline(
      this.link.request("subscribe", { port, mode: 2, filter, probes: false }),
      `port ${port} is mirrored`,
    );
  }

  async unsubscribe(port: number): Promise<void> {
    await deadline(this.link.request("unsubscribe", { port }), `port ${port} is given back`);
  }

  /** Every connection offered from now on is `handler`'s. */
  handle(handler: (offered: Offered) => void): void {
    this.#handler = handler;
    this.#offers.splice(0).forEach(handler);
  }

  /** The first notice that fits. */
  async noticed(pattern: RegExp): Promise<string> {
    const wait = async () => {
      for (;;) {
        const notice = this.notices.find((one) => pattern.test(one));
        if (notice !== undefined) return notice;
        await this.#wake.promise;
      }
    };
    return await deadline(wait(), `a notice like ${pattern}; so far: ${this.notices.join("; ")}`);
  }

  /** The next connection offered. */
  async offered(): Promise<Offered> {
    const wait = async () => {
      for (;;) {
        const next = this.#offers.shift();
        if (next !== undefined) return next;
        await this.#wake.promise;
      }
    };
    return await deadline(wait(), "a stolen connection is offered");
  }

  /** Ends the session as it should end. */
  async goodbye(): Promise<number> {
    await this.link.send("goodbye", this.link.nextId(), {});
    const { code } = await this.agent.finished();
    this.link.close();
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.link.close();
    await this.agent[Symbol.asyncDispose]();
  }

  async #receive(): Promise<void> {
    for await (const frame of this.link.received()) {
      if (frame.name === "notice") this.notices.push(decode(agentMessages.notice, frame.body).text);
      if (frame.name !== "incoming") {
        this.#wake.resolve();
        this.#wake = Promise.withResolvers();
        continue;
      }
      const offered = this.#offer(frame, decode(agentMessages.incoming, frame.body));
      if (this.#handler !== null) this.#handler(offered);
      else this.#offers.push(offered);
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    }
  }

  #offer(frame: Frame, body: Body<typeof agentMessages.incoming>): Offered {
    const { link } = this;
    return {
      ...body,
      channel: link.openChannel(frame.id),
      take: () => link.reply(frame, "incoming", body),
      refuse: (errno = 111) => link.fail(frame, errno, "nothing listens here"),
    };
  }
}
