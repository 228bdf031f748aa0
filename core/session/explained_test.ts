// Explanations without a session: each kind of question, by each kind of rule.

import assert from "node:assert/strict";
import { type Config, loadConfig } from "../config/load.ts";
import type { Target } from "../target/target.ts";
import { explainHost, explainPath, explainPort } from "./explained.ts";
import { filesRules } from "./files_rules.ts";
import { incomingRules } from "./incoming_rules.ts";

const target: Target = { kind: "targetless", path: "targetless", label: "none", [Symbol.dispose]() {} };

async function configOf(feature: unknown): Promise<Config> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, JSON.stringify({ target: "pod/a", feature }));
    return await loadConfig({ file, flags: {}, env: new Map() });
  } finally {
    await Deno.remove(file);
  }
}

const short = (list: { whose: string; why: string }[]): string[] =>
  list.map(({ whose, why }) => `${whose.replace(/ .*|'s$/, "")}: ${why}`);

Deno.test("a path is explained by the rule that decides, to read and to change", async () => {
  const config = await configOf({ fs: { mode: "read", read_write: ["^/data/rw"], not_found: ["^/gone"] } });
  const rules = filesRules(config, target, { program: "", emit() {} });
  const explain = (path: string) => short(explainPath(path, rules));
  const mode = 'feature.fs.mode "read"';
  assert.deepEqual(explain("/data/x"), [`the: ${mode}`, `this: ${mode}`]);
  const written = 'the: feature.fs.read_write "^/data/rw"';
  assert.deepEqual(explain("/data/rw/y"), [written, written]);
  assert.deepEqual(explain("/gone/z")[0], 'nobody: feature.fs.not_found "^/gone"');
  assert.match(explain("/usr/bin/x")[0] ?? "", /^this: the built-in list/);
  const local = await configOf({ fs: "local" });
  assert.deepEqual(short(explainPath("/data/x", filesRules(local, target, { program: "", emit() {} }))), [
    'this: feature.fs.mode "local"',
  ]);
});

Deno.test("a host is explained by name and by connection", async () => {
  const config = await configOf({
    network: {
      dns: { filter: { remote: ["db", "*.svc"] } },
      outgoing: { udp: false, filter: { local: ["tcp://db:5432", "10.0.0.0/8"] } },
    },
  });
  assert.deepEqual(short(explainHost("db", 5432, config)), [
    'the: feature.network.dns.filter.remote "db"',
    'this: feature.network.outgoing.filter.local "tcp://db:5432"',
    "this: feature.network.outgoing.udp is off",
  ]);
  assert.deepEqual(short(explainHost("example.com", null, config)), [
    "this: no rule of feature.network.dns.filter.remote matches",
  ]);
  assert.match(
    short(explainHost("api", 80, config))[1] ?? "",
    /^the: no rule .*; rules over addresses count/,
  );
  assert.equal(
    short(explainHost("10.1.2.3", 80, config))[0],
    'this: feature.network.outgoing.filter.local "10.0.0.0/8"',
  );
  assert.match(
    short(explainHost("fe80::1", 80, config))[0] ?? "",
    /^this: multicast, broadcast and link-local/,
  );
  assert.match(
    short(explainHost("::1", 80, config))[0] ?? "",
    /^the: .*, unless this machine serves the port/,
  );
  const off = await configOf({ network: { dns: false } });
  assert.deepEqual(short(explainHost("db", null, off)), ["this: feature.network.dns is off"]);
});

Deno.test("a port is explained by mapping, lists and where the app listens", async () => {
  const network = { incoming: { mode: "steal", port_mapping: [[3000, 80]], ignore_ports: [9000] } };
  const rules = incomingRules(await configOf({ network }), target);
  const mapped =
    "the: the pod's port 80 is stolen from the cluster, by feature.network.incoming.port_mapping";
  assert.deepEqual(short(explainPort(3000, rules)), [mapped, mapped]);
  assert.match(short(explainPort(8080, rules))[1] ?? "", /port 8080 is stolen from inside the pod alone/);
  assert.deepEqual(short(explainPort(9000, rules)), ["this: feature.network.incoming.ignore_ports"]);
  const only = incomingRules(await configOf({ network: { incoming: { ports: [80] } } }), target);
  assert.deepEqual(short(explainPort(81, only)), ["this: feature.network.incoming.ports does not name 81"]);
  assert.deepEqual(short(explainPort(80, null)), ['this: feature.network.incoming "off"']);
});
