// `mirrord dump`: shows and records what goes to the target's ports and what comes back, until Ctrl-C. The
// walk is that of exec.ts without an app: the agent copies packets, everything else happens here. Invariant:
// whatever ends it, the files are complete, and they and the output name what was not copied.

import { ConfigError, MirrordError, SessionError } from "../core/base/errors.ts";
import { log } from "../core/base/log.ts";
import type { Config } from "../core/config/config.ts";
import { Notices } from "../core/deploy/notices.ts";
import { interruptible } from "../core/launch/interrupts.ts";
import { Chosen } from "../core/traffic/chosen.ts";
import { Conversations } from "../core/traffic/conversations.ts";
import type { TrafficEvent } from "../core/traffic/events.ts";
import { Exchanges } from "../core/traffic/exchanges.ts";
import { HarFile } from "../core/traffic/har.ts";
import { PacketTime } from "../core/traffic/packet_time.ts";
import { PcapngFile } from "../core/traffic/pcapng.ts";
import { type Watched, watchTarget } from "../core/traffic/watch.ts";
import {
  type AgentLink,
  agentMessages,
  decode,
  LinkError,
  type PacketKind,
  type PacketRecord,
} from "../protocol-wasm/mod.ts";
import type { DumpCommand } from "./commands.ts";
import { clusterFlags, configOf } from "./config_flags.ts";
import { findTarget, openAgent } from "./steps.ts";
import { jsonLine, jsonOf, jsonOfLoss } from "./traffic_json.ts";
import { TrafficLines } from "./traffic_lines.ts";
import { printWhenRead } from "./ui.ts";

const endingSignals: Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
/** Bytes that are shown of a body, and those that a HAR file keeps, unless a flag says it. */
const usualPreview = 1024, usualBody = 1 << 20;
/** A compressed body is shown if all of it is kept. */
const leastKept = 1 << 16;
/** How often what is missing or grows is looked at. */
const tickMs = 250;
/** What was copied before Ctrl-C may take so long to arrive. */
const finishMs = 10_000;
const restText = "the last packets are left out: they had not arrived when it ended";
const reasons: Partial<Record<PacketKind, string>> = {
  lostByKernel: "they came faster than the agent took them",
  lostByLink: "they came faster than this session took them",
};

/** Runs until a signal. Throws MirrordError when it could not begin, or lost the agent. */
export async function dump(command: DumpCommand): Promise<number> {
  using interrupt = interruptible("dump the traffic");
  await using stack = new AsyncDisposableStack();
  const flags = {
    ...clusterFlags(command),
    target: command.target,
    agentImage: command.agentImage,
    httpFilter: command.httpFilter,
  };
  const config = onlyMirror(
    await configOf(command, flags, { announced: true, runs: true, signal: interrupt.signal }),
  );
  const target = await findTarget(config, interrupt.signal);
  if (target.kind !== "pod" && target.kind !== "process") {
    throw new ConfigError(`Cannot dump "${target.path}": it has no traffic of its own`, {
      help: "Name a pod, a deployment or a process: --target deployment/NAME.",
    });
  }
  const chosen = stack.use(new Chosen(config.incoming.filter, config.incoming.filterPorts));
  const recorder = stack.use(new Recorder(command, { about: target.label, chosen }));
  const agent = await openAgent(config, target, stack, { signal: interrupt.signal, forced: false });
  if (agent === null) throw new MirrordError("Cannot dump without an agent");
  const watched = await watchTarget(agent.link, target, command.port ?? []);
  interrupt.signal.throwIfAborted();
  interrupt[Symbol.dispose](); // from here on signals end it in order
  log.info(`Showing what goes to and from port ${watched.ports.join(", ")}; Ctrl-C ends`);
  await follow(watched, agent.link, recorder);
  return 0;
}

/** Nothing but a copy of the traffic is asked of the target. */
function onlyMirror(config: Config): Config {
  return {
    ...config,
    env: null,
    incoming: { ...config.incoming, mode: "mirror" },
    outgoing: { ...config.outgoing, tcp: false, udp: false },
    dns: { ...config.dns, enabled: false, hostname: false },
    files: { ...config.files, mode: "local" },
  };
}

/**
 * Takes the records until a signal and those that were on their way, or until nobody reads. A second signal,
 * and a time limit, give up the rest. Throws SessionError when the agent is lost.
 */
async function follow(watched: Watched, agent: AgentLink, recorder: Recorder): Promise<void> {
  const enough = Promise.withResolvers<null>();
  let late: number | undefined;
  const end = (): void => {
    if (late !== undefined) return enough.resolve(null);
    watched.finish();
    late = setTimeout(() => enough.resolve(null), finishMs);
  };
  for (const signal of endingSignals) Deno.addSignalListener(signal, end);
  void hearNotices(agent);
  const ticking = setInterval(() => void recorder.tick().catch(enough.reject), tickMs);
  let lost: SessionError | null = null;
  try {
    for (;;) {
      const batch = await Promise.race([watched.batches.next(), enough.promise]);
      if (batch === null) recorder.leaveRest();
      if (batch === null || batch.done === true) break;
      for (const record of batch.value) recorder.take(record);
      if (!await recorder.flush()) break;
    }
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    lost = new SessionError(`Cannot go on without the agent: ${error.message}`, {
      help: "What was recorded until then is complete.",
      cause: error,
    });
  } finally {
    clearInterval(ticking);
    clearTimeout(late);
    for (const signal of endingSignals) Deno.removeSignalListener(signal, end);
    watched.close();
    recorder.end();
    await recorder.flush();
  }
  if (lost !== null) throw lost;
}

/** What the agent wants the developer to read. */
async function hearNotices(agent: AgentLink): Promise<void> {
  using notices = new Notices();
  try {
    for await (const frame of agent.received()) {
      if (frame.name !== "notice") continue;
      const { level, text } = decode(agentMessages.notice, frame.body);
      notices.say(level, text);
    }
  } catch {
    // The link's end is seen where packets are read.
  }
}

/** Everything that is made of the packets: lines, and files. */
class Recorder implements Disposable {
  readonly #chosen: Chosen;
  readonly #isJson: boolean;
  readonly #preview: number;
  readonly #lines: TrafficLines;
  readonly #conversations: Conversations;
  readonly #time = new PacketTime();
  readonly #har: HarFile | null = null;
  readonly #pcap: PcapngFile | null = null;
  readonly #lost = { packets: 0, bytes: 0, rest: false };
  #json: string[] = [];
  #exchanges = 0;
  #flushing: Promise<boolean> = Promise.resolve(true);

  /** Throws ConfigError when a file cannot be written. */
  constructor(
    { output, preview = usualPreview, bodyLimit = usualBody, har, pcap }: DumpCommand,
    { about, chosen }: { about: string; chosen: Chosen },
  ) {
    this.#chosen = chosen;
    this.#isJson = output === "json";
    this.#preview = preview;
    this.#lines = new TrafficLines(preview);
    const keep = Math.max(preview, har === undefined ? leastKept : bodyLimit);
    this.#conversations = new Conversations(new Exchanges((event) => this.#happens(event), keep));
    if (har !== undefined) this.#har = new HarFile(har, bodyLimit);
    if (pcap !== undefined) this.#pcap = new PcapngFile(pcap, about);
  }

  take(record: PacketRecord): void {
    const { kind, time, bytes, length } = record;
    this.#time.heard(time);
    if (kind !== "toTarget" && kind !== "fromTarget") {
      this.#conversations.hurry();
      return this.#lose(time, length, reasons[kind] ?? kind);
    }
    const fromTarget = kind === "fromTarget";
    const isPart = this.#conversations.take({ bytes, time, fromTarget });
    if (isPart) this.#pcap?.add({ bytes, length, time, fromTarget });
  }

  /** What was copied and did not arrive yet is left out. */
  leaveRest(): void {
    this.#lost.rest = true;
    this.#pcap?.lose(0, restText);
    this.#sayLoss();
    log.warning(`What was recorded is incomplete: ${restText}`);
  }

  /** Time passes, though no packet comes. Rejects with MirrordError. */
  async tick(): Promise<void> {
    const now = this.#time.now();
    if (now === null) return;
    this.#conversations.sweep(now);
    this.#lines.tick(now);
    await this.flush();
  }

  end(): void {
    this.#conversations.end();
    const lost = this.#lossText();
    const seen = `${this.#exchanges} ${this.#exchanges === 1 ? "request" : "requests"} seen`;
    log.info([seen, ...(lost === "" ? [] : [lost])].join(", "));
  }

  /** Writes what there is to show; false: nobody reads it. */
  flush(): Promise<boolean> {
    this.#har?.flush();
    this.#pcap?.flush();
    const lines = this.#isJson ? this.#json.splice(0) : this.#lines.takeLines();
    if (lines.length > 0) {
      const text = lines.join("\n");
      this.#flushing = this.#flushing.then((isRead) => isRead && printWhenRead(text));
    }
    return this.#flushing;
  }

  [Symbol.dispose](): void {
    try {
      this.#har?.[Symbol.dispose]();
    } finally {
      this.#pcap?.[Symbol.dispose]();
    }
  }

  #happens(event: TrafficEvent): void {
    if (!this.#chosen.wants(event)) return;
    if (event.type === "exchange") {
      this.#exchanges++;
      this.#har?.add(event.exchange);
    } else if (event.type === "lost") {
      this.#lost.bytes += event.count;
      this.#sayLoss();
    }
    if (!this.#isJson) return this.#lines.take(event);
    const line = jsonOf(event, this.#preview);
    if (line !== null) this.#json.push(jsonLine(line));
  }

  #lose(time: bigint, packets: number, reason: string): void {
    this.#lost.packets += packets;
    const text = `${packets} ${packets === 1 ? "packet was" : "packets were"} not copied: ${reason}`;
    this.#pcap?.lose(packets, text);
    this.#sayLoss();
    if (this.#isJson) this.#json.push(jsonLine(jsonOfLoss(time, packets, reason)));
    else this.#lines.note(time, text);
  }

  #sayLoss(): void {
    this.#har?.say(`The recording is incomplete: ${this.#lossText()}`);
  }

  /** Only grows. */
  #lossText(): string {
    const { packets, bytes, rest } = this.#lost;
    return [
      ...(packets === 0 ? [] : [`${packets} packets were not copied`]),
      ...(bytes === 0 ? [] : [`${bytes} bytes of connections are missing`]),
      ...(rest ? [restText] : []),
    ].join(", ");
  }
}
