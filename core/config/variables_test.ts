// A MIRRORD_* variable that changes nothing is warned about, and every one that the project reads is known.

import assert from "node:assert/strict";
import { readPortRanges } from "./debugger_ports.ts";
import { checkVariables, nearestLogLevel, variableErrors } from "./variables.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

function say(env: Record<string, string>): string[] {
  return checkVariables(new Map(Object.entries(env))).map(({ path, state }) => `${path.join()}: ${state}`);
}

Deno.test("a misspelt variable or value gets its nearest neighbour", () => {
  const cases: [string, string, string][] = [
    ["MIRRORD_PROGRES_MODE", "json", 'there is no such variable. Did you mean "MIRRORD_PROGRESS_MODE"?'],
    ["MIRRORD_TARGET_NAMESPCE", "a", 'there is no such variable. Did you mean "MIRRORD_TARGET_NAMESPACE"?'],
    [
      "MIRRORD_HTTP_FILTER_PORT",
      "80",
      'there is no such variable. Did you mean "MIRRORD_HTTP_FILTER_PORTS"?',
    ],
    ["MIRRORD_ZZZZZZ", "a", "there is no such variable"],
    [
      "MIRRORD_PROGRESS_MODE",
      "jsn",
      '"jsn" is none of std, standard, dumb, simple, json, off, so it counts as not given. Did you mean "json"?',
    ],
    ["MIRRORD_LOG", "trace", '"trace" is none of debug, info, warning, error: "debug" counts'],
    [
      "MIRRORD_LOG",
      "mirrord=warn",
      '"mirrord=warn" is none of debug, info, warning, error: "warning" counts',
    ],
    ["MIRRORD_LOG", "loud", '"loud" is none of debug, info, warning, error: "info" counts'],
    [
      "MIRRORD_LS_RICH_OUTPUT",
      "yes",
      '"yes" is none of true, false, 1, 0, so it counts as not given',
    ],
  ];
  for (const [name, value, state] of cases) assert.deepEqual(say({ [name]: value }), [`${name}: ${state}`]);
});

Deno.test("variables of upstream that change nothing here are known by name", () => {
  for (const name of ["OVERRIDE_HOSTNAME", "CHROME_EXTENSION_ID"]) {
    assert.match(say({ [`MIRRORD_${name}`]: "x" }).join(), /^MIRRORD_\w+: it has no effect yet/);
  }
  for (const name of ["RESOLVED_CONFIG", "LAYER_LOG_PATH", "PREVIEW_IMAGE", "CI_API_KEY"]) {
    assert.match(say({ [`MIRRORD_${name}`]: "x" }).join(), /^MIRRORD_\w+: it has no effect: /);
  }
});

Deno.test("nothing is reported of variables that have an effect, are empty, or are Kubernetes' for a service", () => {
  const env = {
    MIRRORD_LOG: "WARN",
    MIRRORD_PROGRESS_MODE: "json",
    MIRRORD_LS_RICH_OUTPUT: "True",
    MIRRORD_LS_TARGET_TYPES: '["pod"]',
    MIRRORD_IDE_NAME: "vscode",
    MIRRORD_ACTIVE: "1",
    MIRRORD_BRANCH_NAME: "main",
    MIRRORD_EXT_PRINT_CONFIG: "TRUE",
    MIRRORD_PROGRESS_SUPPORT_IDE: "true",
    MIRRORD_SKIP_PROCESSES: "dlv;go",
    MIRRORD_REMOTE_DNS: "false",
    MIRRORD_DETECT_DEBUGGER_PORT: "javaagent",
    MIRRORD_IGNORE_DEBUGGER_PORTS: "45000-65535",
    MIRRORD_NOTHING: "",
    MIRRORD_OPERATOR_SERVICE_HOST: "10.0.0.1",
    MIRRORD_OPERATOR_SERVICE_PORT_HTTPS: "443",
    MIRRORD_OPERATOR_PORT_443_TCP: "tcp://10.0.0.1:443",
    MIRRORD_OPERATOR_PORT_443_TCP_ADDR: "10.0.0.1",
    MIRRORD_OPERATOR_PORT: "tcp://10.0.0.1:443",
    HOME: "/root",
  };
  assert.deepEqual(say(env), []);
});

Deno.test("ports of debuggers are a port, a range or a list of them; anything else is an error that names it", () => {
  const range = (first: number, last = first) => ({ first, last });
  assert.deepEqual(readPortRanges("5678"), [range(5678)]);
  assert.deepEqual(readPortRanges("45000-65535"), [range(45000, 65535)]);
  assert.deepEqual(readPortRanges("1, 20-30,65535"), [range(1), range(20, 30), range(65535)]);
  assert.deepEqual(readPortRanges(""), []);
  for (const text of ["x", "5-", "-5", "0", "65536", "9-8", "1,,2", "1;2", "1-2-3", "5678x"]) {
    assert.equal(readPortRanges(text), null, text);
    const [problem] = variableErrors(new Map([["MIRRORD_IGNORE_DEBUGGER_PORTS", text]]));
    assert.deepEqual(problem?.path, ["MIRRORD_IGNORE_DEBUGGER_PORTS"], text);
  }
  assert.match(
    say({ MIRRORD_DETECT_DEBUGGER_PORT: "gdb" }).join(),
    /"gdb" is none of debugpy, pydevd, resharper, javaagent, nodeinspector/,
  );
});

Deno.test("a level of upstream counts as the nearest", () => {
  assert.deepEqual(["trace", "WARN", "off", "", "info,h2=error"].map(nearestLogLevel), [
    "debug",
    "warning",
    "error",
    "info",
    "info",
  ]);
});

Deno.test("every variable that the project names is known", async () => {
  const places = ["core", "cmd", "agent", "layer", "dev", ":!core/config/variables*"];
  const { stdout } = await new Deno.Command("git", {
    args: ["grep", "-hoE", "\\bMIRRORD_[A-Z0-9_]*[A-Z0-9]\\b", "--", ...places],
    cwd: root,
  }).output();
  const names = new Set(new TextDecoder().decode(stdout).split("\n").filter((name) => name !== ""));
  assert.ok(names.size > 50);
  const unknown = [...names].filter((name) => say({ [name]: "true" }).join().includes("no such variable"));
  assert.deepEqual(unknown, []);
});
