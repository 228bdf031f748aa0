// An agent for tests of the session: real frames over a real loopback connection, but the test decides what
// it answers. `agentPair` gives the session's end of the link and the agent's.

import assert from "node:assert/strict";
import { agentDoor, agentMessages, connStream, Link, type Received } from "../../protocol-wasm/mod.ts";

type AgentMessages = typeof agentMessages;

export interface AgentPair extends AsyncDisposable {
  /** What the session is opened with. */
  client: Link<AgentMessages>;
  agent: Link<AgentMessages>;
  /** The next frame of the client; fails when it is not a `name`. */
  expect(name: keyof AgentMessages): Promise<Received<AgentMessages>>;
}

/** Two ends of one agent link, past the handshake. */
export async function agentPair(): Promise<AgentPair> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [accepted, dialled] = await Promise.all([
    listener.accept(),
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
  ]);
  const agent = new Link(connStream(accepted), agentMessages, { side: "agent" });
  const client = new Link(connStream(dialled), agentMessages, { side: "client", door: agentDoor("agent") });
  const frames = agent.received()[Symbol.asyncIterator]();
  return {
    client,
    agent,
    async expect(name) {
      let { value, done } = await frames.next();
      // Sent with every subscription and not answered: a test looks at the frames themselves.
      while (!done && value.name === "reach" && name !== "reach") ({ value, done } = await frames.next());
      assert.ok(!done, `the link ended where "${name}" was expected`);
      assert.equal(value.name, name);
      return value;
    },
    async [Symbol.asyncDispose]() {
      client.close();
      agent.close();
      await Promise.all([client.closed, agent.closed]);
    },
  };
}
