// The target's variables: parsed from the kernel's block, merged in the documented order.

import assert from "node:assert/strict";
import { agentPair } from "../../tests/support/fake_agent.ts";
import { SessionError } from "../base/errors.ts";
import { setLogSink } from "../base/log.ts";
import {
  type EnvConfig,
  fetchEnvironment,
  mappingRules,
  mergeEnvironment,
  parseEnvironment,
  selections,
} from "./env.ts";

import { machineVariables } from "./env_default.ts";

const nothing: EnvConfig = { include: [], exclude: [], file: {}, mapping: [], override: {}, unset: [] };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("a block may be cut anywhere", () => {
  const block = bytes("A=1\0LONG=ä=b\0EMPTY=\0");
  for (let cut = 0; cut <= block.length; cut++) {
    const variables = parseEnvironment([block.subarray(0, cut), block.subarray(cut)]);
    assert.deepEqual([...variables], [["A", "1"], ["LONG", "ä=b"], ["EMPTY", ""]]);
  }
});

Deno.test("a last pair without a zero byte still counts, rubbish does not", () => {
  assert.deepEqual([...parseEnvironment([bytes("noequals\0=x\0\0A=1")])], [["A", "1"]]);
});

Deno.test("a value that is no UTF-8 is named, not mangled", () => {
  const lines: string[] = [];
  const before = setLogSink((_level, text) => lines.push(text));
  try {
    const variables = parseEnvironment([new Uint8Array([0x41, 0x3d, 0xff, 0, 0x42, 0x3d, 0x31, 0])]);
    assert.deepEqual([...variables], [["B", "1"]]);
    assert.match(lines.join(), /variable "A"/);
  } finally {
    setLogSink(before);
  }
});

Deno.test("remote beats own, file beats remote, mapping beats file, override beats all, unset is last", () => {
  const own = { HOME: "/here", A: "own", B: "own", C: "own", D: "own", E: "own" };
  const remote = new Map([["A", "remote"], ["B", "remote"], ["C", "remote"], ["D", "remote"], [
    "e",
    "remote",
  ]]);
  const merged = mergeEnvironment(own, remote, {
    ...nothing,
    file: { B: "file", C: "file", D: "file" },
    mapping: mappingRules({ "^([CD])$": "mapped-$1" }),
    override: { D: "override" },
    unset: ["E"],
  });
  assert.deepEqual(merged, { HOME: "/here", A: "remote", B: "file", C: "mapped-C", D: "override" });
});

Deno.test("a mapping's groups are written as the format writes them", () => {
  const mapped = (pattern: string, value: string, name: string) => {
    const [rule] = mappingRules({ [pattern]: value });
    return rule?.matches(name) === true ? rule.value(name) : undefined;
  };
  assert.equal(mapped("(\\w+)_(\\d+)", "$2-${1}", "PORT_80"), "80-PORT");
  assert.equal(mapped("(?i)log_(?P<who>\\w+)", "${who}=$$1", "LOG_API"), "API=$1");
  assert.equal(mapped("^LOG_.+_LEVEL$", "debug", "LOG_DB_LEVEL"), "debug");
  assert.equal(mapped("^LOG", "debug", "XLOG"), undefined);
});

/** What a session with this configuration takes of a pod that sends whatever it has. */
async function taken(
  sent: readonly string[],
  config: Pick<EnvConfig, "include" | "exclude">,
): Promise<string[]> {
  await using pair = await agentPair();
  const fetched = fetchEnvironment(pair.client, config);
  for (const _ of selections(config)) {
    await pair.agent.reply(
      await pair.expect("env"),
      "env",
      bytes(sent.map((name) => `${name}=x\0`).join("")),
    );
  }
  return [...(await fetched).keys()];
}

/** The original's list (v3.250.0). */
const originalExclude = [
  ...["MANPATH", "BUNDLER_VERSION", "BUNDLE_BIN_PATH", "BUNDLE_GEMFILE", "GEM_HOME"],
  ...["PATH", "RB_USER_INSTALL", "RUBYLIB", "RUBYOPT"],
].map((name) => `BUNDLER_ORIG_${name.replace(/^(MANPATH|BUNDLER_VERSION)$/, "BUNDLER_ORIG_$1")}`).concat([
  ...["BUNDLER_ORIG_MANPATH", "BUNDLER_VERSION", "BUNDLE_APP_CONFIG", "BUNDLE_BIN_PATH"],
  ...["BUNDLE_FORCE_RUBY_PLATFORM", "BUNDLE_GEMFILE", "BUNDLE_GEM_PATH", "BUNDLE_PATH", "BUNDLE_WITHOUT"],
  ...["CATALINA_HOME", "CLASSPATH", "DOTNET_EnableDiagnostics", "DOTNET_STARTUP_HOOKS", "GEM_HOME"],
  ...["GEM_PATH", "GOPATH", "GOMODCACHE", "HOME", "HOMEPATH", "JAVA_EXE", "JAVA_HOME", "JAVA_TOOL_OPTIONS"],
  ...["PATH", "PWD", "PYTHONPATH", "RUBYLIB", "RUBYOPT", "MIRRORD_LOG", "RUST_LOG", "_JAVA_OPTIONS"],
]);

for (const name of originalExclude) {
  Deno.test(`${name}, which the original leaves to the machine, stays the machine's own`, async () => {
    assert.deepEqual(await taken([name, "APP"], nothing), ["APP"]);
  });
}

for (const [reason, globs] of Object.entries(machineVariables)) {
  for (const glob of globs) {
    Deno.test(`${glob} (${reason}) stays the machine's own unless named`, async () => {
      const name = glob.replace("*", "SOME");
      assert.deepEqual(await taken([name, "APP"], nothing), ["APP"]);
      assert.deepEqual(await taken([name, "APP"], { include: ["*"], exclude: [] }), ["APP"]);
      assert.deepEqual(await taken([name, "APP"], { include: [name], exclude: [] }), [name]);
    });
  }
}

Deno.test("every name that the original would bring is in docs/differences.md", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/differences.md", import.meta.url));
  const ours = Object.values(machineVariables).flat().filter((glob) => !originalExclude.includes(glob));
  assert.deepEqual(ours.filter((glob) => !text.includes(`\`${glob}\``)), []);
});

Deno.test("what only looks like the machine's travels", async () => {
  const names = [
    ...["ENV", "HOSTNAME", "LANG", "LC_ALL", "TZ", "GODEBUG", "GOMEMLIMIT", "JAVA_OPTS", "PYTHONUNBUFFERED"],
    ...[
      "NODE_ENV",
      "BUNDLE_ID",
      "SSL_CERT_FILE",
      "HTTP_PROXY",
      "KUBERNETES_SERVICE_HOST",
      "MALLOC_ARENA_MAX",
    ],
    ...["path", "HOMEPAGE", "USERNAME", "PS1", "TERMS", "TEMPERATURE"],
  ];
  assert.deepEqual(await taken(names, nothing), names);
});

Deno.test("variables that were not asked for are not taken", async () => {
  const sent = ["A", "LD_PRELOAD", "BASH_ENV", "SECRET"];
  assert.deepEqual(await taken(sent, { include: [], exclude: ["SECRET"] }), ["A"]);
  assert.deepEqual(await taken(sent, { include: ["LD_PRELOAD", "S*"], exclude: ["SECRET"] }), ["LD_PRELOAD"]);
  assert.deepEqual(await taken(sent, { include: ["*", "LD_PRELOAD"], exclude: [] }), [
    "A",
    "SECRET",
    "LD_PRELOAD",
  ]);
});

Deno.test("a refusal of the agent is a sentence with its exit code, as is its end", async () => {
  for (const [errno, exitCode] of [[13, 77], [3, 69]] as const) {
    await using pair = await agentPair();
    const fetched = fetchEnvironment(pair.client, nothing);
    await pair.agent.fail(
      await pair.expect("env"),
      errno,
      "Cannot read the environment of process 1: so it is",
    );
    await assert.rejects(fetched, (error) => {
      assert.ok(error instanceof SessionError);
      assert.match(error.message, /^Cannot read the environment of process 1: so it is$/);
      assert.equal(error.exitCode, exitCode);
      return true;
    });
  }
  await using pair = await agentPair();
  const fetched = fetchEnvironment(pair.client, nothing);
  await pair.expect("env");
  pair.agent.close();
  await assert.rejects(fetched, (error) => error instanceof SessionError && error.exitCode === 74);
});
