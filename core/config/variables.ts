// Which MIRRORD_* variables there are besides those that stand for a key of the file (env.ts), and what is
// wrong with the rest. Called by load.ts. The invariant: a variable that changes nothing is warned about,
// with its nearest neighbour.

import { nearWords, quoteList } from "../base/near.ts";
import { debuggerNames, debuggerPortsVariable, readPortRanges } from "./debugger_ports.ts";
import { keyVariables, type Variables } from "./env.ts";
import type { Problem } from "./issues.ts";

/** Variables that mirrord reads outside the configuration, with their values where these are few. */
const settings: Readonly<Record<string, readonly string[] | null>> = {
  MIRRORD_CONFIG_FILE: null,
  MIRRORD_BRANCH_NAME: null,
  MIRRORD_LOG: ["debug", "info", "warning", "error"],
  MIRRORD_PROGRESS_MODE: ["std", "standard", "dumb", "simple", "json", "off"],
  MIRRORD_LS_RICH_OUTPUT: ["true", "false", "1", "0"],
  MIRRORD_LS_TARGET_TYPES: null,
  MIRRORD_EXT_PRINT_CONFIG: ["true", "false", "1", "0"],
  MIRRORD_CONTAINER_USE_RUNTIME: null,
  MIRRORD_PROGRESS_SUPPORT_IDE: ["true", "false", "1", "0"],
  MIRRORD_DETECT_DEBUGGER_PORT: debuggerNames,
  [debuggerPortsVariable]: null,
};

/**
 * Not of the configuration: what a session gives its app and its agent, what editors say of themselves, and
 * releases.
 */
const silent = [
  "MIRRORD_ACTIVE",
  "MIRRORD_AGENT_LOG",
  "MIRRORD_CWD",
  "MIRRORD_LAYER_SOCKET",
  "MIRRORD_SESSION_PID",
  "MIRRORD_SKIP",
  "MIRRORD_CACHE",
  "MIRRORD_CHECK_VERSION",
  "MIRRORD_IDE_NAME",
  "MIRRORD_HOMEPAGE",
  "MIRRORD_DOWNLOAD_BASE",
  "MIRRORD_PUBLIC_KEY",
  "MIRRORD_SIGNING_KEY",
];
/** Those of the project's own tests, and what Kubernetes sets for services in the pods of their namespace. */
const others =
  /^MIRRORD_TESTS?_|^MIRRORD_CLUSTER_DIR=|_SERVICE_(HOST|PORT)[_=]|_PORT_[0-9]+_(TCP|UDP)[_=]|_PORT=\w+:/;

const notYet = "it has no effect yet";
const never = "it has no effect: it is for parts of upstream that do not exist here";
const operators = "it has no effect: there is no operator";

/** Variables of upstream that change nothing here. */
const upstreams: Readonly<Record<string, string>> = {
  MIRRORD_OVERRIDE_HOSTNAME: `${notYet}: the host name is the target's, or this machine's (feature.hostname)`,
  MIRRORD_CI_API_KEY: operators,
  MIRRORD_CHROME_EXTENSION_ID: notYet,
  ...Object.fromEntries(
    ["IMAGE", "TTL_MINS", "TTL_SECS", "CREATION_TIMEOUT_SECS", "REPLICAS", "START_IDLE"]
      .concat(["IDLE_SLEEP_AFTER_SECS", "IDLE_WAKE_TIMEOUT_SECS"])
      .map((name) => [`MIRRORD_PREVIEW_${name}`, operators]),
  ),
  ...Object.fromEntries(
    [
      ...["AGENT_CONNECT_INFO", "CHILD_ENV", "CLI_STRICT_ENV", "CLI_STRICT_ENV_ALLOWLIST", "CONSOLE_ADDR"],
      ...["DONT_LOAD", "EXECUTION_KIND", "EXTPROXY_TLS_PEM", "FORCE_LOG", "INTPROXY_CONTAINER_MODE"],
      ...["LAYER_FILE", "LAYER_ID", "LAYER_INTPROXY_ADDR", "LAYER_LOG_PATH", "LAYER_TRACE_ONLY"],
      ...["LAYER_WAIT_FOR_DEBUGGER", "MACOS_ARM64_LIBRARY", "NODEADLOCK", "REMOTE_ENV_FETCHED"],
      ...["RESOLVED_CONFIG", "SANTA_MODE", "SESSION_ID", "SHARED_SOCKETS"],
    ].map((name) => [`MIRRORD_${name}`, never]),
  ),
};

/** What is to be reported about the MIRRORD_* variables in `env`. */
export function checkVariables(env: Variables): Problem[] {
  const names = env instanceof Map ? [...env.keys()].map(String) : Object.keys(env.toObject?.() ?? {});
  return names.filter((name) => name.startsWith("MIRRORD_") && env.get(name) !== "").sort().flatMap(
    (name) => {
      const state = stateOf(name, env.get(name) ?? "");
      return state === null ? [] : [{ path: [name], state }];
    },
  );
}

/** What makes the MIRRORD_* variables in `env` unusable; keys of the file are checked with the file. */
export function variableErrors(env: Variables): Problem[] {
  const given = env.get(debuggerPortsVariable) ?? "";
  if (readPortRanges(given) !== null) return [];
  const state = `"${given}" is no port, no range (a-b) and no list of them with commas`;
  return [{ path: [debuggerPortsVariable], state }];
}

function stateOf(name: string, value: string): string | null {
  if (keyVariables.includes(name) || silent.includes(name)) return null;
  const values = settings[name];
  if (values !== undefined) return values === null ? null : stateOfValue(name, value, values);
  const state = upstreams[name];
  if (state !== undefined) return state;
  if (others.test(`${name}=${value}`)) return null;
  return `there is no such variable${meant(nearWords(name, knownVariables()))}`;
}

function stateOfValue(name: string, value: string, values: readonly string[]): string | null {
  if (name === "MIRRORD_LOG" && isLogLevel(value)) return null;
  if (values.includes(value) || (value.toLowerCase() === "true" && values.includes("true"))) return null;
  const state = `"${value}" is none of ${values.join(", ")}`;
  return name === "MIRRORD_LOG"
    ? `${state}: "${nearestLogLevel(value)}" counts`
    : `${state}, so it counts as not given${meant(nearWords(value, values))}`;
}

function meant(near: readonly string[]): string {
  return near.length === 0 ? "" : `. Did you mean ${quoteList(near)}?`;
}

/** Every variable that changes something. */
export function knownVariables(): string[] {
  return [...keyVariables, ...Object.keys(settings)];
}

/** True when `text` is a level, and not merely near one. */
export function isLogLevel(text: string): boolean {
  return /^(debug|info|warn|warning|error)$/i.test(text);
}

/** The level that `text` means: those of upstream's filters count as the nearest here ("mirrord=trace"). */
export function nearestLogLevel(text: string): "debug" | "info" | "warning" | "error" {
  const word = /trace|debug|info|warn|err|off/i.exec(text)?.[0].toLowerCase();
  switch (word) {
    case "trace":
    case "debug":
      return "debug";
    case "warn":
      return "warning";
    case "err":
    case "off":
      return "error";
    default:
      return "info";
  }
}
