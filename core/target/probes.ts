// What the kubelet asks of a pod: its probes of every kind, of every container, and the hooks that it calls
// by HTTP. Called by resolve.ts; the agent leaves all of them to the original. Facts: the Kubernetes API
// (Probe, LifecycleHandler), and the kubelet's requests as pkg/probe/http and pkg/kubelet/lifecycle of
// Kubernetes make them.

import type { V1Pod } from "../kube/client.ts";

/** A port that the kubelet asks, and how. */
export interface Probe {
  port: number;
  how: "http" | "https" | "tcp" | "grpc";
  /** Which request is the kubelet's, as a filter (JSON); "" where nothing can be seen of it. */
  filter: string;
}

type Spec = NonNullable<V1Pod["spec"]>;
type Container = Spec["containers"][number];
type ContainerProbe = NonNullable<Container["livenessProbe"]>;
type HttpGet = NonNullable<ContainerProbe["httpGet"]>;

const probeAgent = "kube-probe/";
const hookAgent = "kube-lifecycle/";

/** Every probe and hook of the pod that is a connection to one of its ports. */
export function probesOf({ spec }: V1Pod): Probe[] {
  const found = containersOf(spec).flatMap((container) => [
    ...probes(container).flatMap(([, probe]) => connectionOf(container, probe, probeAgent)),
    ...hooks(container).flatMap((hook) => connectionOf(container, hook, hookAgent)),
  ]);
  return [...new Map(found.map((one) => [JSON.stringify(one), one])).values()];
}

/** Probes by a command that may ask a port of the pod: their source does not show that the kubelet asks. */
export function commandProbes({ spec }: V1Pod): string[] {
  return containersOf(spec).flatMap((container) =>
    probes(container).flatMap(([kind, { exec }]) =>
      exec === undefined || !mayConnect(exec.command ?? [])
        ? []
        : [`the ${kind} probe of "${container.name}" (${shortened(exec.command ?? [])})`]
    )
  );
}

/** The addresses of the pod's node, as far as the pod says them. */
export function nodeAddresses({ status }: V1Pod): string[] {
  const addresses = [status?.hostIP, ...(status?.hostIPs ?? []).map(({ ip }) => ip)];
  return [...new Set(addresses.filter((one) => one !== undefined && one !== ""))] as string[];
}

/** Containers that run as long as the pod: also init containers that are restarted, which may have probes. */
function containersOf(spec: Spec | undefined): Container[] {
  return [...spec?.containers ?? [], ...spec?.initContainers ?? []];
}

function probes(container: Container): [kind: string, probe: ContainerProbe][] {
  const { startupProbe, livenessProbe, readinessProbe } = container;
  const all = { startup: startupProbe, liveness: livenessProbe, readiness: readinessProbe };
  return Object.entries(all).flatMap(([kind, probe]) => probe === undefined ? [] : [[kind, probe]]);
}

function hooks({ lifecycle }: Container): ContainerProbe[] {
  return [lifecycle?.postStart, lifecycle?.preStop].flatMap((hook) =>
    hook?.httpGet === undefined ? [] : [{ httpGet: hook.httpGet }]
  );
}

function connectionOf(container: Container, probe: ContainerProbe, userAgent: string): Probe[] {
  const { httpGet, tcpSocket, grpc } = probe;
  const asked = httpGet?.port ?? tcpSocket?.port ?? grpc?.port;
  const port = asked === undefined ? NaN : portOf(container, asked);
  if (!Number.isInteger(port) || port < 1 || port > 65535) return [];
  if (httpGet === undefined) return [{ port, how: tcpSocket === undefined ? "grpc" : "tcp", filter: "" }];
  if (httpGet.scheme?.toUpperCase() === "HTTPS") return [{ port, how: "https", filter: "" }];
  return [{ port, how: "http", filter: JSON.stringify(requestFilter(httpGet, userAgent)) }];
}

/** A name is looked up in the probe's own container (Kubernetes API, HTTPGetAction). */
function portOf({ ports }: Container, asked: unknown): number {
  const named = ports?.find(({ name }) => name !== undefined && name === asked)?.containerPort;
  return named ?? Number(asked);
}

/** The kubelet names itself unless the probe has a User-Agent of its own. */
function requestFilter({ path = "/", httpHeaders = [] }: HttpGet, userAgent: string): unknown {
  const names = httpHeaders.map(({ name }) => name.toLowerCase());
  const headers = httpHeaders.filter(({ value }) => value !== "").map(({ name, value }) =>
    `^${escaped(name)}: ${escaped(value.trim())}$`
  );
  const own = names.includes("user-agent") ? [] : [`^user-agent: ${escaped(userAgent)}`];
  const target = new URL(path, "http://pod/");
  return {
    all_of: [
      { method: "GET" },
      { path: `^${escaped(target.pathname + target.search)}$` },
      ...[...headers, ...own].map((header) => ({ header })),
    ],
  };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** Programs that look at files and processes, and make no connection. */
const localPrograms = new Set(
  ("[ cat cd df dirname echo exit expr false find grep head kill ls mountpoint pgrep pidof ps pwd readlink rm sed sleep stat tail " +
    "test touch tr true wc").split(" "),
);
const shells = /^(?:ba|da|a|k|z)?sh$/;

function mayConnect(command: readonly string[]): boolean {
  const [program = "", ...args] = command;
  const name = program.replace(/^.*\//, "");
  if (localPrograms.has(name)) return false;
  const [flag, script, ...rest] = args;
  if (!shells.test(name) || flag !== "-c" || script === undefined || rest.length > 0) return true;
  if (/[`<>]\(|\$\(|`|\/dev\/(?:tcp|udp)\//.test(script)) return true;
  return script.split(/[;&|\n]+/).map((part) => part.trim()).filter((part) => part !== "")
    .some((part) => !localPrograms.has(part.split(/\s+/)[0]?.replace(/^.*\//, "") ?? ""));
}

const shownLength = 80;

function shortened(command: readonly string[]): string {
  const text = command.join(" ").replace(/\s+/g, " ");
  return text.length <= shownLength ? text : `${text.slice(0, shownLength)}…`;
}
