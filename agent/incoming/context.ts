// What all stolen connections of a client share. Made by incoming.ts, read by steal.ts and route.ts.

import type { Unsent } from "../unsent.ts";
import type { Probes } from "./probes.ts";
import type { Subscriptions } from "./subscriptions.ts";

export interface Context {
  readonly subscriptions: Subscriptions;
  readonly unsent: Unsent;
  readonly probes: Probes;
  /** How long a connection's first message may leave open whether it is HTTP. */
  readonly detectionMs: number;
  /** Notifies the developer, once for each port and kind of notice. */
  notice(port: number, text: string): void;
}
