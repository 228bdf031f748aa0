// Exec credential plugins: a program named by the kubeconfig that prints a token or a client certificate.
// Called by credentials.ts. The contract is Kubernetes' "client-go credential plugins" (ExecCredential v1,
// v1beta1). What the plugin says on stderr (often: "open this address to log in") is shown as it comes.

import { dirname, join } from "node:path";
import { exitCodes, KubeError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { holdSteps } from "../base/progress.ts";
import { bearer, type Issued, type KubeUser } from "./identity.ts";
import { isTable, textOf, unusable } from "./kubeconfig_file.ts";

const versions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];
/** More output than this is no credential. */
const maximumBytes = 1 << 20;

/** Runs the plugin of `user`; throws KubeError with its last words when it fails. */
export async function runPlugin(exec: Record<string, unknown>, user: KubeUser): Promise<Issued> {
  const command = textOf(exec, "command");
  const apiVersion = textOf(exec, "apiVersion") ?? "";
  if (command === undefined) {
    throw unusable(user.file, `the exec plugin of the user "${user.name}" names no command`);
  }
  if (!versions.includes(apiVersion)) {
    throw unusable(
      user.file,
      `the exec plugin of the user "${user.name}" speaks "${apiVersion}", not ${versions[0]}`,
    );
  }
  const answer = await execute(command, exec, user, apiVersion);
  const status = isTable(answer) && isTable(answer["status"]) ? answer["status"] : undefined;
  if (!isTable(answer) || answer["apiVersion"] !== apiVersion || status === undefined) {
    throw refused(command, `it printed no ExecCredential of ${apiVersion}`);
  }
  const token = textOf(status, "token");
  const cert = textOf(status, "clientCertificateData");
  const key = textOf(status, "clientKeyData");
  if (token === undefined && (cert === undefined || key === undefined)) {
    throw refused(command, "its answer holds neither a token nor a certificate with its key");
  }
  const expires = Date.parse(textOf(status, "expirationTimestamp") ?? "");
  return {
    identity: {
      headers: token === undefined ? {} : bearer(token),
      certificate: cert === undefined || key === undefined ? undefined : { cert, key },
    },
    expires: Number.isNaN(expires) ? undefined : expires,
  };
}

async function execute(
  command: string,
  exec: Record<string, unknown>,
  user: KubeUser,
  apiVersion: string,
): Promise<unknown> {
  const mode = textOf(exec, "interactiveMode") ?? "IfAvailable";
  const terminal = Deno.stdin.isTerminal();
  if (mode === "Always" && !terminal) throw refused(command, "it must ask on a terminal, and there is none");
  const interactive = terminal && mode !== "Never";
  // A path with a slash is relative to the file; a bare name is looked for in PATH.
  const path = command.includes("/") && !command.startsWith("/")
    ? join(dirname(user.file), command)
    : command;
  using _held = interactive ? holdSteps() : undefined;
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(path, {
      args: listOf(exec["args"]),
      env: {
        ...variablesOf(exec["env"]),
        KUBERNETES_EXEC_INFO: described(exec, user, apiVersion, interactive),
      },
      stdin: interactive ? "inherit" : "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    const state = cause instanceof Deno.errors.NotFound ? "there is no such program" : String(cause);
    throw refused(command, state, textOf(exec, "installHint"), cause);
  }
  const said = showLines(child.stderr, command);
  const [{ success, code }, output] = await Promise.all([child.status, new Response(child.stdout).bytes()]);
  const lastWords = await said;
  if (!success) {
    throw refused(command, `it ended with code ${code}${lastWords === "" ? "" : `: ${lastWords}`}`);
  }
  if (output.length > maximumBytes) throw refused(command, "it printed too much");
  try {
    return JSON.parse(new TextDecoder().decode(output));
  } catch {
    // Without the parser's words: they begin with what the plugin printed, a token perhaps.
    throw refused(command, "it printed no JSON");
  }
}

/** Shows each line as it comes and returns the last one that says something. */
async function showLines(stderr: ReadableStream<Uint8Array>, command: string): Promise<string> {
  let rest = "";
  let last = "";
  const show = (line: string) => {
    if (line.trim() === "") return;
    last = line.trim().slice(0, 500);
    log.info(`${command}: ${line.slice(0, 2000)}`);
  };
  for await (const text of stderr.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = (lines.pop() ?? "").slice(-4096);
    lines.forEach(show);
  }
  show(rest);
  return last;
}

function described(
  exec: Record<string, unknown>,
  { cluster }: KubeUser,
  apiVersion: string,
  interactive: boolean,
): string {
  const { authority, body } = cluster;
  const clusterFacts = exec["provideClusterInfo"] !== true ? undefined : {
    server: cluster.server,
    "tls-server-name": textOf(body, "tls-server-name"),
    "insecure-skip-tls-verify": body["insecure-skip-tls-verify"] === true || undefined,
    "certificate-authority-data": authority === undefined
      ? undefined
      : new TextEncoder().encode(authority).toBase64(),
    "proxy-url": textOf(body, "proxy-url"),
  };
  return JSON.stringify({ apiVersion, kind: "ExecCredential", spec: { interactive, cluster: clusterFacts } });
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function variablesOf(value: unknown): Record<string, string> {
  const entries = Array.isArray(value) ? value.filter(isTable) : [];
  return Object.fromEntries(entries.map((one) => [String(one["name"]), String(one["value"] ?? "")]));
}

function refused(command: string, state: string, help?: string, cause?: unknown): KubeError {
  return new KubeError(`Cannot log in with the plugin "${command}": ${state}`, {
    help: help ?? 'Try "kubectl get pods" with the same context: it runs the same plugin.',
    exitCode: exitCodes.permission,
    ...(cause === undefined ? {} : { cause }),
  });
}
