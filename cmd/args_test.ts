// The command line as a value: which flags mean the same.

import assert from "node:assert/strict";
import { parseCommand } from "./args.ts";

Deno.test("the namespace may be called as kubectl calls it", async () => {
  for (
    const [flag, key] of [["-n", "targetNamespace"], ["--target-namespace", "targetNamespace"], [
      "--namespace",
      "namespace",
    ]] as const
  ) {
    const command = await parseCommand(["exec", flag, "shop", "--", "app", "-n", "its own"]);
    assert.ok(command.name === "exec");
    assert.equal(command[key], "shop");
    assert.deepEqual([command.program, ...command.args], ["app", "-n", "its own"]);
  }
});

Deno.test("ls knows the flags that say where the cluster is, and no others", async () => {
  const command = await parseCommand([
    "ls",
    "--namespace",
    "shop",
    "--context",
    "c",
    "--kubeconfig",
    "k",
    "-f",
  ]);
  assert.deepEqual(command, {
    name: "ls",
    namespace: "shop",
    context: "c",
    kubeconfig: "k",
    configFile: true,
  });
  assert.deepEqual(await parseCommand(["ls", "--steal"]), { name: "shown", exitCode: 2 });
});
