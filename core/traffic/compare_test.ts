// What counts as a difference, and how it is named.

import assert from "node:assert/strict";
import { compareAnswers, type CompareOptions } from "./compare.ts";
import type { RecordedAnswer } from "./recorded.ts";

function answer(body: string, more: Partial<RecordedAnswer> & { type?: string } = {}): RecordedAnswer {
  const { type = "text/plain", headers = [], ...rest } = more;
  return {
    status: 200,
    body: new TextEncoder().encode(body),
    isCut: false,
    ...rest,
    headers: [{ name: "Content-Type", value: type }, ...headers],
  };
}

function differ(
  recorded: RecordedAnswer,
  now: RecordedAnswer,
  options: Partial<CompareOptions> = {},
): string[] {
  return compareAnswers(recorded, now, { headers: [], ignore: new Set(), ...options })
    .map((one) => `${one.what}: ${one.recorded} -> ${one.now}`);
}

const header = (name: string, value: string) => ({ headers: [{ name, value }] });

Deno.test("headers that say when and by whom are left aside, unless they are asked for", () => {
  const [one, other] = [answer("x", header("Date", "now")), answer("x", header("Date", "then"))];
  assert.deepEqual(differ(one, other), []);
  assert.deepEqual(differ(one, other, { headers: ["date"] }), ["header date: now -> then"]);
});

Deno.test("status, headers that change what a client does, and names of cookies count", () => {
  assert.deepEqual(differ(answer("x"), answer("x", { status: 500 })), ["status: 200 -> 500"]);
  assert.deepEqual(differ(answer("x", header("Location", "/a")), answer("x")), [
    "header location: /a -> null",
  ]);
  assert.deepEqual(
    differ(
      answer("x", { type: "text/HTML;charset=UTF-8" }),
      answer("x", { type: 'text/html; charset="utf-8"' }),
    ),
    [],
  );
  assert.deepEqual(
    differ(answer("x", header("Set-Cookie", "id=1; Path=/")), answer("x", header("Set-Cookie", "id=2"))),
    [],
  );
  assert.deepEqual(
    differ(answer("x", header("Set-Cookie", "id=1")), answer("x", header("Set-Cookie", "sid=1"))),
    [
      "header set-cookie: id -> sid",
    ],
  );
});

Deno.test("JSON is compared by value, in any order of its keys; places can be left aside", () => {
  const type = "application/json";
  const recorded = answer('{"items":[{"id":1,"at":"today"},{"id":2,"at":"today"}],"n":1}', { type });
  assert.deepEqual(
    differ(recorded, answer('{ "n": 1, "items": [{"at":"today","id":1},{"id":2,"at":"today"}] }', { type })),
    [],
  );
  const now = answer('{"items":[{"id":7,"at":"later"},{"id":2,"at":"later"}]}', { type });
  assert.deepEqual(differ(recorded, now), [
    "body .items[0].id: 1 -> 7",
    'body .items[0].at: "today" -> "later"',
    'body .items[1].at: "today" -> "later"',
    "body .n: 1 -> null",
  ]);
  assert.deepEqual(differ(recorded, now, { ignore: new Set([".items[].at", ".n"]) }), [
    "body .items[0].id: 1 -> 7",
  ]);
  assert.deepEqual(differ(recorded, now, { ignore: new Set(["body"]) }), []);
  assert.deepEqual(differ(answer("1", { type }), answer("2", { type })), ["body: 1 -> 2"]);
});

Deno.test("text by its first other line, bytes by the first other place", () => {
  assert.deepEqual(differ(answer("a\nb\nc"), answer("a\nB\nc")), ["body, line 2: b -> B"]);
  assert.deepEqual(differ(answer("a\nb"), answer("a")), ["body, line 2: b -> null"]);
  const binary = (...bytes: number[]) => ({ ...answer(""), body: Uint8Array.from(bytes) });
  const [difference = ""] = differ(binary(0, 1, 2), binary(0, 9, 2));
  assert.match(difference, /^body at byte 1: 00 01 02 .* -> 00 09 02/);
});

Deno.test("of a body that was cut the beginning counts", () => {
  assert.deepEqual(differ(answer("abc", { isCut: true }), answer("abcdef")), []);
  assert.deepEqual(differ(answer("abc", { isCut: true }), answer("abX")), ["body, line 1: abc -> abX"]);
});
