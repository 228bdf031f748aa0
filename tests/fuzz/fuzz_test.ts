// Hostile bytes at each door of the product: what reaches the agent before the proof, what a proven client
// says to it, what a process of the app says to the session, what an agent answers to the session.
// MIRRORD_FUZZ_CASES is the number of cases of each (10,000 here, a million in `./dev test fuzz`),
// MIRRORD_FUZZ_SEED repeats a run, and MIRRORD_FUZZ_ROUND only one round of it; a failure prints both. Each
// invariant is shown to be able to fail. In processes and network namespaces of their own; needs root.

import assert from "node:assert/strict";
import { FileTarget } from "../support/file_target.ts";
import type { Plant } from "./fuzz.ts";
import type { Order } from "./fuzz.ts";

const entry = new URL("./run_fuzz.ts", import.meta.url).pathname;
const cases = Number(Deno.env.get("MIRRORD_FUZZ_CASES") ?? 10_000);
const seed = Number(Deno.env.get("MIRRORD_FUZZ_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
const round = Deno.env.get("MIRRORD_FUZZ_ROUND");
/**
 * Memory that lies outside of V8's heap counts as what is inside. Otherwise V8 collects all of its heap for
 * every 64 MiB of Wasm memory, which is for every eleventh agent link: half of the time went there.
 */
const v8Flags = "--v8-flags=--expose-gc,--external-memory-accounted-in-global-limit,--initial-heap-size=500";

/** A session has three files: thousands of sessions need no disk. */
const inMemory = "/dev/shm";

const fill = `echo 127.0.0.1 localhost name > etc/hosts; mkdir data/d; echo text > data/f; mkfifo tmp/fifo`;

/** Runs one body to its end; what it printed, and whether all went well. */
async function run(name: string, order: Partial<Order> = {}): Promise<{ success: boolean; text: string }> {
  await using target = await FileTarget.create({ uid: 65_534, fill, size: "64m" });
  const whole: Order = { seed, cases, plant: null, target: target.pid, ...order };
  const flags = ["run", "-A", "--no-check", "--quiet", v8Flags];
  const argv = [Deno.execPath(), ...flags, entry, name, JSON.stringify(whole)];
  // A run that finds something ends in the middle of its sessions: their folders go with this one.
  const folder = await Deno.makeTempDir({ dir: inMemory, prefix: "mirrord-fuzz-" });
  try {
    const { success, stdout, stderr } = await new Deno.Command("unshare", {
      args: ["--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", ...argv],
      env: { TMPDIR: folder },
      stdin: "null",
    }).output();
    const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
    return { success, text: `${name}, seed ${whole.seed}: ${text}` };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a body on every processor, each with its part of the cases. */
async function runAll(name: string): Promise<{ success: boolean; text: string }> {
  if (round !== undefined) return await run(name, { round: Number(round) });
  const parts = cases < 100_000 ? 1 : navigator.hardwareConcurrency;
  const runs = await Promise.all(
    Array.from(
      { length: parts },
      (_, part) => run(name, { cases: Math.ceil(cases / parts), seed: (seed + part) >>> 0 }),
    ),
  );
  return { success: runs.every(({ success }) => success), text: runs.map(({ text }) => text).join("") };
}

const bodies: Record<string, string> = {
  door: "strangers at the agent's door",
  agentLink: "a proven client's frames to the agent",
  layerLink: "frames of the app's processes to the session",
  hostileAgent: "answers of a hostile agent to the session",
};

/** Faults on purpose, each of which one of the checks is there to find. */
const plants: { plant: Plant; name: keyof typeof bodies; says: string; finds: RegExp; hangMs?: number }[] = [
  { plant: "accept", name: "door", says: "a stranger who has the key", finds: /taken for the client/ },
  { plant: "leak", name: "door", says: "memory that is kept", finds: /memory grew/ },
  { plant: "descriptor", name: "door", says: "descriptors that are kept", finds: /descriptors more/ },
  { plant: "rejection", name: "door", says: "a rejection that nobody handles", finds: /planted/ },
  { plant: "unsaid", name: "door", says: "a message that is never said", finds: /never said: ping/ },
  { plant: "deep", name: "agentLink", says: "a fault that needs two messages", finds: /planted/ },
  { plant: "lost", name: "layerLink", says: "a session that is lost", finds: /is lost|not served/ },
  { plant: "crash", name: "layerLink", says: "an error that leaves the body", finds: /planted/ },
  { plant: "hang", name: "layerLink", says: "a case that never ends", finds: /it hangs/, hangMs: 3000 },
  {
    plant: "eio",
    name: "hostileAgent",
    says: "a session without the door",
    finds: /the session goes on|the session ends with 70|Cannot serve the session/,
  },
];

for (const [name, says] of Object.entries(bodies)) {
  Deno.test(`${says}: ${cases} cases, seed ${seed}`, async () => {
    const { success, text } = await runAll(name);
    assert.ok(success, text);
    assert.doesNotMatch(name === "door" ? "" : text, / 0 answers/);
  });
}

for (const { plant, name, says, finds, ...more } of plants) {
  Deno.test(`the fuzz of ${name} finds ${says}`, async () => {
    const { success, text } = await run(name, { cases: 20_000, plant, seed: 7, ...more });
    assert.ok(!success, text);
    assert.match(text, finds);
  });
}
