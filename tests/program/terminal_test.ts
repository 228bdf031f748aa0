// On a real terminal: Ctrl-C reaches the app once, not once from the terminal and once from mirrord.

import assert from "node:assert/strict";
import { binary, userPath } from "../support/program.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
/** Asks for an interrupt ten times and ends with how many came; a wake-up descriptor loses none (Python's signal module). */
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
