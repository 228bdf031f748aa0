// What a target is called: `pod/NAME[/container/C]`, `deployment/NAME[/container/C]`, `targetless`,
// `process/PID`. Called by resolve.ts and the commands. A parsed path says nothing about whether the thing
// exists.

import { exitCodes, TargetError } from "../base/errors.ts";
import { nearWords, quoteList } from "../base/near.ts";

/** A target as written; the container is chosen by resolve.ts when none is named. */
export type TargetPath =
  | { kind: "pod" | "deployment"; name: string; container: string | undefined }
  | { kind: "process"; pid: number }
  | { kind: "targetless" };

/** Kinds that name a workload here. */
const workloadKinds: Readonly<Record<string, "pod" | "deployment">> = {
  pod: "pod",
  deployment: "deployment",
  deploy: "deployment",
};

/** Kinds the configuration format knows and this release does not. */
const laterKinds = [
  "statefulset",
  "job",
  "cronjob",
  "service",
  "replicaset",
  "rollout",
  "label",
  "daemonset",
];

/** What `help` says about the form of a target. */
const forms = 'Write "pod/NAME", "deployment/NAME", each with "/container/NAME" after it if you wish, ' +
  '"process/PID" or "targetless".';

/** DNS-1123 subdomain: what Kubernetes allows as the name of a pod or a deployment. */
const objectName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** DNS-1123 label: what Kubernetes allows as the name of a container. */
const containerName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Reads a target's text; throws TargetError (exit code 78) that names what is wrong with it. */
export function parseTargetPath(text: string): TargetPath {
  if (text === "targetless") return { kind: "targetless" };
  const [kind = "", name, word, container, ...rest] = text.split("/");
  if (kind === "process") return parseProcess(text, name, word !== undefined);
  const workload = Object.hasOwn(workloadKinds, kind) ? workloadKinds[kind] : undefined;
  if (workload === undefined) throw refuseKind(text, kind);
  if (name === undefined || name === "") throw refuse(text, `the name of the ${workload} is missing`);
  if (name.length > 253 || !objectName.test(name)) {
    throw refuse(text, `"${name}" cannot be the name of a ${workload}`);
  }
  if (word === undefined) return { kind: workload, name, container: undefined };
  if (word !== "container" || rest.length > 0) {
    throw refuse(text, 'after the name only "/container/NAME" may follow');
  }
  if (container === undefined || container === "") throw refuse(text, "the name of the container is missing");
  if (container.length > 63 || !containerName.test(container)) {
    throw refuse(text, `"${container}" cannot be the name of a container`);
  }
  return { kind: workload, name, container };
}

/** The canonical text of a path; `parseTargetPath` reads it back. */
export function formatTargetPath(path: TargetPath): string {
  switch (path.kind) {
    case "targetless":
      return "targetless";
    case "process":
      return `process/${path.pid}`;
    default:
      return `${path.kind}/${path.name}${path.container === undefined ? "" : `/container/${path.container}`}`;
  }
}

function parseProcess(text: string, pid: string | undefined, more: boolean): TargetPath {
  // pid_max is at most 2^22 (proc(5)).
  if (more || pid === undefined || !/^[1-9][0-9]{0,6}$/.test(pid) || Number(pid) > 1 << 22) {
    throw refuse(text, "a process is named by its number");
  }
  return { kind: "process", pid: Number(pid) };
}

function refuseKind(text: string, kind: string): TargetError {
  if (laterKinds.includes(kind)) {
    return refuse(
      text,
      `targets of the kind "${kind}" are not supported yet`,
      "Name a pod or a deployment instead.",
    );
  }
  if (!text.includes("/")) return refuse(text, "it does not name the kind of target");
  const near = nearWords(kind, [...Object.keys(workloadKinds), "process"]);
  const hint = near.length > 0 ? `Did you mean ${quoteList(near)}? ` : "";
  return refuse(text, `there is no kind of target called "${kind}"`, hint + forms);
}

function refuse(text: string, state: string, help = forms): TargetError {
  return new TargetError(`Cannot use "${text}" as the target: ${state}`, {
    help,
    exitCode: exitCodes.config,
  });
}
