// The walk of an open() of a file of the target, from the hook to openat2(2) and back, as ARCHITECTURE.md
// lists it: a file counts where the question or its answer passes through it to the next. What a file asks on
// the way and gets back (rules, registries, checks, the codec) does not count, nor do bytes below frames.

import assert from "node:assert/strict";
import { root } from "../scripts/step.ts";

/** The most files that it may cross. */
const most = 16;

/**
 * Each hand-over: the file, the function that has the question or the answer, and how that names what comes
 * next.
 */
const walk: [file: string, holder: string, next: string][] = [
  ["layer/preload/hooks_files_path.c", "int layer_open(", "open_path(&call"],
  ["layer/ops/files/open.c", "struct verdict open_path(", "ask_now("],
  ["layer/link/ask.c", "int ask_now(", "exchange_both"],
  ["layer/link/exchange.c", "int exchange_both(", "sys_send_all("],
  ["protocol-wasm/link/link.ts", "#takeMessage(", "this.#inbox.put("],
  ["protocol-wasm/link/inbox.ts", "put(frame", "yield next.frame"],
  ["core/session/session.ts", "async #answer(", "floor.answer("],
  ["core/session/files.ts", "async #open(", "this.#agent.request("],
  ["protocol-wasm/link/link.ts", "request<", "this.#outbox.send("],
  ["protocol-wasm/link/outbox.ts", "send(kind", "this.#stream.write("],
  ["agent/client.ts", "async #begin(", "floor.answer("],
  ["agent/files.ts", "async #open(", "this.#threads.perform("],
  ["agent/files/threads.ts", "async perform(", "worker.postMessage("],
  ["agent/files/operations.ts", "#open(order", "calls.open("],
  ["agent/sys/file_calls.ts", "export function open(", "root.open("],
  ["agent/sys/target_root.ts", "open(path", "f.openat2("],
  ["agent/files.ts", "async #open(", "this.#link.send("],
  ["protocol-wasm/link/requests.ts", "#take(pending", "pending.answer.resolve("],
  ["layer/link/exchange.c", "int exchange_receive(", "ask->take("],
  ["layer/ops/files/open.c", "static int take_open(", "verdict_descriptor("],
];

Deno.test("an open() crosses at most 16 files, those that ARCHITECTURE.md lists", () => {
  for (const [file, holder, next] of walk) {
    const text = Deno.readTextFileSync(root + file);
    assert.ok(text.includes(holder), `${file} has no "${holder}"`);
    assert.ok(text.includes(next), `${file} does not hand on by "${next}"`);
  }
  const crossed = [...new Set(walk.map(([file]) => file))];
  assert.ok(crossed.length <= most, `an open() crosses ${crossed.length} files:\n${crossed.join("\n")}`);
  const page = Deno.readTextFileSync(`${root}ARCHITECTURE.md`);
  const [, section = ""] = page.match(/^## The walk of an open\(\)\n([^]*?)^## /m) ?? [];
  const lines = section.split("\n").filter((line) => /^(- | {2})/.test(line)).join("\n");
  const listed = [...lines.matchAll(/`([\w/-]+\.(?:c|ts))`/g)].map(([, path = ""]) => path);
  assert.deepEqual([...new Set(listed)].sort(), crossed.toSorted());
});
