// `mirrord replay FILE --to HOST:PORT`: plays a recording of traffic to a program of this machine and says
// what it answers otherwise than was recorded. No cluster, no agent. Ends with 0 when all answers are as
// recorded, with 1 when one is not or when something could not be played.

import { ConfigError, exitCodes, MirrordError } from "../core/base/errors.ts";
import { log } from "../core/base/log.ts";
import { pause } from "../core/base/pause.ts";
import type { Difference } from "../core/traffic/compare.ts";
import { checkListener, type Outcome, play, type PlayOptions } from "../core/traffic/play.ts";
import type { Recorded, Recording } from "../core/traffic/recorded.ts";
import { readRecording } from "../core/traffic/recording.ts";
import { interruptible } from "../core/launch/interrupts.ts";
import type { ReplayCommand } from "./commands.ts";
import { jsonLine } from "./traffic_json.ts";
import { printLine } from "./ui.ts";

/** Documented in docs/exit-codes.md. */
const differentCode = 1;
const usualPatience = 30;
/** Requests under way at a time with `--timing`. */
const mostAtOnce = 256;

/** Plays and compares. Throws MirrordError where it cannot begin. */
export async function replay(command: ReplayCommand): Promise<number> {
  using interrupt = interruptible("play the recording");
  const place = placeOf(command.to);
  const recording = chosen(await readRecording(command.file), command);
  await checkListener(place);
  const options: PlayOptions = {
    ...place,
    patience: (command.timeout ?? usualPatience) * 1000,
    signal: interrupt.signal,
    headers: (command.header ?? []).map((name) => name.toLowerCase()),
    ignore: new Set((command.ignore ?? []).map((one) => one.startsWith(".") ? one : one.toLowerCase())),
  };
  const isJson = command.output === "json";
  const counts = { same: 0, different: 0, new: 0 };
  const outcomes = command.timing === true
    ? byTimes(recording.parts, options)
    : oneByOne(recording.parts, options);
  let number = 0;
  for await (const [part, outcome] of outcomes) {
    number++;
    counts[outcome.isNew ? "new" : outcome.differences.length > 0 ? "different" : "same"]++;
    if (isJson) printLine(jsonLine(jsonOf(number, part, outcome)));
    else for (const line of linesOf(number, part, outcome)) printLine(line);
  }
  return sayResult(recording, counts, isJson);
}

/** "3000", "localhost:3000", "[::1]:3000", "http://localhost:3000". Throws MirrordError. */
function placeOf(text: string): { hostname: string; port: number } {
  const [, bracketed, name, port] = /^(?:http:\/\/)?(?:(?:\[([^\]]+)\]|([^:/]+)):)?(\d+)\/?$/.exec(text) ??
    [];
  const number = Number(port);
  if (port === undefined || number < 1 || number > 65_535) {
    throw new MirrordError(`Cannot play to "${text}": it is no HOST:PORT`, {
      help: "For example: --to localhost:3000. Only plain HTTP can be played, not TLS.",
      exitCode: exitCodes.usage,
    });
  }
  return { hostname: bracketed ?? name ?? "localhost", port: number };
}

/** What of the recording is for the program: a browser's has requests to other hosts too. */
function chosen(recording: Recording, { file, host }: ReplayCommand): Recording {
  const counts = new Map<string, number>();
  for (const part of recording.parts) counts.set(part.host, (counts.get(part.host) ?? 0) + 1);
  const hosts = [...counts].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} (${count})`).join(
    ", ",
  );
  if (host === undefined) {
    if (counts.size > 1 && !recording.isOneTarget) {
      throw new ConfigError(`Cannot choose what of "${file}" to play: it has traffic to several hosts`, {
        help: `Name one by --host: ${hosts}.`,
      });
    }
  } else if (!counts.has(host)) {
    throw new ConfigError(`Cannot play what went to "${host}": "${file}" has nothing to it`, {
      help: hosts === "" ? "It has nothing that can be played." : `It has traffic to ${hosts}.`,
    });
  }
  const isChosen = (one: { host: string }) => host === undefined || one.host === host;
  const parts = recording.parts.filter(isChosen);
  const first = parts[0]?.at ?? 0;
  return {
    ...recording,
    parts: parts.map((part) => ({ ...part, at: part.at - first })),
    left: recording.left.filter(isChosen),
  };
}

type Played = AsyncGenerator<[Recorded, Outcome]>;

/** Each when the one before is answered. */
async function* oneByOne(parts: Recorded[], options: PlayOptions): Played {
  for (const part of parts) yield [part, await play(part, options)];
}

/** Each at its time since the first. */
async function* byTimes(parts: Recorded[], options: PlayOptions): Played {
  const began = performance.now();
  const running = new Set<Promise<unknown>>();
  const begin = async (part: Recorded): Promise<Outcome> => {
    await pause(Math.max(0, part.at - (performance.now() - began)), options.signal);
    while (running.size >= mostAtOnce) await Promise.race(running);
    const playing = play(part, options);
    running.add(playing);
    return await playing.finally(() => running.delete(playing));
  };
  const outcomes = parts.map((part) => begin(part));
  for (const outcome of outcomes) outcome.catch(() => {}); // awaited below, or the loop is left by one of them
  for (const [index, part] of parts.entries()) yield [part, await outcomes[index] as Outcome];
}

function linesOf(
  number: number,
  part: Recorded,
  { status, milliseconds, differences, isNew }: Outcome,
): string[] {
  const what = `#${number} ${part.label}`;
  const got = status === null ? "" : `${status}, `;
  if (isNew) return [`${what}: ${got}no answer was recorded (${milliseconds} ms)`];
  if (differences.length === 0) return [`${what}: ${got}as recorded (${milliseconds} ms)`];
  return [
    `${what}: ${got}not as recorded (${milliseconds} ms)`,
    ...differences.map((one) => `    ${sentence(one)}`),
  ];
}

function sentence({ what, recorded, now }: Difference): string {
  if (recorded === null && now === null) return what;
  return `${what}: ${now ?? "not there"}, recorded: ${recorded ?? "not there"}`;
}

function jsonOf(
  number: number,
  part: Recorded,
  { status, milliseconds, differences, isNew }: Outcome,
): unknown {
  const recorded = part.kind === "request" ? part.answer?.status ?? null : null;
  return {
    type: "played",
    number,
    label: part.label,
    status,
    recorded,
    milliseconds,
    same: isNew ? null : differences.length === 0,
    differences,
  };
}

function sayResult(
  { left }: Recording,
  counts: { same: number; different: number; new: number },
  isJson: boolean,
): number {
  for (const { label, why } of left) {
    if (isJson) printLine(jsonLine({ type: "left", label, why }));
    else log.warning(`Not played: ${label}: ${why}`);
  }
  const all = counts.same + counts.different + counts.new;
  if (isJson) printLine(jsonLine({ type: "result", ...counts, left: left.length }));
  else {
    const parts = [
      `${counts.same} of ${all} as recorded`,
      ...(counts.different === 0 ? [] : [`${counts.different} not`]),
      ...(counts.new === 0 ? [] : [`${counts.new} without a recorded answer`]),
      ...(left.length === 0 ? [] : [`${left.length} not played`]),
    ];
    printLine(parts.join(", "));
  }
  return counts.different === 0 && left.length === 0 && all > 0 ? 0 : differentCode;
}
