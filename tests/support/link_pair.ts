// Two ends of a link over a real socket, for the tests of this folder. The test that takes a pair closes it.

import type { AgentLink } from "../../protocol-wasm/mod.ts";
import { agentMessages } from "../../protocol-wasm/messages/agent_messages.ts";
import type { Received } from "../../protocol-wasm/link/inbox.ts";
import { Link, type LinkOptions } from "../../protocol-wasm/link/link.ts";
import { connStream } from "../../protocol-wasm/link/stream.ts";

/** A client and an agent that speak to each other; disposing closes both. */
export interface Peers extends AsyncDisposable {
  client: AgentLink;
  agent: AgentLink;
  /** The next frame that `link` received. */
  nextOf(link: AgentLink): Promise<Received<typeof agentMessages>>;
}

/** A connected pair of sockets; a Unix one leaves no file behind. */
export async function sockets(transport: "tcp" | "unix"): Promise<[Deno.Conn, Deno.Conn]> {
  if (transport === "tcp") {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    return await Promise.all([
      Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
      listener.accept(),
    ]);
  }
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/link`;
    using listener = Deno.listen({ transport, path });
    return await Promise.all([Deno.connect({ transport, path }), listener.accept()]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Two agent links over such a pair. */
export async function links(
  options: { transport?: "tcp" | "unix"; heartbeat?: NonNullable<LinkOptions["heartbeat"]> } = {},
): Promise<Peers> {
  const [a, b] = await sockets(options.transport ?? "unix");
  const heartbeat = options.heartbeat === undefined ? {} : { heartbeat: options.heartbeat };
  const client = new Link(connStream(a), agentMessages, { side: "client", ...heartbeat });
  const agent = new Link(connStream(b), agentMessages, { side: "agent" });
  const iterators = new Map([client, agent].map((link) => [link, link.received()[Symbol.asyncIterator]()]));
  return {
    client,
    agent,
    async nextOf(link) {
      const next = await iterators.get(link)?.next();
      if (next === undefined || next.done) throw new Error("the link ended without another frame");
      return next.value;
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await agent[Symbol.asyncDispose]();
    },
  };
}
