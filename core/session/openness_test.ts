// From where a listener is reached: a generated table of bound address × what names its port × how it got
// the port × debugger or not, against the rule of SECURITY.md; and what is reported of each outcome.

import assert from "node:assert/strict";
import { reachBits } from "../../protocol-wasm/mod.ts";
import { type IncomingRules, noPorts } from "./incoming_rules.ts";
import { Listeners } from "./listeners.ts";
import { type Openness, opennessOf, portFacts } from "./openness.ts";

const port = 8080;

function rules(change: Partial<IncomingRules> = {}): IncomingRules {
  return { ...noPorts, ports: null, ...change };
}

/** What may name a port. */
const namings: Record<string, Partial<IncomingRules>> = {
  nothing: {},
  "another port of the pod": { declaredPorts: [80] },
  "the pod": { declaredPorts: [80, port] },
  "incoming.ports": { ports: [port] },
  "incoming.port_mapping": { portMapping: new Map([[port, 81]]) },
  "incoming.listen_ports": { listenPorts: new Map([[port, 4480]]) },
};
const addresses = ["127.0.0.1", "127.8.0.1", "::1", "0.0.0.0", "::", "10.1.2.3"];

Deno.test("from where a listener is reached: bound address × what names its port × port 0 × debugger", () => {
  for (const address of addresses) {
    for (const [naming, change] of Object.entries(namings)) {
      for (const anyPort of [false, true]) {
        for (const debuggerName of [null, "JDWP"]) {
          for (const dynamicPorts of [false, true]) {
            const all = rules({ ...change, dynamicPorts });
            const got = opennessOf(
              { address: { address, port }, port, anyPort, debugger: debuggerName },
              all,
            );
            const isNamed = naming.startsWith("incoming") || naming === "the pod";
            const loopback = address.startsWith("127.") || address === "::1";
            const right = debuggerName !== null || (anyPort && !dynamicPorts)
              ? "nobody"
              : loopback && !isNamed
              ? "pod"
              : "cluster";
            assert.equal(got.who, right, `${address}, named by ${naming}, ${anyPort}, ${debuggerName}`);
          }
        }
      }
    }
  }
});

Deno.test("in a node's network only declared ports are taken", () => {
  const asked = { address: { address: "0.0.0.0", port }, port, anyPort: false, debugger: null };
  assert.equal(opennessOf(asked, rules({ onlyDeclared: true })).who, "nobody");
  assert.equal(opennessOf(asked, rules({ onlyDeclared: true, ports: [port] })).who, "nobody");
  assert.equal(opennessOf(asked, rules({ onlyDeclared: true, declaredPorts: [port] })).who, "cluster");
});

Deno.test("what is reported of a port names why it is open", () => {
  const pod: Openness = { who: "pod" };
  const cluster = (since: "bound" | "declared" | "named"): Openness => ({ who: "cluster", since });
  const facts = (open: Openness[], reached: number | null = null, one = rules()) =>
    portFacts(port, open, { rules: one, reached });
  assert.equal(facts([cluster("bound")]).opened, "bound");
  assert.equal(facts([pod, cluster("declared")]).opened, "declared");
  assert.equal(facts([cluster("named"), cluster("bound")]).opened, "bound");
  assert.equal(facts([cluster("named")]).opened, "named");
  assert.equal(facts([pod], reachBits.loopback4).opened, "loopback");
  assert.equal(facts([pod]).opened, "loopback");
  assert.equal(facts([pod], reachBits.all).opened, "served");
  const probed = {
    filter: "{}",
    filterPorts: null,
    probes: [{ port, how: "http" as const, filter: "" }],
    declaredPorts: [80],
  };
  const told = { port, opened: "bound", filtered: true, declaredPorts: [80] };
  assert.deepEqual(facts([cluster("bound")], null, rules({ mode: "steal", ...probed })), {
    ...told,
    mode: "steal",
    sparedProbes: ["http"],
  });
  // The kubelet's probes are mirrored as everything is.
  assert.deepEqual(facts([cluster("bound")], null, rules({ mode: "mirror", ...probed })), {
    ...told,
    mode: "mirror",
    sparedProbes: [],
  });
});

Deno.test("the addresses of a port are those that its listeners take, and those in whose place they may be", () => {
  const { loopback4, other4, loopback6, other6, all } = reachBits;
  const reach = (asked: string, open: Openness, mode: "steal" | "mirror" = "steal") => {
    const listeners = new Listeners();
    listeners.add({
      asked: { address: asked, port },
      actual: { address: asked, port },
      only6: false,
      port,
      open,
    });
    return listeners.reach(port, mode);
  };
  const pod: Openness = { who: "pod" };
  const named: Openness = { who: "cluster", since: "named" };
  const bound: Openness = { who: "cluster", since: "bound" };
  assert.deepEqual(reach("127.0.0.1", pod), { covered: loopback4, standIn: other4 | other6 });
  assert.deepEqual(reach("::1", pod), { covered: loopback6, standIn: other4 | other6 });
  assert.deepEqual(reach("127.0.0.1", named), { covered: loopback4 | other4 | other6, standIn: 0 });
  assert.deepEqual(reach("0.0.0.0", bound), { covered: loopback4 | other4, standIn: loopback6 | other6 });
  assert.deepEqual(reach("::", bound), { covered: all, standIn: 0 });
  assert.deepEqual(reach("10.1.2.3", bound), { covered: other4, standIn: 0 });
  assert.deepEqual(reach("0.0.0.0", bound, "mirror"), { covered: all, standIn: 0 });
});
