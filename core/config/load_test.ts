// The configuration from end to end: files of every format, variables and flags in; Config or sentences out.

import assert from "node:assert/strict";
import { ConfigError } from "../base/errors.ts";
import { type ConfigFlags, loadConfig, type Verdict, verifyConfig } from "./load.ts";

/** Writes `text` as `name` into a directory of its own and verifies it. */
async function verify(
  text: string,
  options: { name?: string; flags?: ConfigFlags; env?: Record<string, string> } = {},
): Promise<Verdict> {
  const directory = await Deno.makeTempDir();
  try {
    const file = `${directory}/${options.name ?? "mirrord.json"}`;
    await Deno.writeTextFile(file, text);
    const verdict = await verifyConfig({
      file,
      flags: options.flags ?? {},
      env: new Map(Object.entries(options.env ?? {})),
    });
    const short = (list: string[]) => list.map((line) => line.replaceAll(`${directory}/`, ""));
    return { ...verdict, errors: short(verdict.errors), warnings: short(verdict.warnings) };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const steal = (network: unknown) =>
  JSON.stringify({ target: "pod/a", feature: { network: { incoming: network } } });

const copies = { skipProtected: ["git"], alwaysCopied: [] };

Deno.test("no file, no variable and no flag give the defaults without a warning", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const verdict = await verifyConfig({ flags: {}, env: new Map(), directory });
    assert.deepEqual(verdict, {
      config: {
        target: { path: undefined, namespace: undefined },
        kube: { kubeconfig: undefined, context: undefined, acceptInvalidCertificates: undefined },
        agent: {
          image: "target",
          imagePullPolicy: "IfNotPresent",
          startupTimeoutSeconds: 60,
          communicationTimeoutSeconds: 30,
          heartbeatTimeoutSeconds: 2,
          lingerSeconds: 10,
          httpDetectionTimeoutSeconds: 2,
          logLevel: "info",
          owner: undefined,
          allowHostNetwork: false,
          pod: null,
        },
        env: {
          mode: "denylist",
          include: [],
          exclude: [],
          override: {},
          mapping: {},
          unset: [],
          envFile: undefined,
        },
        incoming: {
          mode: "off",
          ports: null,
          ignorePorts: [],
          portMapping: [],
          ignoreLocalhost: false,
          listenPorts: [],
          dynamicPorts: false,
          filter: "",
          filterPorts: null,
        },
        outgoing: { tcp: false, udp: false, ignoreLocalhost: false, filter: null },
        dns: { enabled: false, filter: null, hostname: false },
        interfaces: false,
        files: {
          mode: "local",
          readWrite: [],
          readOnly: [],
          local: [],
          notFound: [],
          mapping: [],
          readAhead: 128_000,
          cache: "walk",
          autoMount: true,
        },
        processes: { skip: [], skipBuildTools: true, extraBuildTools: [], ...copies },
        outputFolder: undefined,
        file: undefined,
        project: null,
      },
      errors: [],
      warnings: [],
      help: [],
    });
  } finally {
    await Deno.remove(directory);
  }
});

Deno.test("JSON, YAML and TOML say the same", async () => {
  const json = `{
    // the target, with a comment and a trailing comma
    "target": {"path": "deployment/api/container/web", "namespace": "shop"},
    "feature": {"network": {"incoming": {"mode": "steal", "ports": [80, 8080], "port_mapping": [[3000, 80]],}}, "env": {"exclude": "AWS_*"}},
  }`;
  const yaml = `
target:
  path: deployment/api/container/web
  namespace: shop
feature:
  network:
    incoming: {mode: steal, ports: [80, 8080], port_mapping: [[3000, 80]]}
  env:
    exclude: AWS_*
`;
  const toml = `
[target]
path = "deployment/api/container/web"
namespace = "shop"
[feature.network.incoming]
mode = "steal"
ports = [80, 8080]
port_mapping = [[3000, 80]]
[feature.env]
exclude = "AWS_*"
`;
  const [fromJson, fromYaml, fromToml] = await Promise.all([
    verify(json),
    verify(yaml, { name: "m.yml" }),
    verify(toml, { name: "m.toml" }),
  ]);
  assert.deepEqual(fromJson.errors, []);
  assert.equal(fromJson.config?.target.path, "deployment/api/container/web");
  assert.deepEqual(fromJson.config?.incoming.portMapping, [[3000, 80]]);
  assert.deepEqual(fromJson.config?.env?.exclude, ["AWS_*"]);
  const plain = ({ config }: Verdict) => ({ ...config, file: "" });
  assert.deepEqual(plain(fromYaml), plain(fromJson));
  assert.deepEqual(plain(fromToml), plain(fromJson));
});

Deno.test("a flag beats a variable, a variable beats the file", async () => {
  const text = JSON.stringify({ target: "pod/file", kube_context: "file", agent: { image: "file:1" } });
  const env = {
    MIRRORD_IMPERSONATED_TARGET: "pod/variable",
    MIRRORD_KUBE_CONTEXT: "variable",
    MIRRORD_OVERRIDE_ENV_VARS_INCLUDE: "A;B*",
  };
  const { config, errors } = await verify(text, { env, flags: { target: "pod/flag", namespace: "n" } });
  assert.deepEqual(errors, []);
  assert.deepEqual(config?.target, { path: "pod/flag", namespace: "n" });
  assert.equal(config?.kube.context, "variable");
  assert.equal(config?.agent.image, "file:1");
  assert.deepEqual(config?.env?.include, ["A", "B*"]);
});

Deno.test("--steal changes the mode and keeps the rest of the file", async () => {
  for (const [network, ports] of [[{ ports: [80] }, [80]], ["mirror", null], [false, null]] as const) {
    const { config, errors } = await verify(steal(network), { flags: { steal: true } });
    assert.deepEqual(errors, []);
    assert.equal(config?.incoming.mode, "steal");
    assert.deepEqual(config?.incoming.ports, ports);
  }
  const { config } = await verify('{"feature": {"network": false}}', {
    flags: { steal: true, target: "pod/a" },
  });
  assert.equal(config?.incoming.mode, "steal");
});

Deno.test("incoming traffic is mirrored unless the file says otherwise, and there is a target", async () => {
  const cases: [unknown, string][] = [
    [undefined, "mirror"],
    [true, "mirror"],
    [false, "off"],
    [{ incoming: true }, "mirror"],
    [{ incoming: { ports: [80] } }, "mirror"],
    [{ incoming: "mirror" }, "mirror"],
    [{ incoming: "steal" }, "steal"],
    [{ incoming: { mode: "off" } }, "off"],
    [{ incoming: false }, "off"],
  ];
  for (const [network, mode] of cases) {
    const file = { target: "pod/a", ...(network === undefined ? {} : { feature: { network } }) };
    assert.equal((await verify(JSON.stringify(file))).config?.incoming.mode, mode, JSON.stringify(network));
  }
  assert.equal((await verify("{}")).config?.incoming.mode, "off");
  assert.equal((await verify("{}", { flags: { target: "targetless" } })).config?.incoming.mode, "off");
});

Deno.test("a target given as an object is one path", async () => {
  const target = async (value: unknown) => (await verify(JSON.stringify({ target: value }))).config?.target;
  assert.deepEqual(await target({ deployment: "api", container: "web" }), {
    path: "deployment/api/container/web",
    namespace: undefined,
  });
  assert.deepEqual(await target({ path: { pod: "x" }, namespace: "n" }), { path: "pod/x", namespace: "n" });
  assert.deepEqual(await target({ namespace: "n" }), { path: undefined, namespace: "n" });
});

Deno.test("every mistake is reported at once, with its line", async () => {
  const { config, errors, help } = await verify(`{
  "tagret": "pod/a",
  "agent": {
    "startup_timeout": "soon",
    "image_pull_policy": "Sometimes"
  },
  "feature": {"network": {"incoming": {"mode": "stael", "ports": [80, 0, 70000], "http_fliter": {}}}}
}`);
  assert.equal(config, undefined);
  assert.deepEqual(errors, [
    'Cannot use "tagret" (line 2 of "mirrord.json"): there is no such key',
    'Cannot use "agent.startup_timeout" (line 4 of "mirrord.json"): "soon" is not a number',
    'Cannot use "agent.image_pull_policy" (line 5 of "mirrord.json"): "Sometimes" is not "Always", "IfNotPresent" or "Never"',
    'Cannot use "feature.network.incoming.mode" (line 7 of "mirrord.json"): "stael" is not "off", "steal" or "mirror"',
    'Cannot use "feature.network.incoming.ports[1]" (line 7 of "mirrord.json"): 0 is not a number of at least 1',
    'Cannot use "feature.network.incoming.ports[2]" (line 7 of "mirrord.json"): 70000 is not a number of at most 65535',
    'Cannot use "feature.network.incoming.http_fliter" (line 7 of "mirrord.json"): there is no such key',
  ]);
  const [near, none] = ['Did you mean "target"?', undefined];
  assert.deepEqual(help, [near, none, none, none, none, none, 'Did you mean "http_filter"?']);
});

Deno.test("a value from a variable or a flag is blamed on it", async () => {
  const { errors } = await verify("{}", {
    env: { MIRRORD_AGENT_STARTUP_TIMEOUT: "soon", MIRRORD_AGENT_IMAGE_PULL_POLICY: "x" },
    flags: { agentStartupTimeout: "0" },
  });
  assert.deepEqual(errors, [
    'Cannot use "MIRRORD_AGENT_STARTUP_TIMEOUT": "soon" is not a whole number',
    'Cannot use "agent.image_pull_policy" (from MIRRORD_AGENT_IMAGE_PULL_POLICY): "x" is not "Always", "IfNotPresent" or "Never"',
    'Cannot use "agent.startup_timeout" (from --agent-startup-timeout): 0 is not a number of at least 1',
  ]);
});

Deno.test("a feature that is not there yet is named, one that is off is accepted", async () => {
  const off = await verify(JSON.stringify({
    operator: false,
    telemetry: false,
    use_proxy: true,
    agent: { ephemeral: true, privileged: false },
    feature: { network: { outgoing: { unix_streams: [] }, incoming: "off" }, copy_target: false },
  }));
  assert.deepEqual([off.errors, off.warnings], [[], []]);
  const on = await verify('{\n"feature": {\n"network": {"outgoing": {"unix_streams": "^/run"}}}}', {
    env: { MIRRORD_AGENT_TTL: "5" },
  });
  assert.deepEqual(on.errors, []);
  assert.deepEqual(on.warnings, [
    'Ignoring "feature.network.outgoing.unix_streams" (line 3 of "mirrord.json"): connecting to Unix sockets of the target is not in this release yet, so it stays local',
    `Ignoring "agent.ttl" (from MIRRORD_AGENT_TTL): it has no effect: the agent is always an ephemeral container of the target's pod`,
  ]);
});

Deno.test("what would do harm when ignored is an error", async () => {
  const cases: [unknown, RegExp][] = [
    [{ target: { stateful_set: "db" } }, /"target.stateful_set".*not supported yet/],
    [{ target: { path: { rollout: "x", container: "c" } } }, /"target.path.rollout".*not supported yet/],
    [{ target: { labels: { a: "b" } }, feature: { network: { incoming: "steal" } } }, /"target.labels.a"/],
    [{ operator: true, feature: { split_queues: { q: {} } } }, /"feature.split_queues.q"/],
    [{ operator: true, feature: { copy_target: {} } }, /"feature.copy_target"/],
    [{ operator: true, feature: { preview: { image: "x" } } }, /"feature.preview.image"/],
    [{ operator: true, feature: { db_branches: [{ type: "pg" }] } }, /"feature.db_branches"/],
    [{ feature: { network: { incoming: "steal" } } }, /no target to steal from/],
    [{ target: "targetless", feature: { network: { incoming: "steal" } } }, /no target to steal from/],
    [{ target: { pod: "a", deployment: "b" } }, /not exactly one/],
    [{ feature: { env: { include: "A", exclude: "B" } } }, /cannot both be there/],
    [{ feature: { env: { mapping: { "(": "x" } } } }, /mapping/],
    [{ feature: { env: { mode: "allowlist" } } }, /"include" names, and that names nothing/],
    [{ feature: { env: { mode: "allowlist", exclude: "A" } } }, /names nothing/],
    [{ feature: { env: { mode: "allowlist", include: ["A", "?*"] } } }, /allows every name/],
    [{ feature: { env: { mode: "whitelist", include: ["A"] } } }, /mode/],
  ];
  for (const [value, message] of cases) {
    const { config, errors } = await verify(JSON.stringify(value));
    assert.equal(config, undefined, JSON.stringify(value));
    assert.equal(errors.length, 1, errors.join("\n"));
    assert.match(errors[0] ?? "", message);
  }
});

Deno.test("rules between ports hold", async () => {
  const both = await verify(steal({ mode: "steal", ports: [80], ignore_ports: [81] }));
  assert.match(both.errors.join(), /"ports" and "ignore_ports" cannot both/);
  const twice = await verify(steal({ mode: "steal", port_mapping: [[1, 80], [2, 80], [3, 3]] }));
  assert.match(twice.errors.join(), /the remote port 80 is mapped twice/);
  assert.match(twice.warnings.join(), /maps port 3 to itself/);
});

Deno.test("a filter becomes the text that session and agent compile", async () => {
  const filter = async (value: unknown) =>
    (await verify(steal({ mode: "steal", http_filter: value }))).config?.incoming;
  assert.equal((await filter({ header_filter: "x-user: me" }))?.filter, '{"header":"x-user: me"}');
  assert.deepEqual((await filter({ path_filter: "^/api", ports: [80] }))?.filterPorts, [80]);
  const nested = { all_of: [{ path: "^/a" }, { any_of: [{ method: "GET" }, { not: { header: "b: c" } }] }] };
  assert.deepEqual(JSON.parse((await filter(nested))?.filter ?? ""), nested);
});

Deno.test("a filter that cannot be used is refused before anything is deployed", async () => {
  const cases: [unknown, RegExp][] = [
    [{ header_filter: "(" }, /http_filter" \(line 1/],
    [{ header_filter: "a", path_filter: "b" }, /it contains 2 filters at once \(header, path\)/],
    [{ all_of: [] }, /all_of".*the list is empty/],
    [{ any_of: [{}] }, /any_of\[0\]".*it contains no filter/],
    [{ not: { heade: "x" } }, /not\.heade".*there is no such key/],
    [
      { any_of: [{ path: "/" }, { body: "json", query: "$.a", matches: "b" }] },
      /any_of\[1\]".*not supported yet \(body, query, matches\)/,
    ],
    [{ all_of: [{ not: { query: ".a" } }] }, /all_of\[0\].not.query".*filters on the body/],
    [{ body_filter: { body: "json" } }, /filters on the body are not supported/],
  ];
  for (const [value, message] of cases) {
    const { errors } = await verify(steal({ mode: "steal", http_filter: value }));
    assert.equal(errors.length, 1, errors.join("\n"));
    assert.match(errors.join("\n"), message);
  }
});

Deno.test("the file in .mirrord is found, -f wins over it", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${directory}/.mirrord`);
    await Deno.writeTextFile(`${directory}/.mirrord/mirrord.yaml`, "target: pod/found\n");
    await Deno.writeTextFile(`${directory}/other.json`, '{"target": "pod/asked"}');
    const found = await loadConfig({ flags: {}, env: new Map(), directory });
    assert.equal(found.target.path, "pod/found");
    assert.equal(found.file, `${directory}/.mirrord/mirrord.yaml`);
    const file = `${directory}/other.json`;
    assert.equal((await loadConfig({ file, flags: {}, env: new Map(), directory })).target.path, "pod/asked");
    const env = new Map([["MIRRORD_CONFIG_FILE", file]]);
    assert.equal((await loadConfig({ flags: {}, env, directory })).target.path, "pod/asked");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("loading throws one ConfigError with all sentences and exit code 78", async () => {
  await assert.rejects(
    loadConfig({ flags: { agentStartupTimeout: "x" }, env: new Map([["MIRRORD_TELEMETRY", "maybe"]]) }),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.exitCode, 78);
      assert.match(
        error.message,
        /"MIRRORD_TELEMETRY": "maybe" is not true or false\n.*"--agent-startup-timeout"/,
      );
      return true;
    },
  );
});

Deno.test("a file that cannot be read says why", async () => {
  const cases: [string, string, RegExp][] = [
    ["m.json", '{\n "target": \n}', /no valid JSON in line 3, column 1: } does not/],
    ["m.json", "[]", /no object at its top/],
    [
      "m.json",
      '{"a": [{"b": "c: {"}, {"b": 1}],\n "feature": {"b": 1},\n "feature": {}}',
      /"feature" is there twice, the second time in line 3, column 2/,
    ],
    ["m.yaml", "a: 1\ntarget: [\n", /no valid YAML in line \d, column \d+: /],
    ["m.toml", "a = 1\nb = = 2\n", /no valid TOML in line 2, column 5/],
    ["m.ini", "", /"\.ini" is not a configuration format/],
  ];
  for (const [name, text, message] of cases) {
    await assert.rejects(verify(text, { name }), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, message);
      return true;
    });
  }
  await assert.rejects(
    verifyConfig({ file: "no-such-file.json", flags: {}, env: new Map() }),
    /Cannot read "no-such-file.json": there is no such file/,
  );
});

Deno.test("a variable's value may be written as a number or a truth value", async () => {
  const { config } = await verify("feature: {env: {override: {PORT: 8080, DEBUG: true}}}", {
    name: "m.yaml",
  });
  assert.deepEqual(config?.env?.override, { PORT: "8080", DEBUG: "true" });
});

Deno.test("agent.linger is set by file, variable and flag, 0 is no waiting", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, JSON.stringify({ agent: { linger: 3 } }));
    const lingerOf = async (flag: string | undefined, variables: [string, string][]) =>
      (await loadConfig({ file, flags: { linger: flag }, env: new Map(variables) })).agent.lingerSeconds;
    assert.equal(await lingerOf(undefined, []), 3);
    assert.equal(await lingerOf(undefined, [["MIRRORD_AGENT_LINGER", "4"]]), 4);
    assert.equal(await lingerOf("0", [["MIRRORD_AGENT_LINGER", "4"]]), 0);
    await assert.rejects(lingerOf("soon", []), /Cannot use "--linger": "soon" is not a whole number/);
  } finally {
    await Deno.remove(file);
  }
});
