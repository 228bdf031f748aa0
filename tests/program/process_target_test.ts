// What only a process can be as a target: gone, another user's, in the developer's own network, listening on
// one address alone.

import assert from "node:assert/strict";
import { missingForProcess, registerCases } from "../support/cases.ts";
import { filterCases } from "../support/cases_filter.ts";
import { ask } from "../support/client.ts";
import { withSession } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { binary, runMirrord, userPath } from "../support/program.ts";
import { SessionRun } from "../support/session_run.ts";

const missing = missingForProcess();
const [keepAlive, bodies] = filterCases;
const onOneAddress = [keepAlive, bodies].filter((one) => one !== undefined);
const freePort = 8347;

registerCases(
  onOneAddress,
  () => ProcessStage.create({ listen: "own" }),
  missing,
  "original on its own address: ",
);
registerCases(
  onOneAddress,
  () => ProcessStage.create({ listen: "127.0.0.1", inside: true }),
  missing,
  "original on 127.0.0.1: ",
);
registerCases(
  [{
    name: "a process in the developer's own network is stolen from, the app is moved aside",
    run: (stage: ProcessStage) =>
      withSession(
        stage,
        () => SessionRun.listening(stage, { env: { PORT: String(freePort) } }),
        async (run) => {
          await run.until(/Local port 8347 is not available/);
          for (const family of ["ipv4", "ipv6"] as const) {
            assert.equal((await ask(stage, { family, port: freePort })).by, "local");
          }
        },
        { ask: { port: freePort } },
      ),
  }],
  () => ProcessStage.create({ sameNetns: true, port: freePort }),
  missing,
);

Deno.test({ name: "a process that is gone is no target", ignore: missing !== null }, async () => {
  const child = new Deno.Command("/bin/true").spawn();
  await child.status;
  const target = `process/${child.pid}`;
  const { code, stderr } = await runMirrord(["exec", "--target", target, "--steal", "--", "true"]);
  assert.equal(code, 69);
  assert.match(stderr, new RegExp(`Cannot target "${target}": there is no such process`));
});

Deno.test(
  { name: "a process that ends during the session ends it with 74", ignore: missing !== null },
  async () => {
    await using stage = await ProcessStage.create();
    await using run = await SessionRun.listening(stage);
    Deno.kill(stage.pid, "SIGKILL");
    const { code, stderr } = await run.finished();
    assert.equal(code, 74, stderr);
    assert.match(stderr, new RegExp(`the target, process ${stage.pid}, ended`));
  },
);

Deno.test(
  { name: "a program that is skipped is named as this machine's", ignore: missing !== null },
  async () => {
    await using stage = await ProcessStage.create();
    const places = { git: "on this machine, as its name is skipped", true: "with the target's" };
    for (const [program, place] of Object.entries(places)) {
      const { code, stderr } = await runMirrord([
        "exec",
        ...stage.targetFlags,
        "--",
        `/usr/bin/${program}`,
        "--version",
      ]);
      assert.equal(code, 0, stderr);
      assert.ok(stderr.includes(`Running ${program} ${place}`), stderr);
    }
  },
);

Deno.test({ name: "without root and sudo a process is refused", ignore: missing !== null }, async () => {
  await using stage = await ProcessStage.create();
  const folder = await Deno.makeTempDir({ prefix: "mirrord-copy-" });
  try {
    await Deno.chmod(folder, 0o755);
    const copy = `${folder}/mirrord`; // the repository may lie where only root comes
    await Deno.copyFile(binary, copy);
    await Deno.chmod(copy, 0o755);
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const { code, stderr } = await new Deno.Command("/usr/bin/setpriv", {
      args: [...nobody.slice(1), copy, "exec", ...stage.targetFlags, "--steal", "--", "true"],
      clearEnv: true,
      env: { PATH: userPath(), HOME: "/", NO_COLOR: "1" },
      cwd: "/",
    }).output();
    const said = new TextDecoder().decode(stderr);
    assert.equal(code, 77, said);
    assert.match(said, /Cannot start the agent: there is no program "sudo"/);
    assert.match(said, /Run mirrord as root/);
    assert.equal((await ask(stage)).by, "original");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
