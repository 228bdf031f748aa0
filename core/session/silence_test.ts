// What is reported while the link between agent and session is silent.

import type { AgentLink } from "../../protocol-wasm/mod.ts";
import assert from "node:assert/strict";
import type { SessionEvent } from "./events.ts";
import { Silence } from "./silence.ts";

Deno.test("each silence has an event at its beginning and one at its end, whichever side notices it first", () => {
  const events: SessionEvent[] = [];
  const agent = { version: 4, liveness: { heardAt: performance.now() } } as unknown as AgentLink;
  using silence = new Silence(agent, { limitMs: 2000, emit: (event) => events.push(event) });
  silence.steals(80, true);
  silence.say({ over: false, milliseconds: 0, connections: 0 });
  silence.say({ over: false, milliseconds: 0, connections: 0 });
  silence.say({ over: true, milliseconds: 7040, connections: 1 });
  silence.steals(443, true);
  silence.say({ over: true, milliseconds: 300, connections: 12 });
  assert.deepEqual(events, [
    { type: "silent", ports: [80] },
    { type: "heardAgain", ports: [80], milliseconds: 7040, connections: 1 },
    { type: "silent", ports: [80, 443] },
    { type: "heardAgain", ports: [80, 443], milliseconds: 300, connections: 12 },
  ]);
});
