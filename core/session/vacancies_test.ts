// A listener whose process ended while the kernel still had it: its port goes back, and what listens in its
// place is not taken for it.

import assert from "node:assert/strict";
import { deadline } from "../../tests/support/deadline.ts";
import { freePort } from "../../tests/support/ports.ts";
import type { Address, AgentLink } from "../../protocol-wasm/mod.ts";
import { Debuggers } from "./debuggers.ts";
import type { AppProcess } from "./floor.ts";
import { Incoming, type StolenConnection } from "./incoming.ts";
import { noPorts } from "./incoming_rules.ts";
import { OwnSockets } from "./own_sockets.ts";

/** An agent that agrees to everything. */
const agent = {
  version: 0,
  request: () => Promise.resolve([]),
  send: () => Promise.resolve(),
} as unknown as AgentLink;
const process = { pid: Deno.pid } as AppProcess;
const everywhere = (port: number): Address => ({ address: "0.0.0.0", port });

/** `work` gets a port on all addresses of which a process of the app listens; `released` is its end. */
async function withListener(
  work: (
    about: { incoming: Incoming; listener: Deno.Listener; port: number; released: Promise<void> },
  ) => Promise<void>,
): Promise<void> {
  const port = freePort();
  const released = Promise.withResolvers<void>();
  await using incoming = new Incoming({
    agent,
    rules: { ...noPorts, ports: null },
    own: new OwnSockets({ agent: null, pids: () => [], listens: () => false }),
    debuggers: new Debuggers({ ranges: [], pids: () => [] }),
    emit: (event) => event.type === "released" && released.resolve(),
  });
  using listener = Deno.listen({ hostname: "0.0.0.0", port });
  incoming.bind(process, everywhere(port));
  const told = { asked: everywhere(port), actual: everywhere(port), only6: false, anyPort: false };
  assert.deepEqual(await incoming.listen(process, told), { code: 0, managed: true });
  await work({ incoming, listener, port, released: released.promise });
}

/** A connection to the port; `end` is how it was answered. */
function connectionTo(port: number): StolenConnection & { end: string } {
  const connection: StolenConnection & { end: string } = {
    port,
    peer: { address: "203.0.113.9", port: 4000 },
    local: { address: "203.0.113.1", port },
    channel: {
      read: () => Promise.resolve(null),
      write: () => Promise.resolve(),
      closeWrite: () => Promise.resolve(),
      reset() {},
    },
    end: "",
    take: () => Promise.resolve(void (connection.end = "taken")),
    refuse: () => Promise.resolve(void (connection.end = "refused")),
  };
  return connection;
}

Deno.test("the port of a process that ended goes back when the kernel has closed its listener", async () => {
  await withListener(async ({ incoming, listener, released }) => {
    await incoming.ended(process); // its link was closed before its sockets
    listener.close();
    await deadline(released, "the port goes back");
  });
});

Deno.test("a listener on loopback is not taken for one on all addresses that is gone", async () => {
  await withListener(async ({ incoming, listener, port }) => {
    await incoming.ended(process);
    listener.close();
    using _debugger = Deno.listen({ hostname: "127.0.0.1", port });
    const connection = connectionTo(port);
    await deadline(incoming.connection(connection), "it is answered");
    assert.equal(connection.end, "refused");
  });
});

Deno.test("a listener that a process unknown to the session has goes on", async () => {
  await withListener(async ({ incoming, listener, port }) => {
    await incoming.ended(process);
    const answering = listener.accept().then((conn) => conn.close());
    const connection = connectionTo(port);
    await incoming.connection(connection);
    await answering;
    assert.equal(connection.end, "taken");
  });
});
