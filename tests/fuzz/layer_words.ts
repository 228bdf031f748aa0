// What a process of the app asks the session, more or less. Used by layer_link.ts and hostile_agent.ts.

import { layerLimits, layerMessages, packAddresses } from "../../protocol-wasm/mod.ts";
import { type Frame, randomAddress, randomBody, randomText, type Values } from "./frames.ts";
import type { Random } from "./random.ts";

type Kind = keyof typeof layerMessages & string;

/** What a process says behind its hello: questions, and what is told one way. */
const words = (Object.keys(layerLimits) as Kind[]).filter((name) =>
  name !== "hello" && layerLimits[name].by === "client"
);
export const questions: readonly Kind[] = words.filter((name) => `${name}Reply` in layerMessages);
/** The same, with files opened so often that some of the questions about open ones mean one. */
export const asking: readonly Kind[] = [...questions, ...Array.from({ length: 6 }, () => "open" as const)];
export const tellings: readonly Kind[] = words.filter((name) => !questions.includes(name));

const path = (random: Random): string => {
  const paths = ["/data/f", "/data/d", "/data/d/", "/data/x/y", "/usr/bin/env", "", "x", "/data/f\0x"];
  return random.once(8) ? `/data/${randomText(random)}` : random.pick(paths);
};
const file = (random: Random): number => random.once(6) ? random.below(9) : 1 + random.below(3);
const dir = (random: Random): number => random.once(4) ? file(random) : 0;
const local = (random: Random) =>
  random.once(3) ? randomAddress(random) : { address: "127.0.0.1", port: 1 + random.below(4) };

export const layerValues: Values = {
  path,
  from: path,
  to: path,
  executable: path,
  file,
  dir,
  fromDir: dir,
  toDir: dir,
  connection: file,
  actual: local,
  listener: local,
  local,
  endpoint: local,
  addresses: (random) => random.once(3) ? random.bytes(random.below(40)) : packAddresses(["10.0.0.1"]),
  flags: (random) => random.pick([0, 1, 2, 0o100, 0o1101, 0o200000, 0x100, 1]),
  count: (random) => random.number(32),
  offset: (random) => random.once(2) ? (1n << 64n) - 1n : BigInt(random.below(2000)),
  cursor: (random) => BigInt(random.below(3)),
  whence: (random) => random.below(5),
  name: (random) => random.pick(["a", "a.b.", "localhost", "", "é", "x".repeat(300)]),
  what: (random) => random.below(12),
  again: (random) => random.once(4),
  family: (random) => random.pick([0, 4, 6, 7]),
  process: (random) => random.once(3) ? Deno.pid : random.number(16),
};

/** One question, or something told. */
export function layerWord(random: Random, id: number, among: readonly Kind[]): Frame & { name: Kind } {
  const name = random.pick(among);
  const message = layerMessages[name];
  return { name, kind: message.kind, flags: 0, id, body: randomBody(random, message, layerValues) };
}
