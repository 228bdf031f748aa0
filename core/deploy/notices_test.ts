// What an agent may show, by a clock of the test's own.

import assert from "node:assert/strict";
import { setLogSink } from "../base/log.ts";
import { Notices } from "./notices.ts";

/** The lines that `work` shows. */
function shown(work: () => void): string[] {
  const lines: string[] = [];
  const before = setLogSink((level, text) => lines.push(`${level}: ${text}`));
  try {
    work();
  } finally {
    setLogSink(before);
  }
  return lines;
}

Deno.test("a flood of notices is a few lines and a number", () => {
  const lines = shown(() => {
    using notices = new Notices({ now: () => 0 });
    for (let i = 0; i < 1_000_000; i++) notices.say(1, `notice ${i}`);
  });
  assert.equal(lines.length, 21);
  assert.equal(lines[19], "warning: notice 19");
  assert.equal(
    lines[20],
    "warning: 999980 further notices of the agent are left out: the agent sends too many",
  );
});

Deno.test("after a flood one notice in a second is shown, behind what was left out", () => {
  let now = 0;
  const lines = shown(() => {
    using notices = new Notices({ now: () => now });
    for (let i = 0; i < 22; i++) notices.say(0, `notice ${i}`);
    now = 1500;
    notices.say(2, "later");
    notices.say(2, "too soon");
  });
  assert.deepEqual(lines.slice(20), [
    "warning: 2 further notices of the agent are left out: the agent sends too many",
    "error: later",
    "warning: 1 further notices of the agent are left out: the agent sends too many",
  ]);
});

Deno.test("a long notice is cut, an ordinary one is not", () => {
  const lines = shown(() => {
    using notices = new Notices({ now: () => 0 });
    notices.say(1, "x".repeat(1 << 20));
    notices.say(1, "short");
  });
  assert.equal(lines[0]?.length, "warning: ".length + 1002);
  assert.equal(lines[1], "warning: short");
});
