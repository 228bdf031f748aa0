// Files that upstream accepts are accepted: null and empty texts count as not given, a key that has no effect
// is warned about, and a form that the format allows is a form here.

import assert from "node:assert/strict";
import { type Verdict, verifyConfig } from "./load.ts";
import { mirrordVersion } from "../base/version.ts";
import { releaseImage, sentImage } from "./agent_image.ts";

async function verify(value: unknown, name = "mirrord.json"): Promise<Verdict> {
  const directory = await Deno.makeTempDir();
  try {
    const file = `${directory}/${name}`;
    await Deno.writeTextFile(file, typeof value === "string" ? value : JSON.stringify(value, null, 1));
    const verdict = await verifyConfig({ file, flags: {}, env: new Map() });
    const short = (line: string) => line.replaceAll(/ \(line \d+ of "[^"]*"\)/g, "");
    return { ...verdict, errors: verdict.errors.map(short), warnings: verdict.warnings.map(short) };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const stealing = (http_filter: unknown, rest: Record<string, unknown> = {}) => ({
  target: "pod/a",
  feature: { network: { incoming: { mode: "steal", http_filter, ...rest } } },
});

Deno.test("null counts as not given, at every depth", async () => {
  const plain = await verify({ target: "pod/a" });
  const full = await verify({
    target: { path: "pod/a", namespace: null },
    kubeconfig: null,
    operator: null,
    profile: null,
    experimental: { tcp_ping4_mock: null },
    agent: { image: { registry: null, tag: null }, privileged: null, dns: { timeout: null } },
    feature: {
      env: null,
      copy_target: null,
      magic: { aws: null },
      fs: { mode: null, local: null, mapping: null },
      network: {
        dns: { filter: null },
        incoming: { mode: null, ports: null, http_filter: { path_filter: null, all_of: null } },
      },
    },
  });
  assert.deepEqual([full.errors, full.warnings], [[], []]);
  const config = ({ config }: Verdict) => ({ ...config, file: "" });
  assert.deepEqual(config(full), config(plain));
  const yaml = await verify("target:\n  path: pod/a\n  namespace:\nfeature:\n  env:\n", "m.yaml");
  assert.deepEqual([yaml.errors, config(yaml)], [[], config(plain)]);
  const member = await verify(stealing({ any_of: [{ path: "/a", body: null, method: null }] }));
  assert.deepEqual([member.errors, member.config?.incoming.filter], [[], '{"any_of":[{"path":"/a"}]}']);
});

Deno.test("null is refused in a list, as a value of the user's own table, and under a misspelt key", async () => {
  const { errors } = await verify({
    tagret: null,
    feature: { env: { override: { A: null } }, network: { incoming: { ports: [80, null] } } },
  });
  assert.deepEqual(errors, [
    'Cannot use "tagret": there is no such key',
    'Cannot use "feature.env.override.A": null is not a text, a number or true or false',
    'Cannot use "feature.network.incoming.ports[1]": null is not a number',
  ]);
});

Deno.test("an empty text that may be left out counts as not given, and is warned about", async () => {
  const { config, errors, warnings } = await verify({
    target: { path: "pod/a", namespace: "" },
    kube_context: "",
    skip_processes: "",
    agent: { image: "", image_pull_policy: "" },
  });
  const plain = await verify({ target: "pod/a" });
  assert.deepEqual([errors, { ...config, file: "" }], [[], { ...plain.config, file: "" }]);
  assert.equal(warnings.length, 5);
  for (const line of warnings) {
    assert.match(line, /^Ignoring "[\w.]+": it is empty, so it counts as not/);
  }
  const filter = await verify(stealing({ path_filter: "" }));
  assert.match(filter.errors.join(), /path_filter": "" is not a text of at least one character/);
});

Deno.test("a key about the agent that has no effect is warned about by its name", async () => {
  const { errors, warnings } = await verify({
    target: { path: "pod/a", namespace: "shop" },
    operator: true,
    multi_cluster: true,
    experimental: { latency: { receive_delay: 1 } },
    internal_proxy: { idle_timeout: 1, json_log: true },
    agent: {
      namespace: "mirrord",
      privileged: true,
      resources: { limits: { cpu: "1" } },
      security_context: { seccomp_profile: { type: "Unconfined" } },
      disabled_capabilities: ["NET_ADMIN"],
    },
  });
  assert.deepEqual(errors, []);
  const keys = warnings.map((line) => /^Ignoring "([^"]+)": it has no effect: ./.exec(line)?.[1]);
  assert.deepEqual(keys, [
    "operator",
    "multi_cluster",
    "experimental.latency.receive_delay",
    "internal_proxy",
    "agent.namespace",
    "agent.privileged",
    "agent.resources.limits.cpu",
    "agent.security_context.seccomp_profile.type",
    "agent.disabled_capabilities",
  ]);
  assert.match(warnings.join(), /\(idle_timeout, json_log\)/);
  const same = await verify({ target: { path: "pod/a", namespace: "shop" }, agent: { namespace: "shop" } });
  assert.deepEqual(same.warnings, []);
});

Deno.test("incoming.listen_ports, incoming.dynamic_ports and agent.allow_host_network are kept as written", async () => {
  const { config, errors, warnings } = await verify({
    target: "pod/a",
    agent: { allow_host_network: true },
    feature: { network: { incoming: { mode: "steal", listen_ports: [[80, 8080]], dynamic_ports: true } } },
  });
  assert.deepEqual([errors, warnings], [[], []]);
  assert.deepEqual(config?.incoming.listenPorts, [[80, 8080]]);
  assert.deepEqual([config?.incoming.dynamicPorts, config?.agent.allowHostNetwork], [true, true]);
  const twice = await verify(stealing(false, { listen_ports: [[80, 8080], [80, 8081], [9, 9]] }));
  assert.match(twice.errors.join(), /listen_ports\[1\]": the asked port 80 is mapped twice/);
  assert.match(twice.warnings.join(), /listen_ports\[2\]": it maps port 9 to itself/);
});

Deno.test("http_filter may be a switch, and its ports one number", async () => {
  const one = await verify(stealing({ path_filter: "/a", ports: 80 }));
  assert.deepEqual(one.config?.incoming.filterPorts, [80]);
  const off = await verify(stealing(false));
  assert.deepEqual([off.errors, off.warnings, off.config?.incoming.filter], [[], [], ""]);
  const on = await verify(stealing(true));
  assert.match(on.warnings.join(), /http_filter": it names no filter, so nothing is filtered/);
  const ports = await verify(stealing({ ports: 80 }));
  assert.match(ports.warnings.join(), /http_filter.ports": it has no effect: there is no filter/);
  assert.deepEqual([...on.errors, ...ports.errors], []);
});

Deno.test("TLS is delivered as it comes: asking for that is taken, asking for plain text is refused", async () => {
  for (const key of ["tls_delivery", "https_delivery"]) {
    const tls = await verify(stealing(false, { [key]: { protocol: "tls" } }));
    assert.deepEqual([tls.errors, tls.warnings], [[], []]);
    const named = await verify(stealing(false, { [key]: { protocol: "tls", server_name: "x" } }));
    assert.match(named.warnings.join(), new RegExp(`${key}.server_name": it has no effect`));
    const plain = await verify(stealing(false, { [key]: { protocol: "tcp" } }));
    assert.match(plain.errors.join(), new RegExp(`${key}.protocol": stealing TLS is not supported yet`));
  }
});

Deno.test("a file of mirrord up is recognised", async () => {
  const text = "common: {accept_invalid_certificates: true}\nservices:\n  shop: {run: {command: [npm]}}\n";
  await assert.rejects(
    verify(text, "mirrord-up.yaml"),
    /it is a file for "mirrord up" \(1 servi/,
  );
  await assert.rejects(verify("services:\n", "up.yaml"), /it is a file for "mirrord up"/);
});

Deno.test("upstream's agent image does not count, any other does", async () => {
  const image = async (value: unknown) => await verify({ target: "pod/a", agent: { image: value } });
  for (
    const one of ["example.com/metalbear-co/mirrord:3.1", { registry: "metalbear-co/mirrord", tag: "1" }]
  ) {
    const { config, errors, warnings } = await image(one);
    assert.deepEqual([errors, config?.agent.image], [[], sentImage]);
    assert.match(
      warnings.join(),
      /"agent.image": it has no effect: upstream's agent cannot serve this program, its own is sent/,
    );
  }
  const own = await image("example.com/metalbear-co/mirrord-agent:1");
  assert.deepEqual([own.warnings, own.config?.agent.image], [[], "example.com/metalbear-co/mirrord-agent:1"]);
});

Deno.test("names in one text may be separated by semicolons, as in upstream's files", async () => {
  const env = async (given: unknown) =>
    (await verify({ target: "pod/a", feature: { env: given } })).config?.env;
  assert.deepEqual((await env({ exclude: "AWS_*;*_PASSWORD" }))?.exclude, ["AWS_*", "*_PASSWORD"]);
  assert.deepEqual((await env({ include: ["A;B;", "C?"] }))?.include, ["A", "B", "C?"]);
  assert.deepEqual((await env({ unset: "A;B" }))?.unset, ["A", "B"]);
  const { config } = await verify({ skip_processes: "a;b", skip_extra_build_tools: ["c;d"] });
  assert.deepEqual(config?.processes, {
    skip: ["a", "b"],
    skipBuildTools: true,
    extraBuildTools: ["c", "d"],
    skipProtected: ["git"],
    alwaysCopied: [],
  });
});

Deno.test("an include that names nothing brings nothing, an empty exclude keeps nothing out", async () => {
  for (const include of [[], ";"]) {
    const { config, warnings } = await verify({ feature: { env: { include } } });
    assert.deepEqual([config?.env?.include, config?.env?.exclude], [[], ["*"]]);
    assert.match(
      warnings.join(),
      /"feature.env.include": the list is empty, so none of the target's variables/,
    );
  }
  const { config } = await verify({ feature: { env: { include: null, exclude: [] } } });
  assert.deepEqual([config?.env?.include, config?.env?.exclude], [[], []]);
});

Deno.test("an image that is not named is the target's, or this release's where there is no target", async () => {
  const image = async (target: string, agent: unknown) =>
    (await verify({ target, agent })).config?.agent.image;
  for (const none of [{}, { image: {} }, { image: null }, { image: "" }]) {
    assert.equal(await image("pod/a", none), sentImage, JSON.stringify(none));
    assert.equal(await image("targetless", none), releaseImage, JSON.stringify(none));
  }
  assert.equal(await image("pod/a", { image: { tag: "7" } }), releaseImage.replace(/:[^:]*$/, ":7"));
  assert.equal(await image("pod/a", { image: { registry: "r/a" } }), `r/a:${mirrordVersion}`);
});

Deno.test("a log level of upstream counts as the nearest, with a warning", async () => {
  const level = async (log_level: string) => await verify({ target: "pod/a", agent: { log_level } });
  const warn = await level("warn");
  assert.deepEqual([warn.config?.agent.logLevel, warn.warnings], ["warning", []]);
  const trace = await level("mirrord=trace");
  assert.equal(trace.config?.agent.logLevel, "debug");
  assert.match(trace.warnings.join(), /"agent.log_level": "mirrord=trace" is none of .*: "debug" counts$/);
});
