// The agent's file threads that have nothing to do: they end, what was open stays open, and nothing of them
// is left.

import assert from "node:assert/strict";
import { FileThreads } from "../../agent/files/threads.ts";
import { until } from "../cluster/command.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Descriptors of the root directory. */
function rootsOpen(): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`) === "/";
    } catch {
      return false; // the one that lists them
    }
  }).length;
}

Deno.test("a file thread without work ends, and files stay open", async () => {
  const umask = Deno.umask();
  const file = await Deno.makeTempFile();
  const before = rootsOpen();
  try {
    await Deno.writeTextFile(file, "kept");
    using threads = new FileThreads(() => Deno.pid, { restMs: 20 });
    const path = bytes(file);
    const order = { call: "open" as const, dir: null, path, flags: 0, mode: 0, whole: 0, ahead: 0, file: 1 };
    const { opened } = await threads.perform(order);
    assert.ok(opened !== undefined);
    for (let round = 0; round < 3; round++) {
      await until("no thread is left", () => Promise.resolve(threads.count === 0 || `${threads.count}`), 20);
      assert.equal(rootsOpen(), before);
      const { body } = await threads.perform({ call: "read", file: opened.fd, offset: 0n, count: 10 });
      assert.equal(new TextDecoder().decode(body.subarray(4)), "kept");
      assert.equal(threads.count, 1);
    }
    await threads.perform({ call: "close", file: opened.fd });
  } finally {
    await Deno.remove(file);
    Deno.umask(umask);
  }
});
