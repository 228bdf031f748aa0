// The layer link's messages: the layer inside one process of the app ↔ the session, over a Unix socket.
// Both sides come from the same release, so there are no versions: `hello` compares the tables' hash.
// `scripts/wire.ts` writes `layer/wire.h` from this table.

import type { MessageTable } from "./codec.ts";

/**
 * The layer asks, the session answers with the same kind and id; fields of the answer are the table
 * entry `<kind>Reply`, which shares the kind's number. ERROR answers carry `failure` (errno, text).
 */
export const layerMessages = {
  /** First frame of every link. tables = hash of this table; process = the same for all links of one process, and its own. */
  hello: {
    kind: 1,
    since: 1,
    fields: { tables: "u32", process: "u64", pid: "u32", parent: "u32", executable: "str" },
  },
  /**
   * Which floors are to be caught at all. paths: the table of prefixes for files, in the form `layer/ops/paths.c` reads;
   * "" = ask about every path.
   */
  helloReply: {
    kind: 1,
    since: 1,
    fields: { incoming: "bool", outgoing: "bool", dns: "bool", files: "bool", paths: "str" },
  },
  /** Body of an ERROR answer. */
  failure: { kind: 7, since: 1, fields: { errno: "u32", text: "str" } },

  // -- incoming ------------------------------------------------------------------------------------------
  /** About to bind a TCP socket to `address`: is that port the pod's business? */
  bind: { kind: 32, since: 1, fields: { address: "address" } },
  /** managed: the layer may move it to another local port when the asked one cannot be had. */
  bindReply: { kind: 32, since: 1, fields: { managed: "bool", suggested: "u16" } },
  /** A managed socket listens: asked = what the app bound, actual = where it really is. Error = errno for the app. */
  listen: { kind: 33, since: 1, fields: { asked: "address", actual: "address" } },
  listenReply: { kind: 33, since: 1, fields: {} },
  /** Accepted on the listener at `listener` (actual) a connection from `peer` (real, local). Who is it? */
  accepted: { kind: 34, since: 1, fields: { listener: "address", peer: "address" } },
  /** known = a connection of the pod; its real client and the pod's own address. */
  acceptedReply: { kind: 34, since: 1, fields: { known: "bool", peer: "address", local: "address" } },
  /** An unknown fd (inherited or passed) is bound or listens at `actual`: is it ours, and what did the app ask for? */
  listener: { kind: 35, since: 1, fields: { actual: "address" } },
  listenerReply: { kind: 35, since: 1, fields: { known: "bool", asked: "address" } },
  /** One way, no answer: this process closed its last descriptor of the listener at `actual`. */
  closed: { kind: 36, since: 1, fields: { actual: "address" } },
  /** A managed socket was bound elsewhere than asked; another process may be handed it before it listens. */
  bound: { kind: 37, since: 1, fields: { asked: "address", actual: "address" } },
  boundReply: { kind: 37, since: 1, fields: {} },
  // -- outgoing (64..) -----------------------------------------------------------------------------------

  // -- dns (96..) ----------------------------------------------------------------------------------------

  // -- files (128..) -------------------------------------------------------------------------------------
} as const satisfies MessageTable;
