// One fuzz run as a process of its own: its name, and the rest as JSON, in the arguments. Started by
// fuzz_test.ts.

import { Fuzz, type Order } from "./fuzz.ts";
import { agentLink } from "./agent_link.ts";
import { door } from "./door.ts";
import { hostileAgent } from "./hostile_agent.ts";
import { layerLink } from "./layer_link.ts";

const bodies: Record<string, (fuzz: Fuzz, order: Order) => Promise<void>> = {
  door,
  agentLink,
  layerLink,
  hostileAgent,
};

const [name = "", order = "{}"] = Deno.args;
const asked = JSON.parse(order) as Order;
// Most of what is refused is an error that nobody prints.
if (asked.round === undefined) Error.stackTraceLimit = 4;
using fuzz = new Fuzz(asked);
await bodies[name]?.(fuzz, asked);
const summary = `${fuzz.done} cases in ${fuzz.begun} rounds, ${fuzz.answers} answers\n`;
Deno.stdout.writeSync(new TextEncoder().encode(summary));
// Files threads, watchers and timers of what was fuzzed may be left: the run is over.
Deno.exit(0);
