// On a real terminal: the start is a live checklist, and Ctrl-C reaches the app once, not once from the
// terminal and once from mirrord.

import assert from "node:assert/strict";
import { binary, userPath } from "../support/program.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
/**
 * Asks for an interrupt ten times and ends with how many came; a wake-up descriptor loses none (Python's
 * signal module).
 */
const counter = `
import os, signal, sys
came = 0
def interrupted(*_):
    global came
    came += 1
signal.signal(signal.SIGINT, interrupted)
reader, writer = os.pipe()
os.set_blocking(writer, False)
signal.set_wakeup_fd(writer)
for number in range(10):
    print("ready", number, flush=True)
    os.read(reader, 1)
sys.exit(came)
`;

Deno.test("a Ctrl-C typed at the terminal reaches the app exactly once", async () => {
  const { stdout, success, stderr } = await new Deno.Command("python3", {
    args: [`${root}tests/apps/terminal.py`, binary, "exec", "--", "python3", "-c", counter],
    env: { PATH: userPath() },
    stdin: "null",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  assert.match(new TextDecoder().decode(stdout), /ended with 10\n$/);
});

/** What a run on a terminal showed; its lines as a person sees them, without what was overwritten. */
async function shown(env: Record<string, string>): Promise<{ text: string; lines: string[] }> {
  const { stdout, success, stderr } = await new Deno.Command("python3", {
    args: [`${root}tests/apps/terminal.py`, binary, "exec", "--", "sh", "-c", "echo out"],
    env: { PATH: userPath(), HOME: "/", TERM: "xterm", ...env },
    clearEnv: true,
    stdin: "null",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const text = new TextDecoder().decode(stdout);
  return {
    text,
    lines: text.split("\n").map((line) =>
      line.slice(line.lastIndexOf(clear) < 0 ? 0 : line.lastIndexOf(clear) + clear.length)
    ),
  };
}

/** Erase in line (ECMA-48). */
const clear = "\x1b[K";
const target = "No target: the app runs with this machine's own network, names, files and variables";

Deno.test("on a terminal the start is a checklist, in colour unless NO_COLOR says", async () => {
  const coloured = await shown({});
  assert.deepEqual(coloured.lines, [
    `\x1b[32m✓\x1b[39m ${target}`,
    "\x1b[32m✓\x1b[39m Running sh",
    "out",
    "ended with 0",
    "",
  ]);
  const plain = await shown({ NO_COLOR: "1" });
  assert.deepEqual(plain.lines, [`✓ ${target}`, "✓ Running sh", "out", "ended with 0", ""]);
});

Deno.test("a terminal that cannot move its cursor, and simple progress, get plain lines", async () => {
  for (const env of [{ TERM: "dumb" }, { MIRRORD_PROGRESS_MODE: "dumb", NO_COLOR: "1" }]) {
    const { lines } = await shown(env);
    assert.deepEqual(lines, [`mirrord ${target}`, "mirrord Running sh", "out", "ended with 0", ""]);
  }
});

Deno.test("without progress only the app is seen", async () => {
  assert.deepEqual((await shown({ MIRRORD_PROGRESS_MODE: "off" })).lines, ["out", "ended with 0", ""]);
});

Deno.test("for programs progress is JSON, a line each", async () => {
  const { lines } = await shown({ MIRRORD_PROGRESS_MODE: "json" });
  const values = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  assert.deepEqual(values, [
    { type: "NewTask", name: "Looking for the target", parent: null },
    { type: "FinishedTask", name: "Looking for the target", success: true, message: target },
    { type: "NewTask", name: "Running", parent: null },
    { type: "FinishedTask", name: "Running", success: true, message: "Running sh" },
  ]);
});
