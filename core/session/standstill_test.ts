// What is told and reported when a session is stopped on purpose, with and without an agent that hears of it.

import assert from "node:assert/strict";
import type { AgentLink } from "../../protocol-wasm/mod.ts";
import type { SessionEvent } from "./events.ts";
import { Silence } from "./silence.ts";
import { StandStill } from "./standstill.ts";

/** An agent of `version` that answers requests, or whose link has ended. */
function stage(version: number, { ports = [80], gone = false } = {}) {
  const asked: unknown[] = [];
  const events: SessionEvent[] = [];
  const agent = {
    version,
    liveness: { heardAt: performance.now() },
    request: (kind: string, body: { seconds: number }) => {
      asked.push([kind, body.seconds]);
      return gone ? Promise.reject(new Error("gone")) : Promise.resolve([]);
    },
  } as unknown as AgentLink;
  const emit = (event: SessionEvent): void =>
    void events.push("milliseconds" in event ? { ...event, milliseconds: 7 } : event);
  const silence = new Silence(agent, { limitMs: 2000, emit });
  for (const port of ports) silence.steals(port, true);
  return { asked, events, silence, still: new StandStill(agent, { silence, emit }) };
}

const over = { over: true, milliseconds: 900, connections: 2 };

Deno.test("an agent that hears of it says what became of the ports, before its answer or after it", async () => {
  for (const early of [true, false]) {
    const { asked, events, silence, still } = stage(5);
    await still.begin();
    silence.say({ over: false, milliseconds: 0, connections: 0 });
    if (early) silence.say(over);
    await still.end();
    if (!early) silence.say(over);
    assert.deepEqual(asked, [["standStill", 600], ["standStill", 0]]);
    assert.deepEqual(events, [
      { type: "paused", ports: [80], seconds: 600 },
      { type: "continued", ports: [80], milliseconds: 7, connections: 2 },
    ]);
    silence.say(over); // the next one is a silence of the link
    assert.equal(events.at(-1)?.type, "heardAgain");
    silence[Symbol.dispose]();
  }
});

Deno.test("where nothing is stolen it goes on without the agent's word", async () => {
  const { events, still } = stage(5, { ports: [] });
  await still.begin();
  await still.end();
  assert.deepEqual(events, [
    { type: "paused", ports: [], seconds: 600 },
    { type: "continued", ports: [], milliseconds: 7, connections: null },
  ]);
});

Deno.test("an agent that is too old or gone is not waited for, and its silence is reported as such", async () => {
  for (const { version, gone } of [{ version: 4, gone: false }, { version: 5, gone: true }]) {
    const { events, silence, still } = stage(version, { gone });
    await still.begin();
    await still.end();
    silence.say(over);
    assert.deepEqual(events.map(({ type }) => type), ["paused", "silent", "heardAgain"]);
    assert.deepEqual(events[0], { type: "paused", ports: [80], seconds: null });
    silence[Symbol.dispose]();
  }
});

Deno.test("without an agent there is nobody to tell", async () => {
  const events: SessionEvent[] = [];
  const still = new StandStill(null, { silence: null, emit: (event) => events.push(event) });
  await still.begin();
  await still.end();
  assert.deepEqual(events.map(({ type }) => type), ["paused", "continued"]);
});
