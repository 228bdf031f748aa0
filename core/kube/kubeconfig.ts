// Which cluster, which namespace, and which user: KUBECONFIG lists, one file, ~/.kube/config, or a pod's own
// service account. Called by client.ts. Relative paths in a file are relative to that file; of entries with
// the same name the first file's wins (kubectl: "Organizing Cluster Access Using kubeconfig Files").

import { dirname, isAbsolute, join } from "node:path";
import { KubeError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { nearWords, quoteList } from "../base/near.ts";
import { type Credentials, credentialsOf, noCredentials } from "./credentials.ts";
import type { KubeUser } from "./identity.ts";
import { decodeBase64, isTable, readPem, textOf, unusable } from "./kubeconfig_file.ts";

/** What is asked for; undefined leaves the choice to the kubeconfig. */
export interface KubeOptions {
  kubeconfig?: string | undefined;
  context?: string | undefined;
  namespace?: string | undefined;
  /** Overrules insecure-skip-tls-verify of the kubeconfig. */
  acceptInvalidCertificates?: boolean | undefined;
  /** Usually `Deno.env`. */
  env: { get(name: string): string | undefined };
  /** Where a pod finds its service account; the usual place. */
  accountDirectory?: string;
}

/** One usable context. */
export interface KubeContext {
  name: string;
  /** Without a trailing slash; may have a path. */
  server: string;
  namespace: string;
  /** PEM of the cluster's certificate authority. */
  authority: string | undefined;
  proxy: string | undefined;
  /** Name that the server's certificate must hold; undefined: the server's own. */
  serverName?: string | undefined;
  /** False: the server's certificate is not looked at. */
  verify?: boolean;
  credentials: Credentials;
}

/** Files of a service account that every pod has unless it opted out. */
const usualAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

/** There is no kubeconfig, and this is no pod. */
export class NoClusterError extends KubeError {}

/**
 * Finds the context; throws KubeError (exit code 78 for what is wrong in a file), NoClusterError where there
 * is none.
 */
export async function loadKubeContext(options: KubeOptions): Promise<KubeContext> {
  const found = await chooseContext(options);
  if (found === null) {
    const inCluster = await inClusterContext(options);
    if (inCluster !== undefined) return inCluster;
    throw new NoClusterError("Cannot find a cluster: there is no kubeconfig", {
      help:
        "Name one with --kubeconfig or KUBECONFIG, or log in to a cluster so that ~/.kube/config is there.",
    });
  }
  return await contextOf(found, options);
}

interface ParsedFile {
  name: string;
  root: Record<string, unknown>;
}

/** Where kubeconfig files are looked for. isList: KUBECONFIG names them, and not all need be there. */
export function kubeconfigNames(
  { kubeconfig, env }: Pick<KubeOptions, "kubeconfig" | "env">,
): { names: string[]; isList: boolean } {
  const home = env.get("HOME");
  if (kubeconfig !== undefined) {
    const name = home === undefined ? kubeconfig : kubeconfig.replace(/^~(?=\/)/, home);
    return { names: [name], isList: false };
  }
  const listed = env.get("KUBECONFIG")?.split(":").filter((name) => name !== "") ?? [];
  if (listed.length > 0) return { names: listed, isList: true };
  return { names: home === undefined ? [] : [join(home, ".kube", "config")], isList: false };
}

async function readFiles(options: KubeOptions): Promise<ParsedFile[]> {
  const { names, isList } = kubeconfigNames(options);
  const files = (await Promise.all(names.map(readFile))).filter((file) => file !== undefined);
  if (files.length > 0) return files;
  if (isList) throw unusable(names.join(":"), "no file of that list in KUBECONFIG exists");
  if (options.kubeconfig !== undefined) throw unusable(names.join(), "there is no such file");
  return files;
}

/** undefined: there is no such file (kubectl skips those in a list). */
async function readFile(name: string): Promise<ParsedFile | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(name);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw unusable(name, cause instanceof Error ? cause.message : String(cause), cause);
  }
  const { parse } = await import("../config/yaml.ts");
  try {
    const root: unknown = parse(text) ?? {};
    if (!isTable(root)) throw new TypeError("it is not a kubeconfig");
    return { name, root };
  } catch (error) {
    // Without its cause: what follows the first line shows the place in the file, and that may be a secret.
    throw unusable(name, (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "");
  }
}

/** One context's entries, as they stand in their files. */
export interface Chosen {
  name: string;
  context: Entry;
  clusterName: string;
  cluster: Entry;
  userName: string | undefined;
  user: Entry | undefined;
}

/** Reads the files and finds the context that is meant; null where there is no kubeconfig at all. */
export async function chooseContext(options: KubeOptions): Promise<Chosen | null> {
  const files = await readFiles(options);
  return files.length === 0 ? null : chosen(files, options);
}

/** The contexts of the files, in their order, and the namespace that each names. */
export async function listContexts(
  options: KubeOptions,
): Promise<{ name: string; namespace: string | undefined }[]> {
  const entries = (await readFiles(options)).flatMap(({ root }) => entriesOf(root, "contexts"));
  const seen = new Set<string>();
  return entries.flatMap((entry) => {
    const name = textOf(entry, "name");
    if (name === undefined || seen.has(name)) return [];
    seen.add(name);
    const { context } = entry;
    return [{ name, namespace: isTable(context) ? textOf(context, "namespace") : undefined }];
  });
}

function chosen(files: readonly ParsedFile[], options: KubeOptions): Chosen {
  const name = options.context ??
    files.map(({ root }) => textOf(root, "current-context")).find((one) => one !== undefined);
  const shown = files.map((file) => file.name).join(":");
  if (name === undefined) {
    throw unusable(
      shown,
      "it names no current context",
      undefined,
      'Choose one: "kubectl config use-context NAME", or --context NAME.',
    );
  }
  const context = findEntry(files, "contexts", "context", name);
  if (context === undefined) throw missing(files, "contexts", "context", name);
  const clusterName = textOf(context.body, "cluster");
  if (clusterName === undefined) throw unusable(context.file, `the context "${name}" names no cluster`);
  const cluster = findEntry(files, "clusters", "cluster", clusterName);
  if (cluster === undefined) throw missing(files, "clusters", "cluster", clusterName);
  const userName = textOf(context.body, "user");
  const user = userName === undefined ? undefined : findEntry(files, "users", "user", userName);
  if (userName !== undefined && user === undefined) throw missing(files, "users", "user", userName);
  return { name, context, clusterName, cluster, userName, user };
}

async function contextOf(
  { name, context, clusterName, cluster, userName, user }: Chosen,
  options: KubeOptions,
): Promise<KubeContext> {
  const server = textOf(cluster.body, "server")?.replace(/\/+$/, "");
  if (server === undefined || !/^https?:\/\/[^/]/.test(server)) {
    throw unusable(
      cluster.file,
      `the cluster "${clusterName}" has no server address that begins with https:// or http://`,
    );
  }
  const skips = options.acceptInvalidCertificates ?? cluster.body["insecure-skip-tls-verify"] === true;
  const serverName = textOf(cluster.body, "tls-server-name");
  const proxy = textOf(cluster.body, "proxy-url");
  if (proxy !== undefined && (skips || serverName !== undefined)) {
    const key = skips ? "insecure-skip-tls-verify" : "tls-server-name";
    throw unusable(
      cluster.file,
      `the cluster "${clusterName}" sets proxy-url and ${key}, which is not supported together`,
    );
  }
  const authority = await pemOf(cluster, "certificate-authority");
  const describe: KubeUser = {
    name: userName ?? "",
    file: user?.file ?? cluster.file,
    body: user === undefined ? {} : absolutePaths(user),
    cluster: { server, authority, body: cluster.body },
  };
  return {
    name,
    server,
    namespace: options.namespace ?? textOf(context.body, "namespace") ?? "default",
    authority,
    proxy,
    serverName,
    verify: !skips,
    credentials: isClear(server, describe) ? noCredentials : await credentialsOf(describe),
  };
}

/**
 * A login over http could be read on the way, so none is sent and no plugin is asked for one (kubectl does
 * the same).
 */
function isClear(server: string, { name, body }: KubeUser): boolean {
  if (!server.startsWith("http:")) return false;
  if (Object.keys(body).length > 0) {
    log.warning(
      `The user "${name}" is not logged in at "${server}": over http any host on the way could read the login`,
    );
  }
  return true;
}

/** A pod's own service account: the API server's address is in the variables that Kubernetes sets. */
async function inClusterContext(
  options: KubeOptions,
): Promise<KubeContext | undefined> {
  const { namespace, env, accountDirectory = usualAccountDirectory } = options;
  const host = env.get("KUBERNETES_SERVICE_HOST");
  const port = env.get("KUBERNETES_SERVICE_PORT");
  if (host === undefined || port === undefined) return undefined;
  const read = (name: string) => Deno.readTextFile(`${accountDirectory}/${name}`).catch(() => undefined);
  const authority = await read("ca.crt");
  const own = (await read("namespace"))?.trim();
  if (authority === undefined) return undefined;
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const body = { tokenFile: `${accountDirectory}/token` };
  return {
    name: "in-cluster",
    server,
    namespace: namespace ?? own ?? "default",
    authority,
    proxy: undefined,
    serverName: undefined,
    verify: options.acceptInvalidCertificates !== true,
    credentials: await credentialsOf({
      name: "",
      file: accountDirectory,
      body,
      cluster: { server, authority, body: {} },
    }),
  };
}

/** An entry of a file. */
export interface Entry {
  file: string;
  body: Record<string, unknown>;
}

function findEntry(files: readonly ParsedFile[], list: string, key: string, name: string): Entry | undefined {
  for (const { name: file, root } of files) {
    const entry = entriesOf(root, list).find((one) => one["name"] === name);
    if (entry !== undefined) return { file, body: isTable(entry[key]) ? entry[key] : {} };
  }
  return undefined;
}

function entriesOf(root: Record<string, unknown>, list: string): Record<string, unknown>[] {
  const entries = root[list];
  return Array.isArray(entries) ? entries.filter(isTable) : [];
}

/** Keys of clusters and users that hold a path. */
const pathKeys = ["certificate-authority", "client-certificate", "client-key", "tokenFile"];

function absolutePaths({ file, body }: Entry): Record<string, unknown> {
  const paths = pathKeys.flatMap((key) => {
    const value = textOf(body, key);
    return value === undefined ? [] : [[key, absolute(file, value)]];
  });
  return { ...body, ...Object.fromEntries(paths) };
}

/** A path in `file` as the file means it. */
export function absolute(file: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(file), path);
}

async function pemOf({ file, body }: Entry, key: string): Promise<string | undefined> {
  const data = textOf(body, `${key}-data`);
  if (data !== undefined) return decodeBase64(file, `${key}-data`, data);
  const path = textOf(body, key);
  return path === undefined ? undefined : await readPem(absolute(file, path), file);
}

function missing(files: readonly ParsedFile[], list: string, key: string, name: string): KubeError {
  const known = files.flatMap(({ root }) => entriesOf(root, list).map((one) => String(one["name"])));
  const near = nearWords(name, known);
  return unusable(
    files.map((file) => file.name).join(":"),
    `there is no ${key} "${name}"`,
    undefined,
    near.length > 0 ? `Did you mean ${quoteList(near)}?` : `Known ${list}: ${known.join(", ") || "none"}.`,
  );
}
