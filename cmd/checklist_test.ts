// The checklist in its three forms, as text.

import assert from "node:assert/strict";
import { jsonLines, LiveChecklist, plainLines } from "./checklist.ts";

/** A checklist on a screen of `columns`, and what it wrote. */
function live(columns = 40) {
  const written: string[] = [];
  const checklist = new LiveChecklist({
    write: (text) => written.push(text),
    colour: (_, text) => text,
    columns: () => columns,
  });
  return { checklist, written, text: () => written.join("") };
}

Deno.test("a live step is drawn, noted and ticked off", () => {
  const { checklist, written, text } = live();
  checklist.begin("Starting");
  checklist.note("pulling");
  checklist.end("Starting", "Started");
  assert.equal(written[0], "\r\x1b[K⠋ Starting");
  assert.equal(written[1], "\r\x1b[K⠙ Starting: pulling");
  assert.ok(text().endsWith("\r\x1b[K✓ Started\n"), JSON.stringify(text()));
});

Deno.test("a failed step is crossed out by its title", () => {
  const { checklist, text } = live();
  checklist.begin("Starting");
  checklist.end("Starting", undefined);
  assert.ok(text().endsWith("\r\x1b[K✗ Starting\n"));
});

Deno.test("other lines go above the running step, which is drawn again", () => {
  const { checklist, written, text } = live();
  checklist.begin("Starting");
  checklist.aside(() => written.push("a warning\n"));
  assert.ok(text().includes("\r\x1b[Ka warning\n\r\x1b[K⠙ Starting"), JSON.stringify(text()));
  checklist.end("Starting", "x");
  checklist.aside(() => written.push("later\n"));
  assert.ok(text().endsWith("✓ x\nlater\n"));
});

Deno.test("nothing is drawn while another program asks", () => {
  const { checklist, written } = live();
  checklist.begin("Starting");
  checklist.pause();
  const before = written.length;
  checklist.note("unseen");
  checklist.aside(() => {});
  assert.equal(written.length, before);
  checklist.resume();
  assert.ok(written.at(-1)?.endsWith("Starting: unseen"));
  checklist.end("Starting", "x");
});

Deno.test("a step never takes more than the line", () => {
  const { checklist, written } = live(20);
  checklist.begin("Starting the agent");
  checklist.note("pulling the image of a long name");
  assert.equal(written.at(-1), "\r\x1b[K⠙ Starting the ag…");
  checklist.end("Starting the agent", "x");
});

Deno.test("elsewhere steps are plain lines, each said once", () => {
  const lines: string[] = [];
  const sink = plainLines((text) => lines.push(text));
  sink.begin("Starting", true);
  sink.note("pulling");
  sink.note("pulling");
  sink.note("pulled");
  sink.end("Starting", "Started");
  sink.begin("Next");
  sink.end("Next", undefined);
  assert.deepEqual(lines, ["Starting", "pulling", "pulled", "Started"]);
});

Deno.test("for programs steps are upstream's JSON", () => {
  const values: unknown[] = [];
  const sink = jsonLines((value) => values.push(value));
  sink.begin("a");
  sink.note("n");
  sink.end("a", "done");
  sink.end("b", undefined);
  assert.deepEqual(values, [
    { type: "NewTask", name: "a", parent: null },
    { type: "Info", message: "n" },
    { type: "FinishedTask", name: "a", success: true, message: "done" },
    { type: "FinishedTask", name: "b", success: false, message: null },
  ]);
});
