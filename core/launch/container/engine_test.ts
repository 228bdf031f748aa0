// How an engine is found and which are refused, with shell scripts that answer as engines do.

import assert from "node:assert/strict";
import { MirrordError } from "../../base/errors.ts";
import { readRunLine } from "./command_line.ts";
import { checkMachine, Engine } from "./engine.ts";

const { signal } = new AbortController();

/** An engine named `name` that runs `script`; resolves with its path. */
async function scripted(name: string, script: string): Promise<{ path: string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-engine-" });
  const path = `${folder}/${name}`;
  await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

function open(path: string, ...global: string[]): Promise<Engine> {
  return Engine.open(readRunLine([path, ...global, "run", "image"]), signal);
}

/** The refusal of an engine: its message with the path left out, and its exit code. */
async function refusal(path: string): Promise<[string, number]> {
  try {
    await open(path);
  } catch (error) {
    assert.ok(error instanceof MirrordError, String(error));
    return [error.message.replace(path, "ENGINE"), error.exitCode];
  }
  throw new Error("it was not refused");
}

Deno.test("an engine that is not there is one error", async () => {
  assert.deepEqual(await refusal("/nowhere/podman"), [
    'Cannot run "ENGINE": there is no such program',
    127,
  ]);
});

Deno.test("the engine is known by what it says of itself", async () => {
  await using alias = await scripted("docker", "echo podman version 5.2.0");
  assert.equal((await open(alias.path)).kind, "podman");
  await using docker = await scripted(
    "docker",
    '[ "$1" = --version ] && echo Docker version 28 || echo "Debian [\\"name=seccomp\\"]"',
  );
  const engine = await open(docker.path, "--context", "here");
  assert.equal(engine.kind, "docker");
  assert.deepEqual(engine.words("ps"), ["--context", "here", "ps"]);
});

Deno.test("an engine that does not answer is refused with its own sentence", async () => {
  await using docker = await scripted(
    "docker",
    '[ "$1" = --version ] || { echo "Cannot connect to the Docker daemon" >&2; exit 1; }',
  );
  assert.deepEqual(await refusal(docker.path), [
    'Cannot use "ENGINE": Cannot connect to the Docker daemon',
    69,
  ]);
});

Deno.test("an engine whose containers have another network is refused", async () => {
  const answers = { "Docker Desktop []": /virtual machine/, 'Debian ["name=rootless"]': /it runs rootless/ };
  for (const [answer, said] of Object.entries(answers)) {
    await using docker = await scripted("docker", `[ "$1" = --version ] || echo '${answer}'`);
    const [message, code] = await refusal(docker.path);
    assert.match(message, said);
    assert.equal(code, 69);
  }
});

Deno.test("an engine of a machine that does not run containers itself is refused", () => {
  checkMachine("docker", { ...Deno.build, os: "linux" });
  assert.throws(() => checkMachine("docker", { ...Deno.build, os: "darwin" }), {
    message: /^Cannot use "docker": it runs its containers in a virtual machine/,
    exitCode: 69,
  });
});

Deno.test("a container is made with the engine's own exit code where that fails", async () => {
  await using podman = await scripted(
    "podman",
    'case $1 in --version) echo podman;; create) [ "$2" = good ] && printf "pulling\\nid\\n" || exit 125;; esac',
  );
  const engine = await open(podman.path);
  assert.equal(await engine.create(["good"], signal), "id");
  await assert.rejects(engine.create(["bad"], signal), { exitCode: 125 });
});
