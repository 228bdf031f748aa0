// Rows of docs/reliability.md on a process as the target: the part of them that the default run has, and
// those for which a cluster adds nothing.

import assert from "node:assert/strict";
import { missingForProcess, registerCases } from "../support/cases.ts";
import { raw } from "../support/client.ts";
import { FileTarget } from "../support/file_target.ts";
import { assertClean } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { Mirrord } from "../support/program.ts";
import { SessionRun } from "../support/session_run.ts";
import { rowAlone } from "./row.ts";
import { agentRow, sessionRows } from "./session_rows.ts";
import { shortRows } from "./still_rows.ts";

const ignore = missingForProcess() !== null;
const oneByte = ["python3", decodeURIComponent(new URL("../apps/one_byte.py", import.meta.url).pathname)];

registerCases([...sessionRows, agentRow, ...shortRows], () => ProcessStage.create(), missingForProcess());

async function sha256(content: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** tests/cluster/apps/app.py's: byte i is i modulo 251. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => index % 251);
}

/** A small file comes whole, a large one is asked for each time. */
const fill = `python3 -c '
for name, size in (("small", 5000), ("large", 300000)):
    open("data/" + name, "wb").write(bytes(range(251)) * (size // 251))
'`;

rowAlone("25c", async () => {
  {
    await using target = await FileTarget.create({ fill });
    const exec = ["exec", "--target", `process/${target.pid}`, "--fs-mode", "read", "--"];
    for (const [name, size] of [["small", 19 * 251], ["large", 1195 * 251]] as const) {
      await using run = new Mirrord([...exec, ...oneByte, "file", `/data/${name}`]);
      const { code, stdout, stderr } = await run.finished(300_000);
      assert.equal(code, 0, stderr);
      assert.equal(stdout.trim(), await sha256(pattern(size)));
    }
  }
  await using stage = await ProcessStage.create();
  {
    await using run = new SessionRun(stage, { app: [...oneByte, "talk", "127.0.0.1", "80"], flags: [] });
    const { code, stdout, stderr } = await run.finished();
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trim(), await sha256(pattern(5000)));
  }
  const identity = await stage.identity();
  await using run = await SessionRun.listening(stage, { app: [...oneByte, "serve", "80"] });
  const request = "GET /one/by/one HTTP/1.1\r\nHost: pod\r\n\r\n";
  const answer = await raw(stage, { text: request, expect: request });
  assert.ok(answer.endsWith(request), answer);
  assert.equal((await run.finished()).code, 0);
  await assertClean(run, identity);
  return {};
}, ignore);

/**
 * Every folder that mirrord could write to, on a file system of the test's own without room, or without room
 * for names.
 */
const full = `
PATH=/usr/bin:/bin
mount --make-rprivate /
mount -t tmpfs -o size=16k,nr_inodes=$NAMES full "$PLACE"
mkdir -m 700 "$PLACE/run"
head -c 1m /dev/zero >"$PLACE/run/zeros" 2>/dev/null
[ $NAMES = 0 ] || while true >"$PLACE/run/$((count += 1))"; do :; done 2>/dev/null
for folder in /tmp /dev/shm; do mount --bind "$PLACE/run" $folder; done
exec "$@"
`;

/** Runs a session with such disks. */
async function onFullDisks(stage: ProcessStage, names: string, work: (run: SessionRun) => Promise<void>) {
  const identity = await stage.identity();
  const place = Deno.makeTempDirSync({ dir: "/run", prefix: "mirrord-full-" });
  try {
    const prefix = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", full, "sh"];
    const env = { PLACE: place, HOME: place, TMPDIR: `${place}/run`, NAMES: names };
    await using run = new SessionRun(stage, { prefix, env });
    await work(run);
    await assertClean(run, identity);
  } finally {
    Deno.removeSync(place);
  }
}

rowAlone("25a", async () => {
  await using stage = await ProcessStage.create();
  for (const names of ["0", "20"]) {
    await onFullDisks(stage, names, async (run) => {
      const { code, stderr } = await run.finished();
      assert.equal(code, 71, stderr);
      assert.match(stderr, /^mirrord error: Cannot .*disk is full/m);
    });
  }
  return {};
}, ignore);
