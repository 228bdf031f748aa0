// `mirrord session` with a process of this machine as the target, through the compiled binary: what is
// listed, and that a session which is stopped or killed from outside leaves nothing, neither here nor at the
// target.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { type Case, missingForProcess, registerCases } from "../support/cases.ts";
import { untilBy } from "../support/client.ts";
import { lives } from "../support/local_remains.ts";
import { assertClean } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { type Finished, Mirrord, runMirrord } from "../support/program.ts";
import { localApp, SessionRun } from "../support/session_run.ts";
import type { Stage } from "../support/stage.ts";

/** `mirrord session` for the user of `run`. */
async function ask({ folder }: SessionRun, ...words: string[]): Promise<Finished> {
  return await runMirrord(["session", ...words], { env: { XDG_RUNTIME_DIR: folder } });
}

async function listed(run: SessionRun): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await ask(run, "list", "-o", "json");
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** The one session; it is listed a moment after it has begun. */
async function factsOf(run: SessionRun): Promise<Record<string, unknown>> {
  await until("the session is listed", async () => (await listed(run)).length === 1 || "it is not", 20);
  return (await listed(run))[0] ?? assert.fail();
}

async function idOf(run: SessionRun): Promise<string> {
  return String((await factsOf(run))["id"]);
}

/** Runs `work` with a session on `stage` that `work` ends, and looks at what is left. */
async function ended(stage: Stage, app: string[], work: (run: SessionRun) => Promise<void>): Promise<void> {
  const identity = await stage.identity();
  await using run = new SessionRun(stage, { app });
  await run.until(/^(listening|deaf) /);
  await work(run);
  assert.deepEqual(await listed(run), []);
  await assertClean(run, identity);
}

/** An app that steals the port and does not end when it is asked to. */
const deaf = [
  "python3",
  "-c",
  "import signal, socket, sys, time\n" +
  "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" +
  "s = socket.create_server(('0.0.0.0', 80)); print('deaf ', file=sys.stderr, flush=True)\n" +
  "time.sleep(1000)",
];

const cases: Case[] = [
  {
    name: "a session is listed with its target and the port that it has; stop ends it in order",
    run: (stage) =>
      ended(stage, localApp, async (run) => {
        await untilBy(stage, "local");
        const { id, kind, pid, target, ports, agent, state } = await factsOf(run);
        assert.deepEqual({ kind, pid, target, state }, {
          ...{ kind: "exec", pid: run.pid, target: stage.targetFlags[1], state: "running" },
        });
        assert.deepEqual(ports, [{ port: 80, mode: "steal", opened: "bound", filtered: false }]);
        assert.equal((agent as { place: string }).place, "this machine");
        const { stdout } = await ask(run, "list");
        assert.match(stdout, /^ID +PID +COMMAND +TARGET +NAMESPACE +AGE +PORTS\n[^\n]* 80 stolen\n$/);
        const { code, stderr } = await ask(run, "stop", String(id).slice(0, 4));
        assert.equal(code, 0, stderr);
        assert.match(stderr, new RegExp(`Session ${id} has ended`));
        assert.equal((await run.finished()).code, 143);
      }),
  },
  {
    name: "kill ends a program that ignores SIGTERM at once, and its agent leaves",
    run: (stage) =>
      ended(stage, deaf, async (run) => {
        const app = await run.appPid();
        const { code, stderr } = await ask(run, "kill", await idOf(run));
        assert.equal(code, 0, stderr);
        assert.equal(lives(app), false);
        assert.deepEqual(await stage.agents(), []);
        const finished = await run.finished();
        assert.equal(finished.code, 137);
        assert.match(finished.stderr, /error: Cannot go on: the session was ended by "mirrord session kill"/);
        assert.doesNotMatch(finished.stderr, /did not end in time/);
      }),
  },
  {
    name: "a session that stands still is stopped when it goes on, which stop sees to",
    run: (stage) =>
      ended(stage, localApp, async (run) => {
        const id = await idOf(run);
        run.kill("SIGSTOP");
        assert.match((await ask(run, "list")).stdout, new RegExp(`${id} +${run.pid} +\\(does not answer\\)`));
        const { code, stderr } = await ask(run, "stop", "--all");
        assert.equal(code, 0, stderr);
        assert.equal((await run.finished()).code, 143);
      }),
  },
  {
    name: "a session that was killed by SIGKILL is not listed any more",
    run: (stage) =>
      ended(stage, localApp, async (run) => {
        await factsOf(run);
        run.kill("SIGKILL");
        await run.finished();
      }),
  },
];

registerCases(cases, () => ProcessStage.create(), missingForProcess());

Deno.test("a session works where no control socket can be made, and MIRRORD_LOG=debug says why", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-run-" });
  try {
    Deno.writeTextFileSync(`${folder}/mirrord`, ""); // in the place of the folder
    const env = { XDG_RUNTIME_DIR: folder, HOME: folder, XDG_CACHE_HOME: `${folder}/mirrord` };
    Deno.writeTextFileSync(`${folder}/.cache`, "");
    const run = (more: Record<string, string>) =>
      runMirrord(["exec", "--", "sh", "-c", "sleep 1; exit 3"], { env: { ...env, ...more } });
    const debug = await run({ MIRRORD_LOG: "debug" });
    assert.equal(debug.code, 3);
    assert.match(debug.stderr, /"mirrord session list" does not show this session: /);
    const plain = await run({});
    assert.equal(plain.code, 3);
    assert.doesNotMatch(plain.stderr, /session list/);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a session that is not there is refused with its neighbours, and kill is upstream's name", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-run-" });
  const env = { XDG_RUNTIME_DIR: folder };
  try {
    await using run = new Mirrord(["exec", "--", "sh", "-c", "echo up >&2; exec sleep 1000"], { env });
    await run.until(/^up$/);
    let id = "";
    await until("the session is listed", async () => {
      const { stdout } = await runMirrord(["session", "list", "-o", "json"], { env });
      id = (JSON.parse(stdout) as { id: string }[])[0]?.id ?? "";
      return id !== "" || "it is not";
    }, 20);
    const misspelt = await runMirrord(["session", "stop", `${id}f`], { env });
    assert.equal(misspelt.code, 69);
    assert.match(
      misspelt.stderr,
      new RegExp(`no session of yours has this id\\n +help: Did you mean "${id}"`),
    );
    for (const words of [["stop"], ["list", id], ["stop", id, "--all"]]) {
      assert.equal((await runMirrord(["session", ...words], { env })).code, 2, words.join(" "));
    }
    const killed = await runMirrord(["kill", id], { env });
    assert.equal(killed.code, 0, killed.stderr);
    assert.equal((await run.finished()).code, 137);
    await until("the folder holds no socket", () => {
      const left = [...Deno.readDirSync(`${folder}/mirrord`)].map(({ name }) => name);
      return Promise.resolve(left.length === 0 || left.join());
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
