// A hostile agent, or something in the pod that speaks in its place, against the developer's machine:
// whatever it says, no process of the app is left with EIO by a mirrord that ends well, and it cannot fill a
// terminal. The agent's place is taken by a program of its own, which a user without rights starts instead of
// sudo. Needs root, for the user namespace.

import assert from "node:assert/strict";
import { agentMessages, encode, layerMessages } from "../../protocol-wasm/mod.ts";
import { deadline } from "../support/deadline.ts";
import { type Finished, runMirrord, userPath } from "../support/program.ts";
import { type Frame, frameBytes, FrameReader } from "../fuzz/frames.ts";
import { Random } from "../fuzz/random.ts";
import { helloBytes, openStage, rightAnswer } from "../fuzz/session_stage.ts";
import { scenarios } from "./hostile_agent.ts";

const program = new URL("./hostile_agent.ts", import.meta.url).pathname;

/** Asks for everything until something fails with EIO, and is content with that. */
const app = `
import errno, os, socket, sys
def files(): os.stat("/data/f"); os.listdir("/data/d"); open("/data/f", "rb").read()
def names(): socket.getaddrinfo("a.example", 80)
def connects(): socket.create_connection(("10.0.0.3", 80), 5).close()
for turn in range(int(sys.argv[1])):
    for part in (files, names, connects):
        try: part()
        except OSError as failure:
            if failure.errno == errno.EIO: print("EIO", flush=True); sys.exit(0)
print("done", flush=True)
`;

/** mirrord on a process target, with an agent of that scenario; the app asks so many times. */
async function attacked(scenario: string, turns: number): Promise<Finished> {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-attack-" });
  const target = new Deno.Command("sleep", { args: ["infinity"], stdin: "null" }).spawn();
  try {
    const runs = [Deno.execPath(), "run", "-A", "--no-check", "--quiet", program].map((word) => `'${word}'`);
    await Deno.writeTextFile(`${folder}/sudo`, `#!/bin/sh\nexec ${runs.join(" ")} "$@"\n`, { mode: 0o755 });
    const flags = ["--target", `process/${target.pid}`, "--", "python3", "-c", app, String(turns)];
    return await runMirrord(["exec", ...flags], {
      prefix: ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"],
      env: {
        PATH: `${folder}:${userPath()}:/usr/bin:/bin`,
        MIRRORD_HOSTILE: scenario,
        MIRRORD_PROGRESS_MODE: "off",
        XDG_RUNTIME_DIR: folder,
        DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
      },
    });
  } finally {
    target.kill("SIGKILL");
    await target.status;
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the attacker's program is an agent where it says nothing wrong", async () => {
  const { code, stdout, stderr } = await attacked("none", 3);
  assert.deepEqual([code, stdout], [0, "done\n"], stderr);
});

for (const scenario of Object.keys(scenarios)) {
  Deno.test(`an agent that says ${scenario} ends the session with 74 and a sentence`, async () => {
    const { code, stdout, stderr } = await attacked(scenario, 1_000_000);
    assert.equal(code, 74, `${stdout}\n${stderr}`);
    const errors = stderr.split("\n").filter((line) => /error: /.test(line));
    assert.equal(errors.length, 1, stderr);
    assert.match(errors[0] ?? "", /error: Cannot go on with the session: /);
    if (!scenario.endsWith("its end")) assert.match(errors[0] ?? "", /that makes no sense \(/);
    assert.doesNotMatch(stderr, /bug in mirrord|RangeError| at file/);
  });
}

Deno.test("a variable that no process can have ends the start with 74 and a sentence", async () => {
  const { code, stdout, stderr } = await attacked("a huge variable", 1);
  assert.equal(code, 74, stderr);
  assert.equal(stdout, "", "the app was started");
  assert.match(stderr, /error: Cannot take the target's variables: .*a variable of more than/);
});

Deno.test("a flood of notices is a few lines, and the number of those left out", async () => {
  const { code, stderr } = await attacked("a flood of notices", 1);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /warning: notice 19\n/);
  assert.match(stderr, /\d+ further notices of the agent are left out/);
  assert.ok(stderr.length < 20_000, `${stderr.length} characters were shown`);
});

// -- the same without the door: the attack is one ----------------------------------------------------------------

/** What a process is told for a question that the agent answers with a short status. */
async function shortStatus(hasDoor: boolean): Promise<{ exitCode: number; message: string }> {
  const random = new Random(3);
  await using stage = openStage({
    hasDoor,
    answer: (asked) => {
      let right = rightAnswer(random, asked);
      while (right !== null && (right.flags & 2) !== 0) right = rightAnswer(random, asked);
      if (right === null) return null;
      const isOpen = asked.name === "open";
      const status = new Uint8Array(12);
      const body = encode(agentMessages.openReply, {
        file: 9,
        end: false,
        status,
        content: new Uint8Array(),
      });
      return frameBytes(isOpen ? { ...right, body } : right);
    },
  });
  using conn = await stage.connect();
  await conn.write(helloBytes(1n));
  const path = new TextEncoder().encode("/data/f");
  const body = encode(layerMessages.open, { dir: 0, flags: 0, mode: 0, path });
  await conn.write(frameBytes({ kind: layerMessages.open.kind, flags: 0, id: 1, body }));
  const reader = new FrameReader();
  const into = new Uint8Array(4096);
  const frames: Frame[] = [];
  while (frames.length < 2) {
    const count = await deadline(conn.read(into), "the process is answered, or its link ends");
    if (count === null) break;
    frames.push(...reader.take(into.subarray(0, count)));
  }
  return await deadline(stage.session.lost, "the session is lost");
}

Deno.test("without the door the same answer is an error of mirrord's own; with it the agent's", async () => {
  const without = await shortStatus(false);
  assert.equal(without.exitCode, 70);
  assert.match(without.message, /bug in mirrord: RangeError/);
  const within = await shortStatus(true);
  assert.equal(within.exitCode, 74);
  assert.match(
    within.message,
    /that makes no sense \(Cannot accept the answer to "open": its status has 12 bytes\)/,
  );
});
