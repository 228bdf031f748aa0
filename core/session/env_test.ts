// The target's variables: parsed from the kernel's block, merged in the documented order.

import assert from "node:assert/strict";
import { agentPair } from "../../tests/support/fake_agent.ts";
import { SessionError } from "../base/errors.ts";
import { setLogSink } from "../base/log.ts";
import type { SessionEvent } from "./events.ts";
import { osBytes } from "../base/os_text.ts";
import {
  type EnvRules,
  type Fetched,
  fetchEnvironment,
  mappingRules,
  mergeEnvironment,
  parseEnvironment,
  sayLeft,
  selections,
} from "./env.ts";

import { defaultNames, machineVariables } from "./env_default.ts";
import { variablesPage } from "./env_page.ts";

const nothing: EnvRules = { include: [], exclude: [], file: {}, mapping: [], override: {}, unset: [] };
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

Deno.test("names and values that are not UTF-8 stay what they are", () => {
  const pairs = [[0x41, 0x3d, 0xff], [0x42, 0xe9, 0x3d, 0x31]];
  const variables = [...parseEnvironment([Uint8Array.from(pairs.flatMap((pair) => [...pair, 0]))])];
  assert.deepEqual(variables.map((pair) => [...osBytes(pair.join("="))]), pairs);
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

/**
 * What a session with this configuration takes of a pod that sends whatever it has, and what it leaves there.
 */
async function fetched(
  sent: readonly (readonly [name: string, value: string])[],
  config: Pick<EnvRules, "include" | "exclude">,
): Promise<{ taken: string[]; left: string[] }> {
  await using pair = await agentPair();
  const fetching = fetchEnvironment(pair.client, config);
  await pair.agent.reply(
    await pair.expect("envNames"),
    "envNames",
    bytes(sent.map(([name]) => `${name}\0`).join("")),
  );
  for (const _ of selections(config)) {
    await pair.agent.reply(
      await pair.expect("env"),
      "env",
      bytes(sent.map((one) => `${one.join("=")}\0`).join("")),
    );
  }
  const { variables, left } = await fetching;
  return { taken: [...variables.keys()], left: left.map(({ name }) => name) };
}

async function taken(
  sent: readonly string[],
  config: Pick<EnvRules, "include" | "exclude">,
): Promise<string[]> {
  return (await fetched(sent.map((name) => [name, "x y/$z.z"]), config)).taken;
}

Deno.test("variables that no process can have are not taken", async () => {
  for (
    const [value, what] of [["x".repeat(131_072), "a variable"], [
      "x\0".repeat(5 << 20),
      "bytes of variables",
    ]]
  ) {
    await using pair = await agentPair();
    const fetched = fetchEnvironment(pair.client, nothing);
    await pair.expect("envNames");
    const frame = await pair.expect("env");
    const sent = bytes(`A=${value}\0`);
    const parts = Math.ceil(sent.length / 65_536);
    for (let part = 0; part < parts; part++) {
      const body = sent.subarray(part * 65_536, (part + 1) * 65_536);
      await pair.agent.send("env", frame.id, body, part === parts - 1 ? 1 : 0);
    }
    await assert.rejects(fetched, (error: SessionError) => {
      assert.equal(error.exitCode, 74);
      assert.match(error.message, new RegExp(`Cannot take the target's variables: .*${what}`));
      return true;
    });
  }
});

/** Upstream's list (v3.250.0). */
const upstreamExclude = [
  ...["MANPATH", "BUNDLER_VERSION", "BUNDLE_BIN_PATH", "BUNDLE_GEMFILE", "GEM_HOME"],
  ...["PATH", "RB_USER_INSTALL", "RUBYLIB", "RUBYOPT"],
].map((name) => `BUNDLER_ORIG_${name.replace(/^(MANPATH|BUNDLER_VERSION)$/, "BUNDLER_ORIG_$1")}`).concat([
  ...["BUNDLER_ORIG_MANPATH", "BUNDLER_VERSION", "BUNDLE_APP_CONFIG", "BUNDLE_BIN_PATH"],
  ...["BUNDLE_FORCE_RUBY_PLATFORM", "BUNDLE_GEMFILE", "BUNDLE_GEM_PATH", "BUNDLE_PATH", "BUNDLE_WITHOUT"],
  ...["CATALINA_HOME", "CLASSPATH", "DOTNET_EnableDiagnostics", "DOTNET_STARTUP_HOOKS", "GEM_HOME"],
  ...["GEM_PATH", "GOPATH", "GOMODCACHE", "HOME", "HOMEPATH", "JAVA_EXE", "JAVA_HOME", "JAVA_TOOL_OPTIONS"],
  ...["PATH", "PWD", "PYTHONPATH", "RUBYLIB", "RUBYOPT", "MIRRORD_LOG", "RUST_LOG", "_JAVA_OPTIONS"],
]);

Deno.test("what upstream leaves to the machine stays the machine's own", async () => {
  assert.deepEqual(await taken([...upstreamExclude, "APP"], nothing), ["APP"]);
});

for (const { about, names, anyCase } of machineVariables) {
  Deno.test(`${about}: each name stays the machine's own unless named`, async () => {
    const globs = names.trim().split(/\s+/).map((glob) => glob.replaceAll("*", "SOME"));
    const mixed = (name: string) =>
      [...name].map((one, at) => at % 2 === 0 ? one.toLowerCase() : one.toUpperCase());
    const all = anyCase === true
      ? globs.flatMap((name) => [name, name.toUpperCase(), mixed(name).join("")])
      : globs;
    const { taken, left } = await fetched([...all, "APP"].map((name) => [name, "$(x) /y.z"]), nothing);
    assert.deepEqual(taken, ["APP"]);
    assert.deepEqual(left.sort(), [...new Set(all)].sort());
    const everything = { include: ["*"], exclude: [] };
    assert.deepEqual((await fetched(all.map((name) => [name, "$(x) /y.z"]), everything)).taken, []);
    const named = { include: all, exclude: [] };
    const given = await fetched(all.map((name) => [name, "$(x) /y.z"]), named);
    assert.deepEqual([given.taken.sort(), given.left], [[...new Set(all)].sort(), []]);
  });
}

Deno.test("a value that runs nothing is taken, another value of the same name is not", async () => {
  const cases: [name: string, harmless: string[], harmful: string[]][] = [
    ["ENV", ["production", "eu-west-1", ""], ["/srv/x", "$(id)", "`id`", "a/b", "~/x"]],
    ["PREFIX", ["prod-"], ["/srv/x", "../x", "./x"]],
    ["PYTHONWARNINGS", ["ignore", "error,default::DeprecationWarning"], ["all:0:antigravity.x:0:0"]],
    ["PARALLEL", ["4"], ["--tmux", "-j2 x"]],
    ["CO", ["US"], ["$(shell id)", "sh -c id"]],
    ["PS1", ["> "], ["$(id)", "\\$", "`id`"]],
    ["FEATURE_EDITOR", ["true", "0"], ["vi", "sh -c id"]],
    ["PAGER", ["false"], ["sh"]],
  ];
  for (const [name, harmless, harmful] of cases) {
    for (const value of harmless) {
      assert.deepEqual(await fetched([[name, value]], nothing), { taken: [name], left: [] }, value);
    }
    for (const value of harmful) {
      assert.deepEqual(await fetched([[name, value]], nothing), { taken: [], left: [name] }, value);
    }
  }
});

Deno.test("what Kubernetes tells of a Service is taken, whatever it is called, and nothing else of that name", async () => {
  const told: [string, string][] = [
    ["BUN_API_SERVICE_HOST", "10.96.0.7"],
    ["NPM_SERVICE_PORT", "80"],
    ["DENO_SERVICE_PORT_HTTP", "8080"],
    ["COMPOSER_PORT", "tcp://10.96.0.7:80"],
    ["MAVEN_PORT_80_TCP_ADDR", "fd00::7"],
    ["GRADLE_PORT_80_TCP_PROTO", "tcp"],
  ];
  assert.deepEqual((await fetched(told, nothing)).left, []);
  for (const [name] of told) {
    for (const value of ["/srv/x", "$(id)", "tcp://a;id:80", "x", "--eval=1"]) {
      assert.deepEqual((await fetched([[name, value]], nothing)).taken, [], `${name}=${value}`);
    }
  }
});

Deno.test("names that no glob looks at stay out as well", async () => {
  const { taken } = await fetched([[`BASH_FUNC_${"x".repeat(70_000)}%%`, "() { id; }"], ["A", "1"]], nothing);
  assert.deepEqual(taken, ["A"]);
});

Deno.test("every group has names, a source, and none twice", () => {
  const names = defaultNames();
  assert.deepEqual(names.filter((name, at) => names.indexOf(name) !== at), []);
  assert.ok(names.every((name) => /^[\w.,*]+$/.test(name)), names.join(" "));
  assert.ok(machineVariables.every(({ source }) => source.length > 4));
});

Deno.test("docs/variables.md has every group, name and source", async () => {
  const page = new URL("../../docs/variables.md", import.meta.url);
  if (Deno.env.has("MIRRORD_TEST_WRITE")) await Deno.writeTextFile(page, variablesPage());
  assert.equal(await Deno.readTextFile(page), variablesPage());
});

const applications = `
  HOSTNAME LANG LC_ALL TZ HOST PORT CI LOG_LEVEL APP_ENV DATABASE_URL REDIS_URL AMQP_URL SECRET_KEY_BASE path HOMEPAGE
  USERNAME TERMS TEMPERATURE VERSION NODE NODE_NAME POD_NAME POD_IP NAMESPACE DEBUG CONFIG CONFIG_FILE CONFIG_PATH
  AWS_REGION AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_ROLE_ARN AWS_PROFILE
  AWS_WEB_IDENTITY_TOKEN_FILE AWS_ENDPOINT_URL AWS_CONTAINER_CREDENTIALS_FULL_URI GOOGLE_APPLICATION_CREDENTIALS
  GOOGLE_CLOUD_PROJECT AZURE_CLIENT_ID AZURE_TENANT_ID VAULT_ADDR VAULT_TOKEN CONSUL_HTTP_ADDR KUBERNETES_SERVICE_HOST
  KUBERNETES_PORT DOCKER_HOST HTTP_PROXY https_proxy NO_PROXY SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
  NODE_ENV NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED NODE_CONFIG_DIR NODE_DEBUG NODE_VERSION UV_THREADPOOL_SIZE
  PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE PYTHONIOENCODING PYTHONUTF8 PYTHONHASHSEED PYTHONFAULTHANDLER PYTHON_VERSION
  DJANGO_SETTINGS_MODULE FLASK_APP CELERY_BROKER_URL RAILS_ENV RACK_ENV RUBY_VERSION RUBY_GC_HEAP_INIT_SLOTS BUNDLE_ID
  MALLOC_ARENA_MAX GODEBUG GOGC GOMAXPROCS GOMEMLIMIT GOTRACEBACK CGO_ENABLED RUST_BACKTRACE DOTNET_ENVIRONMENT DOTNET_gcServer
  DOTNET_RUNNING_IN_CONTAINER DOTNET_SYSTEM_GLOBALIZATION_INVARIANT ASPNETCORE_URLS ASPNETCORE_ENVIRONMENT
  ConnectionStrings__Default JAVA_VERSION SPRING_PROFILES_ACTIVE SPRING_DATASOURCE_URL SPRING_APPLICATION_JSON SPRING_CONFIG_LOCATION
  LOG4J_FORMAT_MSG_NO_LOOKUPS SERVER_PORT QUARKUS_PROFILE KAFKA_BROKERS MIX_ENV RELEASE_NAME RELEASE_VERSION RELEASE_COOKIE
  PHX_HOST PHP_MEMORY_LIMIT APP_KEY MYSQL_HOST MYSQL_USER MYSQL_PASSWORD MYSQL_ROOT_PASSWORD PGHOST PGUSER PGPASSWORD PGDATABASE
  PGSSLMODE PGPASSFILE REDISCLI_AUTH MONGO_URL GIT_COMMIT GIT_SHA GIT_BRANCH GIT_TAG GIT_REVISION GIT_AUTHOR_NAME GH_TOKEN
  OTEL_EXPORTER_OTLP_ENDPOINT OTEL_SERVICE_NAME DD_AGENT_HOST DD_ENV SENTRY_DSN SENTRY_RELEASE NEW_RELIC_LICENSE_KEY TF_CPP_MIN_LOG_LEVEL
  TG_TOKEN VK_TOKEN MC_HOST_minio CHECKOUT_URL MAKE_WEBHOOK MONO_TOKEN SAGE_API_KEY DUNE_API_KEY RPM_LIMIT PROMPT_VERSION
  HELM_RELEASE_NAME CHROME_WS_ENDPOINT RESTIC_REPOSITORY LESSON_ID MANAGER_URL PAGERDUTY_KEY EDITOR_URL GETTER LDAP_URL LOAD`;

Deno.test("what an application needs of its pod travels", async () => {
  const names = applications.trim().split(/\s+/);
  assert.deepEqual(await taken(names, nothing), names);
});

Deno.test("variables that stay in the target are reported by name, a few of many, and never by value", async () => {
  const lines: string[] = [];
  const events: SessionEvent[] = [];
  const before = setLogSink((level, text) => lines.push(`${level} ${text}`), "debug");
  try {
    const names = Array.from({ length: 20 }, (_, at) => `npm_config_x${10 + at}`);
    const code = names.map((name) => [name, "secret"] as const);
    const { left } = await fetchedLeft([...code, ["PATH", "secret"], [`LD_${"x".repeat(900)}`, "secret"]]);
    sayLeft(left, (event) => events.push(event));
    assert.equal(lines.length, 2);
    assert.deepEqual(events, [{ type: "variablesLeft", names: [`LD_${"x".repeat(900)}`, ...names] }]);
    assert.match(lines[0] ?? "", /^debug All of them: .*npm_config_x29$/);
    assert.match(lines[1] ?? "", /^debug This machine's own values of PATH are kept/);
    assert.doesNotMatch(lines.join("\n") + JSON.stringify(events), /secret/);
    sayLeft([], (event) => events.push(event));
    assert.equal(lines.length + events.length, 3);
  } finally {
    setLogSink(before);
  }
});

async function fetchedLeft(sent: (readonly [string, string])[]): Promise<Fetched> {
  await using pair = await agentPair();
  const fetching = fetchEnvironment(pair.client, nothing);
  await pair.agent.reply(
    await pair.expect("envNames"),
    "envNames",
    bytes(sent.map(([name]) => `${name}\0`).join("")),
  );
  for (const _ of selections(nothing)) {
    await pair.agent.reply(await pair.expect("env"), "env", bytes("A=1\0"));
  }
  return await fetching;
}

Deno.test("an agent that cannot be asked for names still gives the variables", async () => {
  await using old = await agentPair();
  old.client.version = 3;
  const fetching = fetchEnvironment(old.client, nothing);
  for (const _ of selections(nothing)) {
    await old.agent.reply(await old.expect("env"), "env", bytes("A=1\0PATH=x\0"));
  }
  assert.deepEqual((await fetching).left, [{ name: "PATH", reason: "place" }]);
  await using silent = await agentPair();
  const third = fetchEnvironment(silent.client, nothing, 1);
  await silent.expect("envNames");
  for (const _ of selections(nothing)) {
    await silent.agent.reply(await silent.expect("env"), "env", bytes("A=1\0"));
  }
  assert.deepEqual([...(await third).variables], [["A", "1"]]);
  await using refusing = await agentPair();
  const second = fetchEnvironment(refusing.client, nothing);
  await refusing.agent.fail(await refusing.expect("envNames"), 1, "no");
  for (const _ of selections(nothing)) {
    await refusing.agent.reply(await refusing.expect("env"), "env", bytes("A=1\0"));
  }
  assert.deepEqual([...(await second).variables], [["A", "1"]]);
});

Deno.test("variables that were not asked for are not taken", async () => {
  const sent = ["A", "LD_PRELOAD", "BASH_ENV", "SECRET"];
  assert.deepEqual(await taken(sent, { include: [], exclude: ["SECRET"] }), ["A"]);
  assert.deepEqual(await taken(sent, { include: ["LD_PRELOAD", "S*"], exclude: ["SECRET"] }), ["LD_PRELOAD"]);
  assert.deepEqual(await taken(sent, { include: ["*", "LD_PRELOAD"], exclude: [] }), [
    "A",
    "LD_PRELOAD",
    "SECRET",
  ]);
});

Deno.test("a refusal of the agent is a sentence with its exit code, as is its end", async () => {
  for (const [errno, exitCode] of [[13, 77], [3, 69]] as const) {
    await using pair = await agentPair();
    const fetched = fetchEnvironment(pair.client, nothing);
    await pair.expect("envNames");
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
  await pair.expect("envNames");
  await pair.expect("env");
  pair.agent.close();
  await assert.rejects(fetched, (error) => error instanceof SessionError && error.exitCode === 74);
});
