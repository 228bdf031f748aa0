// Output comes as whole lines, however it was written.

import assert from "node:assert/strict";
import { wholeLines } from "./lines.ts";

/** The lines of a stream that brings `chunks`. */
async function linesOf(...chunks: string[]): Promise<string[]> {
  const bytes = chunks.map((chunk) => new TextEncoder().encode(chunk));
  const lines: string[] = [];
  for await (const line of wholeLines(ReadableStream.from(bytes))) lines.push(new TextDecoder().decode(line));
  return lines;
}

Deno.test("lines come whole, however they were cut, and the last one is ended", async () => {
  assert.deepEqual(await linesOf("a\nb", "c", "d\n\ne"), ["a\n", "bcd\n", "\n", "e\n"]);
  assert.deepEqual(await linesOf("a\r\n", "é\n"), ["a\r\n", "é\n"]);
  assert.deepEqual(await linesOf(), []);
  assert.deepEqual(await linesOf("", "x"), ["x\n"]);
});

Deno.test("a line without an end comes in parts, so that memory does not grow", async () => {
  const lines = await linesOf(...Array.from({ length: 40 }, () => "x".repeat(1 << 16)));
  assert.deepEqual(lines.map(({ length }) => length), [(1 << 20) + 1, (1 << 20) + 1, (1 << 19) + 1]);
});
