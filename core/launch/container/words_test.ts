// The engine's command line, as mirrord makes it.

import assert from "node:assert/strict";
import { readRunLine } from "./command_line.ts";
import { runWords } from "./words.ts";

const additions = {
  folder: "/run/m/s",
  envFile: "/run/m/variables",
  cidFile: "/run/m/container",
  label: "own=1",
  handed: ["KEY"],
  layer: { LD_PRELOAD: "/run/m/s/layer.so" },
  unset: ["AWAY"],
  confined: false,
};

Deno.test("mirrord's words stand around the user's own: the last --env wins", () => {
  const line = readRunLine("podman --root /x run --rm -p 80:80 --net host -e A=B image -x".split(" "));
  assert.deepEqual(runWords("podman", line, additions), [
    ...["--root", "/x", "run", "--cidfile", "/run/m/container", "--label", "own=1"],
    ...["--network", "host"],
    ...["--mount", "type=bind,source=/run/m/s,target=/run/m/s,readonly"],
    ...["--env-file", "/run/m/variables", "--env", "KEY", "--unsetenv", "AWAY"],
    ...["--rm", "-e", "A=B"],
    ...["--env", "LD_PRELOAD=/run/m/s/layer.so", "image", "-x"],
  ]);
});

Deno.test("docker unsets by a name without a value, and SELinux is told", () => {
  const line = readRunLine(["docker", "run", "image"]);
  const words = runWords("docker", line, { ...additions, handed: [], confined: true }).join(" ");
  assert.ok(words.includes("--security-opt label=disable"), words);
  assert.ok(words.includes("--env-file /run/m/variables --env AWAY --env LD_PRELOAD="), words);
});
