// Launch configurations of each kind, before and after.

import assert from "node:assert/strict";
import type { DebugConfiguration } from "./api.ts";
import { executableOf, inSession, isActive, startsProgram } from "./launch.ts";

const launch = {
  environment: { LD_PRELOAD: "/layer.so", GREETING: "of the pod" },
  patched_path: null,
  env_to_unset: ["SECRET"],
};

function configuration(type: string, more: Record<string, unknown> = {}): DebugConfiguration {
  return { type, name: "Run", request: "launch", ...more };
}

Deno.test("the session's variables come over those of the configuration, and some go", () => {
  const before = configuration("debugpy", { env: { GREETING: "mine", SECRET: "s", OTHER: "stays" } });
  const copy = structuredClone(before);
  assert.deepEqual(inSession(before, launch)["env"], { ...launch.environment, OTHER: "stays" });
  assert.deepEqual(before, copy);
  assert.deepEqual(inSession(configuration("go"), launch)["env"], launch.environment);
});

Deno.test("js-debug removes an inherited variable where the configuration has null for it", () => {
  for (const type of ["node", "pwa-node", "node-terminal"]) {
    assert.deepEqual(inSession(configuration(type), launch)["env"], { ...launch.environment, SECRET: null });
  }
});

Deno.test("cppdbg takes a list of names and values", () => {
  const environment = [{ name: "GREETING", value: "mine" }, { name: "SECRET", value: "s" }];
  const before = configuration("cppdbg", {
    environment: [...environment, { name: "OTHER", value: "stays" }],
  });
  const after = inSession(before, launch);
  assert.deepEqual(after["environment"], [
    { name: "OTHER", value: "stays" },
    { name: "LD_PRELOAD", value: "/layer.so" },
    { name: "GREETING", value: "of the pod" },
  ]);
  assert.equal(after["env"], undefined);
});

Deno.test("what is attached to is left alone, and so are browsers and what only waits for Xdebug", () => {
  assert.ok(startsProgram(configuration("go")));
  assert.ok(!startsProgram({ ...configuration("go"), request: "attach" }));
  for (const type of ["chrome", "pwa-chrome", "msedge", "extensionHost"]) {
    assert.ok(!startsProgram(configuration(type)), type);
  }
  assert.ok(!startsProgram(configuration("pwa-node", { __pendingTargetId: "1" })));
  assert.ok(!startsProgram(configuration("php", { port: 9003 })));
  assert.ok(startsProgram(configuration("php", { program: "a.php" })));
});

Deno.test("the program is what the debugger runs, not the file that a language's own program reads", () => {
  const both = { program: "/app/main.js", runtimeExecutable: "/usr/bin/node", python: ["/usr/bin/python3"] };
  assert.equal(executableOf(configuration("pwa-node", both)), "/usr/bin/node");
  assert.equal(executableOf(configuration("debugpy", both)), "/usr/bin/python3");
  assert.equal(executableOf(configuration("lldb", { program: "/app/main" })), "/app/main");
  assert.equal(executableOf(configuration("go", { program: "" })), undefined);
  assert.equal(executableOf(configuration("java", { mainClass: "Main" })), undefined);
});

Deno.test("a configuration says itself whether it runs in a session", () => {
  const said = (value: string) => configuration("go", { env: { MIRRORD_ACTIVE: value } });
  assert.deepEqual([isActive(said("1"), false), isActive(said("0"), true)], [true, false]);
  assert.deepEqual([isActive(configuration("go"), true), isActive(configuration("go"), false)], [
    true,
    false,
  ]);
});
