// What is reported of losses, and how often.

import assert from "node:assert/strict";
import { Losses } from "./losses.ts";

function told(): { losses: Losses; lines: string[] } {
  const lines: string[] = [];
  return { losses: new Losses((text) => lines.push(text)), lines };
}

Deno.test("a loss is reported at once, more of them a while later and together", () => {
  const { losses, lines } = told();
  losses.add(80, "slow", 5);
  losses.tellInTime(1000);
  assert.deepEqual(lines.splice(0), [
    "The mirror of port 80 is incomplete: the app is too slow, a connection lost 5 bytes",
  ]);
  losses.add(80, "slow", 7);
  losses.add(80, "slow", 8);
  losses.add(81, "missed", 1);
  losses.tellInTime(2000);
  assert.deepEqual(lines, []);
  losses.tellInTime(6000);
  assert.deepEqual(lines.splice(0), [
    "The mirror of port 80 is incomplete: the app is too slow, 2 connections lost 15 bytes",
    "The mirror of port 81 is incomplete: packets are missing, a connection lost 1 bytes",
  ]);
  losses.tellInTime(60_000);
  assert.deepEqual(lines, []);
});

Deno.test("losses of an unknown connection are reported too, and everything at the end", () => {
  const { losses, lines } = told();
  losses.addPackets(3);
  losses.tellInTime(0);
  losses.addPackets(4);
  losses.add(80, "many", 0);
  losses.tell();
  assert.deepEqual(lines, [
    "The mirror is incomplete: 3 packets came faster than the agent took them",
    "The mirror of port 80 is incomplete: too many connections at a time, a connection left out",
    "The mirror is incomplete: 4 packets came faster than the agent took them",
  ]);
});
