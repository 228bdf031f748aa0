// Asking the API server what this user may do, before anything is done (SelfSubjectAccessReview). Called by
// core/deploy/rights.ts. A server that does not answer the question is no obstacle: what is not allowed is
// refused when it is done.

import { exitCodes, KubeError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import type { KubeClient } from "./client.ts";

/** Each question at a time takes a connection of its own, whose handshake costs more than the question. */
const connections = 2;

/** One verb on one resource, as in a role. */
export interface Right {
  verb: string;
  /** "pods", "pods/portforward". */
  resource: string;
  group?: string;
  /** What it is for: reads after "Cannot". */
  action: string;
  /** What to do without it, as a sentence. */
  otherwise?: string;
}

/**
 * Those of `rights` that this user does not have, by the server's answer; `name` is the object's, "" = any of
 * the namespace.
 */
export async function lackingRights(
  kube: KubeClient,
  rights: readonly Right[],
  name: string,
  signal?: AbortSignal,
): Promise<Right[]> {
  const lacking = new Set<Right>();
  const rest = rights.values();
  const askOn = async (): Promise<void> => {
    for (const right of rest) if (!await isAllowed(kube, right, name, signal)) lacking.add(right);
  };
  await Promise.all(Array.from({ length: connections }, askOn));
  return rights.filter((right) => lacking.has(right));
}

async function isAllowed(
  kube: KubeClient,
  right: Right,
  name: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return await kube.mayDo(right, name, signal);
  } catch (error) {
    log.debug(`Kubernetes did not answer whether you may ${right.verb} ${right.resource}: ${error}`);
    return true;
  }
}

/** The refusal that the server would have given, for all of them at once. */
export function lacks(rights: readonly Right[], namespace: string): KubeError {
  const [first] = rights;
  if (first === undefined) throw new TypeError("no right is lacking");
  const rule = ({ verb, resource, group = "" }: Right) =>
    `{apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["${verb}"]}`;
  return new KubeError(
    `Cannot ${first.action}: you may not "${first.verb}" the resource "${first.resource}" in the namespace "${namespace}"`,
    {
      help: [
        `Ask for a role with ${rights.length === 1 ? "this rule" : "these rules"}: ${
          rights.map(rule).join(", ")
        }.`,
        ...rights.flatMap(({ otherwise = [] }) => otherwise),
      ].join(" "),
      exitCode: exitCodes.permission,
    },
  );
}
