// What starts what: shells with their pipes, mirrord itself in a pipe, a server that restarts itself, a
// terminal with job control. The processes in between are all the session's.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { untilBy } from "../support/client.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";
import { withSession } from "../support/postcondition.ts";
import { binary, userPath } from "../support/program.ts";
import { inFolder, reloading } from "../support/programs.ts";
import { SessionRun } from "../support/session_run.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const localFiles = { feature: { fs: "local", network: { incoming: "off" } } };
const systemPath = "/usr/sbin:/usr/bin:/sbin:/bin";

async function here(stage: ClusterStage, app: string[]): Promise<string> {
  await using run = new SessionRun(stage, { app, flags: [], config: localFiles });
  const { code, stdout, stderr } = await run.finished();
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return stdout;
}

const cases = [
  {
    name: "pipes inside a session carry every byte and every exit code",
    run: (stage: ClusterStage) =>
      inFolder(async (folder) => {
        const bytes = crypto.getRandomValues(new Uint8Array(60_000));
        await Deno.writeFile(`${folder}/random`, bytes);
        const script = `
          for n in $(seq 100); do cat ${folder}/random; done | tee ${folder}/copy | gzip -1 | gunzip | sha256sum
          echo "\${PIPESTATUS[*]}"
          sha256sum <${folder}/copy
          (exit 3) | cat | (exit 4); echo "\${PIPESTATUS[*]}"
          yes | head -c 1000000 | wc -c; echo "\${PIPESTATUS[*]}"
          diff <(sort ${folder}/random | sha256sum) <(sha256sum < <(sort ${folder}/random)); echo $?
          set -o pipefail; false | true; echo $?`;
        const bash = ["env", `PATH=${systemPath}`, "/bin/bash", "-c", script];
        const { stdout } = await new Deno.Command("/bin/bash", { args: ["-c", script] }).output();
        const wanted = new TextDecoder().decode(stdout);
        assert.match(wanted, /^.{64} {2}-\n0 0 0 0 0\n.{64} {2}-\n3 0 4\n1000000\n141 0 0\n0\n1\n$/);
        assert.equal(await here(stage, bash), wanted);
      }),
  },
  {
    name: "mirrord in a pipe carries every byte and its app's exit code",
    run: (stage: ClusterStage) =>
      inFolder(async (folder) => {
        const bytes = new Uint8Array(20 << 20);
        for (let at = 0; at < bytes.length; at += 65536) {
          crypto.getRandomValues(bytes.subarray(at, at + 65536));
        }
        await Deno.writeFile(`${folder}/random`, bytes);
        await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(localFiles));
        const exec = [
          ...stage.prefix,
          binary,
          "exec",
          ...stage.targetFlags,
          "-f",
          `${folder}/config.json`,
          "--",
        ];
        const words = [...exec, "sh", "-c", "cat; echo side >&2; exit 5"].map((word) => `'${word}'`).join(
          " ",
        );
        const script = `${words} <${folder}/random 2>/dev/null | sha256sum; echo "\${PIPESTATUS[*]}"
          cat ${folder}/random | ${words} 2>/dev/null | head -c 7 | wc -c; echo "\${PIPESTATUS[1]}"`;
        const { stdout } = await new Deno.Command("/bin/bash", {
          args: ["-c", script],
          env: { PATH: systemPath, XDG_RUNTIME_DIR: folder },
        }).output();
        const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
        // Where nobody reads on, cat ends by SIGPIPE: its shell says 141, or 5 when it had written all.
        assert.match(new TextDecoder().decode(stdout), new RegExp(`^${digest}  -\n5 0\n7\n(5|141)\n$`));
      }),
  },
  {
    name: "uvicorn --reload goes on stealing with the changed program",
    run: (stage: ClusterStage) =>
      inFolder(async (folder) => {
        const start = async () => new SessionRun(stage, { ...await reloading.start(folder) });
        await withSession(stage, start, async (run) => {
          const { pid } = await untilBy(stage, "local");
          const text = await Deno.readTextFile(`${folder}/fastapi_app.py`);
          await Deno.writeTextFile(`${folder}/fastapi_app.py`, text.replaceAll('"local"', '"changed"'));
          const changed = await untilBy(stage, "changed");
          assert.notEqual(changed.pid, pid);
          assert.equal(changed.env["GREETING"], "from-the-pod");
          run.interrupt();
        });
      }),
  },
  {
    name: "an interactive shell keeps its terminal and its job control",
    run: (stage: ClusterStage) =>
      inFolder(async (folder) => {
        await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(localFiles));
        const steps = [
          ["ready> ", "sh -c 'echo run''ning; exec sleep 100'\n"],
          ["running", "\x1a"],
          ["Stopped", "jobs; echo $GREETING; test -t 0 && echo ter''minal\n"],
          ["from-the-pod", ""],
          ["terminal", "bg\n"],
          ["ready> ", "kill %1; wait %1; echo wait''ed $?\n"],
          ["waited 143", "sh -c 'echo ag''ain; exec sleep 100'\n"],
          ["again", "\x03"],
          ["ready> ", "echo code $?; stty size\n"],
          ["code 130", ""],
          ["ready> ", "exit 7\n"],
        ];
        const exec = [binary, "exec", ...stage.targetFlags, "-f", `${folder}/config.json`, "--"];
        const bash = ["/bin/bash", "--norc", "--noprofile", "-i"];
        const { code, stdout, stderr } = await new Deno.Command("/usr/bin/python3", {
          args: [`${root}tests/apps/converse.py`, JSON.stringify(steps), ...stage.prefix, ...exec, ...bash],
          env: { PATH: `${userPath()}:${systemPath}`, PS1: "ready> ", TERM: "dumb", XDG_RUNTIME_DIR: folder },
          stdin: "null",
        }).output();
        const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
        assert.equal(code, 0, text);
        assert.match(text, /ended with 7\n$/);
        assert.doesNotMatch(text, /no job control|cannot set terminal process group/);
      }),
  },
];

registerCases(cases, () => ClusterStage.create(), missingCluster);
