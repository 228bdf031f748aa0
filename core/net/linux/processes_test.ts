// processInside: a process by its number in its own process namespace. Needs root.

import assert from "node:assert/strict";
import { environmentOf, processInside } from "./processes.ts";

Deno.test(
  { name: "the first process of a namespace is found by its variable", ignore: Deno.uid() !== 0 },
  async () => {
    const entry = `TESTED=${crypto.randomUUID()}`;
    const [name = "", value = ""] = entry.split("=");
    const child = new Deno.Command("unshare", {
      args: ["--pid", "--fork", "--kill-child", "sh", "-c", "echo $$; read -r _; exit"],
      env: { [name]: value },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const output = child.stdout.getReader();
    const { value: said } = await output.read();
    assert.equal(new TextDecoder().decode(said), "1\n");
    const pid = processInside(1, entry);
    assert.ok(pid > 1, "it has another number here");
    assert.ok(environmentOf(pid).split("\0").includes(entry));
    assert.equal(processInside(1, `${entry}x`), 0);
    assert.equal(processInside(pid, entry), 0, "it does not call itself so");
    await child.stdin.close();
    await output.cancel();
    await child.status;
    assert.equal(processInside(1, entry), 0);
  },
);

Deno.test("a process of this machine's own namespace has one number", () => {
  const name = "MIRRORD_TEST_PROCESSES";
  assert.equal(processInside(Deno.pid, `${name}=x`), 0);
  const [entry = ""] = environmentOf(Deno.pid).split("\0");
  assert.equal(processInside(Deno.pid, entry), Deno.pid);
});
