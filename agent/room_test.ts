// Room for items and bytes that are under way.

import assert from "node:assert/strict";
import { Room } from "./room.ts";

/** Takes room and reports when it got it. */
async function enter(room: Room, bytes: number, seen: string[], name: string): Promise<Disposable> {
  const place = await room.take(bytes);
  seen.push(name);
  return place;
}

Deno.test("so many are let in, the next when one leaves, in order", async () => {
  const room = new Room({ count: 2, bytes: 100 });
  const seen: string[] = [];
  const places = ["a", "b", "c", "d"].map((name) => enter(room, 1, seen, name));
  const first = await places[0];
  await places[1];
  assert.deepEqual(seen, ["a", "b"]);
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose](); // a second time frees nothing
  await places[2];
  assert.deepEqual(seen, ["a", "b", "c"]);
});

Deno.test("so many bytes are let in, and what is larger than the room alone", async () => {
  const room = new Room({ count: 10, bytes: 100 });
  const seen: string[] = [];
  const a = await enter(room, 60, seen, "a");
  const b = enter(room, 60, seen, "b");
  const c = enter(room, 1, seen, "c"); // it fits, and waits for its turn
  const large = enter(room, 1000, seen, "large");
  assert.deepEqual(seen, ["a"]);
  a[Symbol.dispose]();
  const [second, third] = await Promise.all([b, c]);
  assert.deepEqual(seen, ["a", "b", "c"]);
  second[Symbol.dispose]();
  third[Symbol.dispose]();
  await large;
  assert.deepEqual(seen, ["a", "b", "c", "large"]);
});
