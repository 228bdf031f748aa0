// A session as the agent sees it, without the session: starts a real agent in a namespace, proves itself with
// a real key over the real link, and answers stolen connections as a test says. Disposing ends the agent.

import assert from "node:assert/strict";
import type { AgentOptions } from "../../agent/main.ts";
import { loadSeal } from "../../core/net/seal.ts";
import {
  type Address,
  type AgentLink,
  agentMessages,
  agentProtocolVersion,
  type Announcement,
  type Body,
  type ByteChannel,
  decode,
  encode,
  endFlag,
  errorFlag,
  ExchangeKey,
  Greeting,
  importPublicKey,
  Link,
  type LinkStream,
  probeKinds,
  readAnnouncement,
  type Received,
  SealedStream,
  SigningKey,
  transcriptOf,
  verifies,
} from "../../protocol-wasm/mod.ts";
import { deadline } from "./deadline.ts";
import type { Netns } from "./netns.ts";
import { TextLineStream } from "./text_lines.ts";

type Frame = Received<typeof agentMessages>;

// Loaded before any test begins: it stays loaded.
const seal = await loadSeal();

const entry = new URL("../agent/run_agent.ts", import.meta.url).pathname;
/** A real agent process. Its options but for the key and the link have the tests' defaults. */
export interface AgentStart {
  options?: Partial<AgentOptions>;
  /**
   * Put before the command line; brings the agent into the namespace, which it then does not enter itself.
   */
  prefix?: string[];
  /** The agent is not told which process is the target. */
  anyProcess?: boolean;
  /** What its kernel part is for; "steal" unless given. */
  mode?: "steal" | "mirror";
  /** The compiled program, which is started instead of the sources; MIRRORD_TEST_AGENT names it for all. */
  binary?: string;
  /** Put between agent and client. */
  wrap?: (stream: LinkStream) => LinkStream;
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

  constructor(options: AgentOptions, prefix: string[] = [], binary = Deno.env.get("MIRRORD_TEST_AGENT")) {
    const argv = binary === undefined
      ? [...prefix, Deno.execPath(), "run", "-A", "--quiet", entry, JSON.stringify(options)]
      : [...prefix, binary, ...agentFlags(options)];
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

  /** What an agent with a port says of itself on standard output; call once. */
  async announced(): Promise<Announcement> {
    const read = async (): Promise<Announcement> => {
      for await (const line of this.#child.stdout.pipeThrough(new TextLineStream())) {
        const found = readAnnouncement(line);
        if (found !== null) return found;
      }
      throw new Error(`the agent ended: ${this.output}`);
    };
    this.#closeStreams = async () => void await Promise.allSettled([this.#child.stdin.close()]);
    return await deadline(read(), "the agent announces itself");
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

/** The command line of the compiled program for these options. */
function agentFlags(options: AgentOptions): string[] {
  const { publicKey, link, targetPid, containerId, netns, owner } = options;
  const flag = (name: string, value: number | string | undefined) =>
    value === undefined ? [] : [name, String(value)];
  return [
    "agent",
    ...(link.kind === "stdio" ? ["--stdio"] : flag("--listen", link.port)),
    ...flag("--public-key", publicKey),
    ...flag("--target-pid", targetPid),
    ...flag("--container-id", containerId),
    ...flag("--netns-of", netns),
    ...flag("--owner", owner),
    ...flag("--first-client-limit", options.firstClientLimitSeconds),
    ...flag("--lost-limit", options.lostLimitSeconds),
    ...flag("--heartbeat-limit", options.heartbeatSeconds),
    ...flag("--http-detection", options.httpDetectionSeconds),
  ];
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

/** What a client asks for; `announced` is what an agent with a port said of itself, absent on a pipe. */
interface Asked {
  steal?: boolean;
  mirror?: boolean;
  announced?: Announcement;
  options?: ConstructorParameters<typeof Link>[2];
}

/** A link whose two ends are proven, and the agent's answer to what was asked. */
export interface Proved {
  link: AgentLink;
  welcome: Frame;
}

/** The handshake with `key` over `stream`; null when the agent closed it. */
export async function prove(stream: LinkStream, key: SigningKey, asked: Asked = {}): Promise<Proved | null> {
  const { steal = true, mirror = false, announced } = asked;
  const greeting = new Greeting(stream);
  const first = await deadline(greeting.next(), "the agent's challenge");
  if (first === null) return null;
  assert.equal(first.kind, agentMessages.greeting.kind);
  const said = decode(agentMessages.greeting, first.body);
  assert.deepEqual([said.version, said.nonce.length], [agentProtocolVersion, 32]);
  if (announced !== undefined) assert.deepEqual(said.identity, announced.key);
  const exchange = await ExchangeKey.generate();
  const { version, release } = said;
  const sealed = announced !== undefined;
  const join = encode(agentMessages.join, { version, release, steal, mirror, sealed, key: exchange.bytes });
  const transcript = await transcriptOf({
    client: key.bytes,
    agent: said.identity,
    challenge: first.body,
    join,
  });
  const proof = encode(agentMessages.proof, { signature: await key.sign("client", transcript) });
  await greeting.send({ kind: agentMessages.join.kind, id: 1, flags: 0, body: join });
  await greeting.send({ kind: agentMessages.proof.kind, id: 1, flags: 0, body: proof });
  const answer = await deadline(greeting.next(), "the agent's proof");
  if (answer === null) return null;
  const { signature } = decode(agentMessages.proof, answer.body);
  assert.ok(await verifies(await importPublicKey(said.identity), "agent", { transcript, signature }));
  const keys = await exchange.keysWith(said.key, transcript);
  const proven = sealed ? new SealedStream(stream, "client", { keys, seal }) : stream;
  const link: AgentLink = new Link(proven, agentMessages, asked.options ?? { side: "client" });
  const welcome = await deadline(link.received()[Symbol.asyncIterator]().next(), "the agent's welcome");
  if (welcome.done) return null;
  assert.equal(welcome.value.name, "welcome");
  assert.notEqual(welcome.value.flags & (endFlag | errorFlag), 0);
  return { link, welcome: welcome.value };
}

/** A proven client of an agent. */
export class FakeClient implements AsyncDisposable {
  readonly agent: AgentProcess;
  readonly link: AgentLink;
  readonly notices: string[] = [];
  /** What the agent said of this client's silences. */
  readonly silences: Body<typeof agentMessages.silence>[] = [];
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
    const key = await SigningKey.generate();
    const options: AgentOptions = {
      publicKey: key.publicKey,
      link: { kind: "stdio" },
      ...(start.prefix === undefined ? { netns: netns.pid } : {}),
      ...(start.anyProcess === true ? {} : { targetPid: netns.pid }),
      ...start.options,
    };
    const agent = new AgentProcess(options, start.prefix, start.binary);
    try {
      const mirror = start.mode === "mirror";
      const proved = await prove((start.wrap ?? ((plain) => plain))(agent.stream()), key, {
        steal: !mirror,
        mirror,
      });
      assert.ok(proved !== null, `the agent closed the link: ${agent.output}`);
      const { link, welcome } = proved;
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

  /** Tells of a probe of `port`; before it is stolen. `nodes`: more addresses of the node. */
  async probe(port: number, how: keyof typeof probeKinds, filter = "", nodes: string[] = []): Promise<void> {
    await this.link.send("probe", 0, { port, how: probeKinds[how], nodes: nodes.join("\n"), filter });
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

  /** What the agent says once it steals again after a silence. */
  async heardAgain(): Promise<Body<typeof agentMessages.silence>> {
    const wait = async () => {
      for (;;) {
        const end = this.silences.find(({ over }) => over);
        if (end !== undefined) return end;
        await this.#wake.promise;
      }
    };
    return await deadline(wait(), "the agent steals again");
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
      if (frame.name === "silence") this.silences.push(decode(agentMessages.silence, frame.body));
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
