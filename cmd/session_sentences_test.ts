// The lines about events of the session, where they depend on more than one fact.

import assert from "node:assert/strict";
import type { SessionEvent } from "../core/session/events.ts";
import { sentenceOf } from "./session_sentences.ts";

type Subscribed = Extract<SessionEvent, { type: "subscribed" }>;

function subscribed(change: Partial<Subscribed>): string {
  const said = sentenceOf({
    type: "subscribed",
    port: 8080,
    mode: "steal",
    opened: "bound",
    filtered: false,
    sparedProbes: [],
    declaredPorts: [],
    isNews: true,
    ...change,
  });
  return `${said?.level} ${said?.text}`;
}

Deno.test("the line about a port tells from where it is reached", () => {
  assert.equal(subscribed({}), "info Stealing port 8080: open to the cluster");
  assert.equal(
    subscribed({ opened: "declared", sparedProbes: ["http", "grpc"] }),
    "info Stealing port 8080 (not the kubelet's HTTP and gRPC probes): open to the cluster, as the pod declares this port",
  );
  assert.match(subscribed({ opened: "named" }), /open to the cluster, as the configuration names this port$/);
  assert.match(subscribed({ opened: "served" }), /open to the cluster, as the target listens on this port$/);
  assert.match(
    subscribed({ opened: "loopback", isNews: false }),
    /^debug Stealing port 8080: only inside the pod, as the app listens on loopback/,
  );
  assert.equal(
    subscribed({ mode: "mirror", filtered: true, declaredPorts: [80] }),
    "info Mirroring port 8080 (requests that match the filter): open to the cluster. The pod declares no port 8080, only 80: " +
      'if nothing comes, map it: "port_mapping": [[8080, 80]]',
  );
});

Deno.test("the line about a port that stays here tells why", () => {
  const kept = (reason: "debugger" | "undeclared", name: string | null = null) =>
    sentenceOf({ type: "keptLocal", port: 9229, reason, debugger: name, isNews: true })?.text;
  assert.equal(
    kept("debugger", "node"),
    "Port 9229 stays on this machine: it is the port of a debugger (node)",
  );
  assert.match(kept("undeclared") ?? "", /^Port 9229 stays on this machine: the pod uses its node's network/);
});

Deno.test("a refusal that names the port already is not put into another sentence", () => {
  const line = (reason: string) =>
    sentenceOf({ type: "subscriptionFailed", port: 80, mode: "steal", reason })?.text;
  assert.equal(line("no rights"), "Cannot steal port 80: no rights");
  assert.equal(line("Cannot steal port 80: ana has it"), "Cannot steal port 80: ana has it");
});

Deno.test("a silence has a line at its beginning and one at its end", () => {
  assert.equal(
    sentenceOf({ type: "silent", ports: [80, 443] })?.text,
    "The link between agent and session is silent: the target answers new connections of the ports 80, 443 until it works again",
  );
  const over = { type: "heardAgain", milliseconds: 7040 } as const;
  const again = "The link between agent and session works again after 7.0 s:";
  assert.equal(
    sentenceOf({ ...over, ports: [80], connections: 1 })?.text,
    `${again} port 80 is stolen again; the target answered 1 connection meanwhile`,
  );
  assert.equal(
    sentenceOf({ ...over, ports: [80, 443], connections: null })?.text,
    `${again} the ports 80, 443 are stolen again`,
  );
});

Deno.test("of many variables a few are named, and long names are cut", () => {
  const names = [`LD_${"x".repeat(900)}`, ...Array.from({ length: 20 }, (_, at) => `npm_config_x${10 + at}`)];
  assert.match(
    sentenceOf({ type: "variablesLeft", names })?.text ?? "",
    /^Left out of the target's variables.*: LD_x{61}…, npm_config_x10, .*npm_config_x20 and 9 more \(docs/,
  );
});
