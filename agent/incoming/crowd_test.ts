// How many connections are served, and what is reported of more.

import assert from "node:assert/strict";
import { connectionLimit, Crowd } from "./crowd.ts";

/** A crowd whose kernel left 7 connections to the original whenever it was full. */
function stage(limit: number, room = () => Infinity) {
  const full: boolean[] = [];
  const { promise: counted, resolve } = Promise.withResolvers<string>();
  const said: string[] = [];
  const heartbeat = {
    setFull(is: boolean) {
      full.push(is);
      return is ? 0 : 7;
    },
  };
  const say = (text: string) => {
    said.push(text);
    if (/the original got/.test(text)) resolve(text);
  };
  return { crowd: new Crowd({ limit, room, heartbeat, say }), said, counted, full };
}

Deno.test("the limit is 16,384, or what the descriptors allow", () => {
  assert.equal(connectionLimit(Infinity), 16_384);
  assert.equal(connectionLimit(1_048_576), 16_384);
  assert.equal(connectionLimit(20_000), 9_872);
  assert.equal(connectionLimit(100), 1);
});

Deno.test("one too many is refused, and counted with those that the kernel left to the original", async () => {
  const { crowd, said, counted, full } = stage(8);
  for (let i = 0; i < 8; i++) assert.equal(crowd.enter(), true);
  assert.equal(crowd.enter(), false);
  assert.equal(crowd.enter(), false);
  assert.deepEqual(full, [true]);
  assert.match(said[0] ?? "", /8 are served/);
  for (let i = 0; i < 2; i++) crowd.leave();
  assert.deepEqual(full, [true]);
  crowd.leave();
  assert.deepEqual(full, [true, false]);
  assert.match(await counted, /the original got 9 connections; new ones are stolen again/);
  assert.equal(crowd.enter(), true);
});

Deno.test("where memory lacks fewer are served, until some have ended", async () => {
  let left = 1 << 30;
  const { crowd, counted } = stage(1000, () => left);
  for (let i = 0; i < 127; i++) assert.equal(crowd.enter(), true);
  left = 1 << 20;
  assert.equal(crowd.enter(), false);
  assert.equal(crowd.enter(), false);
  left = 1 << 30;
  for (let i = 0; i < 20; i++) crowd.leave();
  await counted;
  for (let i = 0; i < 60; i++) assert.equal(crowd.enter(), true);
});
