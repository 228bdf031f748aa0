// From where a listener of the app is reached through the target, and the event that reports it. Called by
// incoming.ts for every listener. Invariants: a debugger's port is never reached from the cluster, whatever
// names it; a listener on this machine's loopback is open to other hosts only where the pod or the developer
// declares its port as served, or as long as the target itself serves it.

import { type Address, reachBits } from "../../protocol-wasm/mod.ts";
import { isLoopback } from "../net/fit.ts";
import type { SessionEvent } from "./events.ts";
import { filterOf, type IncomingRules } from "./incoming_rules.ts";

/**
 * cluster: everything that reaches the pod. pod: everything that reaches the target's own loopback, and
 * others as long as the target listens on the port itself. nobody: it stays on this machine.
 */
export type Openness =
  | { who: "cluster"; since: "bound" | "declared" | "named" }
  | { who: "pod" }
  | { who: "nobody"; reason: "anyPort" | "undeclared"; debugger: null }
  | { who: "nobody"; reason: "debugger"; debugger: string };

/** What is known of a listener of the app. */
export interface Asked {
  address: Address;
  /** The pod's port that it would have. */
  port: number;
  /** The kernel chose its port. */
  anyPort: boolean;
  /** The debugger that has the port. */
  debugger: string | null;
}

/** From where the listener `asked` is reached. */
export function opennessOf({ address, port, ...asked }: Asked, rules: IncomingRules): Openness {
  if (asked.anyPort && !rules.dynamicPorts) {
    return { who: "nobody", reason: "anyPort", debugger: null };
  }
  if (asked.debugger !== null) {
    return { who: "nobody", reason: "debugger", debugger: asked.debugger };
  }
  if (rules.onlyDeclared && !rules.declaredPorts.includes(port)) {
    return { who: "nobody", reason: "undeclared", debugger: null };
  }
  if (!isLoopback(address.address)) return { who: "cluster", since: "bound" };
  if (rules.declaredPorts.includes(port)) return { who: "cluster", since: "declared" };
  return isNamed(address.port, port, rules) ? { who: "cluster", since: "named" } : { who: "pod" };
}

function isNamed(asked: number, port: number, { ports, portMapping, listenPorts }: IncomingRules): boolean {
  return ports?.includes(port) === true || portMapping.has(asked) || listenPorts.has(asked);
}

type Subscribed = Extract<SessionEvent, { type: "subscribed" }>;

/**
 * The event about the subscribed `port` that `all` listeners share. `reached`: the addresses for which it is
 * stolen or mirrored at this moment (`reachBits`), when that was asked.
 */
export function portFacts(
  port: number,
  all: readonly Openness[],
  { rules, reached }: { rules: IncomingRules; reached: number | null },
): Omit<Subscribed, "type" | "isNews"> {
  const { mode, probes, declaredPorts } = rules;
  const spared = mode === "steal" ? probes.filter((one) => one.port === port).map(({ how }) => how) : [];
  return {
    port,
    mode,
    opened: openedBy(all, reached),
    filtered: filterOf(port, rules) !== "",
    sparedProbes: [...new Set(spared)],
    declaredPorts,
  };
}

/** The last facts about each subject: a listener that comes again, or goes, is no news. */
export class News {
  readonly #told = new Map<string, string>();

  /** Do `facts` differ from what was reported of `subject` last? */
  isNew(subject: string, facts: unknown): boolean {
    const text = JSON.stringify(facts);
    const isNew = this.#told.get(subject) !== text;
    this.#told.set(subject, text);
    return isNew;
  }
}

function openedBy(all: readonly Openness[], reached: number | null): Subscribed["opened"] {
  const open = all.filter((one) => one.who === "cluster").map(({ since }) => since);
  const first = (["bound", "declared", "named"] as const).find((since) => open.includes(since));
  if (first !== undefined) return first;
  return ((reached ?? 0) & (reachBits.other4 | reachBits.other6)) !== 0 ? "served" : "loopback";
}
