// The binary as the extension calls it, played by a shell script.

import assert from "node:assert/strict";
import { type Binary, findBinary, listTargets, MirrordFailure, openSession, verify } from "./session.ts";

/** Runs `work` with a program that is `script`, and removes it. */
async function withBinary(script: string, work: (binary: Binary) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-vscode-" });
  try {
    const path = `${folder}/mirrord`;
    Deno.writeTextFileSync(path, `#!/bin/sh\n${script}`, { mode: 0o755 });
    await work({ path, folder, env: { PATH: Deno.env.get("PATH") } });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function listener() {
  const said: string[] = [];
  return {
    said,
    step: (text: string) => void said.push(`step ${text}`),
    info: (text: string) => void said.push(`info ${text}`),
    warning: (text: string, button?: { link: string }) =>
      void said.push(`warning ${text} ${button?.link ?? ""}`.trim()),
  };
}

const order = {
  configFile: "/a b.json",
  target: { path: "pod/a", namespace: "shop" },
  executable: undefined,
};
const task = `"name":"mirrord preparing to launch"`;

Deno.test("lines become steps, messages and the launch; the session lives until it is ended", () =>
  withBinary(
    `
sleep 600 >/dev/null 2>&1 &
trap 'kill $!; exit 0' TERM
printf '%s\\n' '{"type":"NewTask",${task},"parent":null}' '{"type":"NewTask","name":"Looking","parent":"x"}'
printf '%s\\n' '{"type":"FinishedTask","name":"Looking","success":true,"message":"Found"}' 'no JSON'
printf '{"type":"Warning",' # a line may come in pieces
printf '%s\\n' '"message":"look"}' '{"type":"request","port":80}'
printf '%s\\n' '{"type":"IdeMessage","message":{"id":"a","level":"Warning","text":"two","actions":[{"kind":"Link","label":"More","link":"https://a"}]}}'
printf '%s' "$*" >arguments
printf '%s' "$MIRRORD_IGNORE_DEBUGGER_PORTS" >ports
printf '%s\\n' '{"type":"FinishedTask",${task},"success":true,"message":"{\\"environment\\":{\\"A\\":\\"1\\"},\\"patched_path\\":null,\\"env_to_unset\\":[\\"B\\"],\\"uses_operator\\":false}"}'
wait $!
`,
    async (binary) => {
      const heard = listener();
      const session = await openSession(binary, order, heard);
      assert.deepEqual(session.launch.environment, { A: "1" });
      assert.deepEqual(session.launch.env_to_unset, ["B"]);
      assert.deepEqual(heard.said, [
        "step Looking",
        "info Found",
        "info no JSON",
        "warning look",
        "warning two https://a",
      ]);
      assert.equal(Deno.readTextFileSync(`${binary.folder}/arguments`), "ext -f /a b.json -t pod/a -n shop");
      assert.equal(Deno.readTextFileSync(`${binary.folder}/ports`), "45000-65535");
      session.end();
      assert.equal(await session.ended, null);
    },
  ));

Deno.test("a failure has mirrord's sentence and what to do, whatever else it printed", () =>
  withBinary(
    `echo loader: warning >&2; echo 'Error: {"message":"Cannot go","help":"Do this.","causes":["deeper"]}' >&2; exit 69`,
    async (binary) => {
      const failure = await openSession(binary, order, listener()).catch((error) => error);
      assert.ok(failure instanceof MirrordFailure);
      assert.deepEqual([failure.message, failure.help], ["Cannot go: deeper", "Do this."]);
    },
  ));

Deno.test("a failure without that line, and a program that is not there, are failures too", async () => {
  await withBinary("echo old release >&2; exit 2", async (binary) => {
    await assert.rejects(openSession(binary, order, listener()), /^MirrordFailure: old release$/);
  });
  const nowhere = { path: "/nowhere/mirrord", folder: undefined, env: {} };
  const failure = await verify(nowhere, "a.json").catch((error) => error);
  assert.match(failure.message, /^Cannot run "\/nowhere\/mirrord": /);
  assert.match(failure.help, /mirrord\.binaryPath/);
  assert.ok(failure.isMissing);
});

Deno.test("a name is looked for in PATH, then where the installer puts programs; a path is taken as it is", () =>
  withBinary("", ({ path, folder }) => {
    assert.equal(findBinary("mirrord", { PATH: `/nowhere:${folder}` }), path);
    assert.equal(findBinary("no-such-program", { PATH: `${folder}`, HOME: "/nowhere" }), "no-such-program");
    assert.equal(findBinary("~/bin/mirrord", { HOME: "/home/me" }), "/home/me/bin/mirrord");
    Deno.mkdirSync(`${folder}/.local/bin`, { recursive: true });
    Deno.renameSync(path, `${folder}/.local/bin/other-name`);
    const found = findBinary("other-name", { PATH: "/nowhere", HOME: `${folder}` });
    assert.equal(found, `${folder}/.local/bin/other-name`);
    return Promise.resolve();
  }));

Deno.test("a start that is given up ends mirrord", () =>
  withBinary(
    "sleep 600 >/dev/null 2>&1 & trap 'kill $!; exit 130' TERM; echo ready; wait $!",
    async (binary) => {
      const given = new AbortController();
      const heard = { ...listener(), info: () => given.abort() };
      await assert.rejects(
        openSession(binary, order, heard, given.signal),
        /mirrord ended before it was ready/,
      );
    },
  ));

Deno.test("verdicts and lists are read as docs/editors.md has them", () =>
  withBinary(
    `
case $1 in
  verify-config) echo '{"type":"Success","config":{"path":null,"namespace":null},"warnings":["w"],"compatible_target_types":[]}' ;;
  ls) echo '{"targets":[{"path":"pod/a","available":true}],"current_namespace":"'"$5"'","namespaces":["n"]}' ;;
esac
`,
    async (binary) => {
      assert.deepEqual(await verify(binary, "a.json"), { errors: [], warnings: ["w"], hasTarget: false });
      assert.deepEqual(await listTargets(binary, { configFile: "a.json", namespace: "shop" }), {
        targets: [{ path: "pod/a", available: true }],
        namespace: "shop",
        namespaces: ["n"],
      });
    },
  ));
