// The sections of the floors: shorthand, defaults, flags and variables, and what is wrong with a pattern or a
// rule.

import assert from "node:assert/strict";
import { compileRules } from "../../protocol-wasm/mod.ts";
import type { Config } from "./config.ts";
import { type ConfigFlags, type Verdict, verifyConfig } from "./load.ts";

/** Verifies `feature` (and `root` beside it) of a configuration with a target. */
async function verify(
  feature: unknown,
  options: { root?: Record<string, unknown>; flags?: ConfigFlags; env?: Record<string, string> } = {},
): Promise<Verdict> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, JSON.stringify({ target: "pod/a", ...options.root, feature }));
    const env = new Map(Object.entries(options.env ?? {}));
    const verdict = await verifyConfig({ file, flags: options.flags ?? {}, env });
    const short = (list: string[]) => list.map((line) => line.replace(` (line 1 of "${file}")`, ""));
    return { ...verdict, errors: short(verdict.errors), warnings: short(verdict.warnings) };
  } finally {
    await Deno.remove(file);
  }
}

/** The configuration of what must be right. */
async function configOf(...given: Parameters<typeof verify>): Promise<Config> {
  const { config, errors, warnings } = await verify(...given);
  assert.deepEqual([errors, warnings], [[], []]);
  assert.ok(config !== undefined);
  return config;
}

Deno.test("with a target every floor is on as in upstream", async () => {
  const { files, outgoing, dns, processes } = await configOf({});
  assert.deepEqual({ files, outgoing, dns, processes }, {
    files: {
      mode: "read",
      readWrite: [],
      readOnly: [],
      local: [],
      notFound: [],
      mapping: [],
      readAhead: 128_000,
      cache: "walk",
      autoMount: true,
    },
    outgoing: { tcp: true, udp: true, ignoreLocalhost: false, filter: null },
    dns: { enabled: true, filter: null, hostname: true },
    processes: {
      skip: [],
      skipBuildTools: true,
      extraBuildTools: [],
      skipProtected: ["git"],
      alwaysCopied: [],
    },
  });
});

Deno.test("without a target and a cluster every floor is off, whatever the file asks; with a cluster files are", async () => {
  for (const [target, on] of [[undefined, false], ["targetless", true]] as const) {
    const feature = { fs: "write", network: { outgoing: true, dns: true }, hostname: true };
    const { files, outgoing, dns } = await configOf(feature, { root: { target } });
    assert.equal(files.mode, "local");
    assert.deepEqual([outgoing.tcp, outgoing.udp, dns.enabled, dns.hostname], [on, on, on, on]);
  }
});

Deno.test("files may be a mode, a switch or an object", async () => {
  const mode = async (fs: unknown) => (await configOf({ fs })).files.mode;
  assert.equal(await mode(true), "read");
  assert.equal(await mode(false), "local");
  for (const one of ["local", "localwithoverrides", "read", "write"]) {
    assert.equal(await mode(one), one);
    assert.equal(await mode({ mode: one }), one);
  }
  assert.equal(await mode("local-with-overrides"), "localwithoverrides");
  assert.equal(await mode({ local: "^/x" }), "read");
});

Deno.test("files have patterns, a mapping in the file's order and a buffer", async () => {
  const { files } = await configOf({
    fs: {
      mode: "write",
      read_write: "^/srv/out",
      read_only: ["^/srv", "^/data"],
      local: ["\\.log$"],
      not_found: ["/\\.cache/"],
      mapping: { "^/z/(.*)": "/a/$1", "^/a": "/b" },
      readonly_file_buffer: 0,
    },
  });
  assert.deepEqual(files, {
    mode: "write",
    readWrite: ["^/srv/out"],
    readOnly: ["^/srv", "^/data"],
    local: ["\\.log$"],
    notFound: ["/\\.cache/"],
    mapping: [["^/z/(.*)", "/a/$1"], ["^/a", "/b"]],
    readAhead: 0,
    cache: "walk",
    autoMount: true,
  });
});

Deno.test("a read-ahead over 1 MiB is warned about, over 15 MiB refused", async () => {
  const large = await verify({ fs: { readonly_file_buffer: (1 << 20) + 1 } });
  assert.match(large.warnings.join(), /"feature.fs.readonly_file_buffer": 1048577 bytes ahead/);
  assert.equal(large.config?.files.readAhead, (1 << 20) + 1);
  assert.deepEqual((await verify({ fs: { readonly_file_buffer: 1 << 20 } })).warnings, []);
  assert.deepEqual((await verify({ fs: { readonly_file_buffer: 15 << 20 } })).errors, []);
  const huge = await verify({ fs: { readonly_file_buffer: (15 << 20) + 1 } });
  assert.deepEqual(huge.errors, [
    'Cannot use "feature.fs.readonly_file_buffer": 15728641 is not a number of at most 15728640',
  ]);
});

Deno.test("outgoing and dns may be switches or objects, network switches all", async () => {
  const { outgoing, dns } = await configOf({ network: { outgoing: { udp: false }, dns: false } });
  assert.deepEqual([outgoing.tcp, outgoing.udp, dns.enabled], [true, false, false]);
  const off = await configOf({ network: false });
  assert.deepEqual([off.outgoing.tcp, off.outgoing.udp, off.dns.enabled], [false, false, false]);
  assert.equal(off.dns.hostname, true);
  assert.equal((await configOf({ hostname: false })).dns.hostname, false);
  const local = await configOf({ network: { outgoing: { ignore_localhost: true } } });
  assert.equal(local.outgoing.ignoreLocalhost, true);
});

Deno.test("filters count one way", async () => {
  const filter = { remote: ["tcp://10.0.0.0/8:5432", "[::1]:53", "udp://:53"] };
  const { outgoing } = await configOf({ network: { outgoing: { filter }, dns: { filter: {} } } });
  assert.deepEqual(outgoing.filter, { side: "remote", rules: filter.remote });
  const { errors } = await verify({ network: { dns: { filter: { remote: ["a"], local: ["b"] } } } });
  assert.deepEqual(errors, [
    'Cannot use "feature.network.dns.filter.local": "remote" and "local" cannot both be there',
  ]);
});

Deno.test("flags and variables change one switch each", async () => {
  const feature = { fs: { mode: "write", local: "^/x" }, network: { outgoing: true, dns: true } };
  const flags = {
    fsMode: "local-with-overrides",
    remoteDns: false,
    udpOutgoing: false,
    skipProcesses: "a;b",
  };
  const config = await configOf(feature, { flags });
  assert.deepEqual([config.files.mode, config.files.local], ["localwithoverrides", ["^/x"]]);
  assert.deepEqual([config.outgoing.tcp, config.outgoing.udp, config.dns.enabled], [true, false, false]);
  assert.deepEqual(config.processes.skip, ["a", "b"]);
  const env = {
    MIRRORD_FILE_MODE: "write",
    MIRRORD_FILE_READ_ONLY_PATTERN: "^/a;^/b",
    MIRRORD_REMOTE_DNS: "false",
    MIRRORD_TCP_OUTGOING: "0",
    MIRRORD_OUTGOING_IGNORE_LOCALHOST: "true",
    MIRRORD_SKIP_BUILD_TOOLS: "false",
    MIRRORD_SKIP_EXTRA_BUILD_TOOLS: "zig",
    MIRRORD_AGENT_IMAGE_TAG: "5",
  };
  const varied = await configOf({ fs: "read" }, { env, root: { agent: { image: "r.io/agent:4" } } });
  assert.deepEqual([varied.files.mode, varied.files.readOnly], ["write", ["^/a", "^/b"]]);
  assert.deepEqual([varied.dns.enabled, varied.outgoing.tcp, varied.outgoing.udp], [false, false, true]);
  assert.equal(varied.outgoing.ignoreLocalhost, true);
  assert.deepEqual(varied.processes, {
    skip: [],
    skipBuildTools: false,
    extraBuildTools: ["zig"],
    skipProtected: ["git"],
    alwaysCopied: [],
  });
  assert.equal(varied.agent.image, "r.io/agent:5");
  assert.equal((await configOf({}, { env: { MIRRORD_FILE_OPS: "true" } })).files.mode, "write");
  assert.equal((await configOf({}, { env: { MIRRORD_FILE_RO_OPS: "false" } })).files.mode, "local");
});

Deno.test("a pattern that cannot be used is one error with its key and place", async () => {
  const cases: [unknown, string][] = [
    [{ fs: { read_write: ["^/ok", "^/a(b"] } }, 'feature.fs.read_write[1]": it is no regular expression: '],
    [{ fs: { local: "[z-a]" } }, 'feature.fs.local": it is no regular expression: '],
    [{ fs: { mapping: { "(?P<x>a)\\1": "/b" } } }, "feature.fs.mapping."],
    [
      { network: { outgoing: { filter: { local: ["10.0.0.0/40"] } } } },
      'outgoing.filter.local[0]": "10.0.0.0/40": a prefix',
    ],
    [
      { network: { dns: { filter: { remote: "sctp://a" } } } },
      'dns.filter.remote": "sctp://a": unknown protocol',
    ],
  ];
  for (const [feature, expected] of cases) {
    const { errors } = await verify(feature);
    assert.equal(errors.length, 1, JSON.stringify(errors));
    assert.ok(errors[0]?.includes(expected), errors[0]);
    if (expected.includes("regular expression")) assert.match(errors[0] ?? "", /, at character \d+$/);
  }
});

Deno.test("names of the outgoing filter are looked up on the way they are connected", async () => {
  const dnsOf = async (outgoing: unknown, dns: unknown) =>
    (await configOf({ network: { outgoing: { filter: outgoing }, dns } })).dns.filter;
  assert.deepEqual(
    await dnsOf({ remote: ["tcp://db.svc:5432", "10.0.0.0/8"] }, { filter: { remote: "a.svc" } }),
    {
      side: "remote",
      rules: ["a.svc", "db.svc"],
    },
  );
  assert.deepEqual(await dnsOf({ local: ["dev.box", "dev.box:80", "[fd00::1]:80", ":22", "*"] }, true), {
    side: "local",
    rules: ["dev.box"],
  });
  // With every name looked up by the target, a filter made of one would take the others away from it.
  assert.equal(await dnsOf({ remote: ["db.svc"] }, true), null);
  assert.equal(await dnsOf({ local: ["127.0.0.1:80"] }, true), null);
  assert.deepEqual(await dnsOf({ local: ["dev.box"] }, { filter: { remote: ["db.svc"] } }), {
    side: "remote",
    rules: ["db.svc"],
  });
});

Deno.test("a name that is looked up on one way and connected on the other is warned about", async () => {
  const warnings = async (outgoing: unknown, dns: unknown) =>
    (await verify({ network: { outgoing: { filter: outgoing }, dns: { filter: dns } } })).warnings;
  assert.deepEqual(await warnings({ remote: ["db.svc:5432"] }, { local: ["*.svc"] }), [
    'Check "feature.network.dns.filter.local": "db.svc" is looked up locally, but outgoing.filter connects to it from the target',
  ]);
  assert.deepEqual(await warnings({ local: ["db.svc"] }, { remote: ["db.svc"] }), [
    'Check "feature.network.dns.filter.remote": "db.svc" is looked up by the target, but outgoing.filter connects to it locally',
  ]);
});

Deno.test("a dns filter that names nothing for the target leaves every name here; an outgoing one is none", async () => {
  const empty = await verify({
    network: { dns: { filter: { remote: [] } }, outgoing: { filter: { remote: [] } } },
  });
  assert.deepEqual(empty.errors, []);
  assert.deepEqual(empty.config?.dns.filter, { side: "remote", rules: [] });
  assert.equal(empty.config?.outgoing.filter, null);
  assert.match(
    empty.warnings.join(),
    /^Check "feature.network.dns.filter.remote": the list is empty/,
  );
  using rules = compileRules([]);
  assert.equal(rules.matches({ host: "db", port: 0, protocol: "udp" }), false);
  assert.equal((await configOf({ network: { dns: { filter: { local: [] } } } })).dns.filter, null);
});
