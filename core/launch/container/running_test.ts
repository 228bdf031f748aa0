// A running container is ended, with a shell script that answers as an engine does.

import assert from "node:assert/strict";
import { readRunLine } from "./command_line.ts";
import { Engine } from "./engine.ts";
import { RunningContainer } from "./running.ts";

/** What the engine of `script` is asked while `work` runs; its container has the id "here". */
async function asked(script: string, work: (running: RunningContainer) => Promise<void>): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-engine-" });
  try {
    const path = `${folder}/podman`;
    const log = `echo "$1" >>${folder}/log`;
    await Deno.writeTextFile(path, `#!/bin/sh\n${log}\ncd ${folder}\n${script}\n`, { mode: 0o755 });
    await Deno.writeTextFile(`${folder}/id`, "here\n");
    const engine = await Engine.open(readRunLine([path, "run", "image"]), new AbortController().signal);
    await Deno.remove(`${folder}/log`);
    using running = new RunningContainer(engine, { cidFile: `${folder}/id`, label: "own=1" });
    await work(running);
    return (await Deno.readTextFile(`${folder}/log`)).trim().split("\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a container that runs on after stop is killed", async () => {
  const stays =
    'case $1 in --version) echo podman;; inspect) echo "true running";; stop) kill -INT $$;; esac';
  assert.deepEqual(await asked(stays, (running) => running.end("stop")), [
    "inspect",
    "stop",
    "inspect",
    "kill",
  ]);
});

Deno.test("a container that ends by stop is not killed", async () => {
  const ends = `case $1 in --version) echo podman;; stop) touch stopped;;
    inspect) [ -f stopped ] && echo "false exited" || echo "true running";; esac`;
  assert.deepEqual(await asked(ends, (running) => running.end("stop")), ["inspect", "stop", "inspect"]);
});

Deno.test("a container that may take any time to end is not killed", async () => {
  const runs = 'case $1 in --version) echo podman;; inspect) echo "true running";; esac';
  const calls = await asked(runs, async (running) => {
    running.endSoon(-1); // --stop-timeout of docker
    await running.running();
  });
  assert.deepEqual(calls, ["inspect"]);
});
