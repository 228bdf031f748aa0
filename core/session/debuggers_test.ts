// Debuggers of running processes: real ones, whose command lines and variables the kernel reports.

import assert from "node:assert/strict";
import { Debuggers } from "./debuggers.ts";

/**
 * A process that only waits, with these arguments and variables. Ready when it has said so: a spawn returns
 * while execve(2) goes on, and for a moment the kernel knows no command line.
 */
async function waiting(
  args: string[],
  env: Record<string, string> = {},
): Promise<AsyncDisposable & { pid: number }> {
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", "echo; read _", "sh", ...args],
    clearEnv: true,
    env,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const said = child.stdout.getReader();
  await said.read();
  await said.cancel();
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await child.status;
    },
  };
}

const at = (port: number, address = "127.0.0.1") => ({ address, port });

Deno.test("a port that any process of the app names is a debugger's for all of them; another process' is not", async () => {
  await using parent = await waiting(["--inspect=7001"]);
  await using child = await waiting([], {
    JAVA_TOOL_OPTIONS: "-agentlib:jdwp=server=n,address=10.0.0.7:7002",
  });
  await using stranger = await waiting(["--inspect=7003"]);
  const debuggers = new Debuggers({ ranges: [], pids: () => [parent.pid, child.pid] });
  assert.match(debuggers.listens(child.pid, at(7001, "0.0.0.0"), false) ?? "", /inspector/);
  assert.equal(debuggers.listens(child.pid, at(7003), false), null);
  assert.equal(debuggers.listens(child.pid, at(7001), true), null); // the kernel's choice, by chance
  assert.equal(debuggers.dials(parent.pid, at(7002)), "JDWP");
  assert.equal(debuggers.dials(child.pid, at(7002, "10.0.0.7")), "JDWP");
  assert.equal(debuggers.dials(child.pid, at(7002, "10.0.0.8")), null);
  assert.equal(debuggers.dials(stranger.pid, at(7002, "10.0.0.7")), null);
});

Deno.test("a process that took any port for its debugger has no other listener of that kind told from it", async () => {
  await using one = await waiting(["--inspect=0"]);
  await using other = await waiting([]);
  const debuggers = new Debuggers({ ranges: [], pids: () => [one.pid, other.pid] });
  assert.match(debuggers.listens(one.pid, at(40001), true) ?? "", /inspector/);
  assert.equal(debuggers.listens(one.pid, at(40001), false), null);
  assert.equal(debuggers.listens(other.pid, at(40001), true), null);
});

Deno.test("given ports are debuggers' on loopback alone; a process that has ended is none's", async () => {
  const ranges = [{ first: 45000, last: 65535 }];
  let pid = 0;
  {
    await using one = await waiting([]);
    pid = one.pid;
    const debuggers = new Debuggers({ ranges, pids: () => [one.pid] });
    assert.equal(debuggers.listens(pid, at(50051), false), "MIRRORD_IGNORE_DEBUGGER_PORTS");
    assert.equal(debuggers.listens(pid, at(50051, "::1"), false), "MIRRORD_IGNORE_DEBUGGER_PORTS");
    assert.equal(debuggers.listens(pid, at(50051, "0.0.0.0"), false), null);
    assert.equal(debuggers.listens(pid, at(44999), false), null);
    assert.equal(debuggers.isGiven(65535), true);
  }
  const debuggers = new Debuggers({ ranges: [], pids: () => [pid] });
  assert.equal(debuggers.listens(pid, at(1), false), null);
  assert.equal(debuggers.dials(pid, at(1)), null);
});
