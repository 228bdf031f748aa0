// What an app sees of a connection to its own listener, by the addresses that were asked for: own_sockets.ts
// without an agent.

import assert from "node:assert/strict";
import { OwnSockets } from "./own_sockets.ts";

Deno.test("a client bound to an address of the target's that asks by loopback has that address", () => {
  const own = new OwnSockets({ agent: null, pids: () => [], listens: () => false });
  own.bound({ address: "10.1.2.3", port: 4000 }, { address: "127.1.2.3", port: 4000 }, "tcp");
  own.bound({ address: "fd00::1", port: 4000 }, { address: "::1", port: 4000 }, "tcp");
  assert.deepEqual(
    own.accepted({ address: "0.0.0.0", port: 80 }, { address: "127.1.2.3", port: 4000 }),
    { known: true, peer: { address: "10.1.2.3", port: 4000 }, local: { address: "127.0.0.1", port: 80 } },
  );
  // Another client may have that port of ::1 meanwhile.
  assert.equal(own.accepted({ address: "::", port: 80 }, { address: "::1", port: 4000 }).known, false);
});
