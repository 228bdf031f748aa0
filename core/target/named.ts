// The workload that has a given name, whatever its kind. Called by cmd/up.ts for services that name no
// target. It asks for what a session would ask for, so it needs no further rights.

import { ApiError } from "../kube/api_error.ts";
import type { KubeClient } from "../kube/client.ts";
import { isObjectName } from "../kube/names.ts";

/**
 * The target path of the deployment called `name`, otherwise of the pod; null where there is neither. Throws
 * where the user may not see whether there is one.
 */
export async function targetNamed(
  kube: KubeClient,
  name: string,
  signal?: AbortSignal,
): Promise<string | null> {
  if (!isObjectName(name)) return null;
  let refusal: ApiError | undefined;
  for (const kind of ["deployment", "pod"] as const) {
    try {
      await (kind === "deployment" ? kube.getDeployment(name, signal) : kube.getPod(name, signal));
      return `${kind}/${name}`;
    } catch (error) {
      if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 403)) throw error;
      if (error.status === 403) refusal ??= error;
    }
  }
  if (refusal !== undefined) throw refusal;
  return null;
}
