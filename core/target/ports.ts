// The ports of a pod: which it declares, and whether they are its own. Called by resolve.ts.

import { exitCodes, TargetError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import type { V1Pod } from "../kube/client.ts";
import type { PodTarget } from "./target.ts";

/**
 * In a node's network every port is stolen or mirrored for the whole node: the developer must want that.
 * Throws TargetError.
 */
export function refuseHostNetwork(
  { path, pod, declaredPorts: ports, hostNetwork }: PodTarget,
  config: Config,
): void {
  if (!hostNetwork || config.incoming.mode === "off") return;
  if (!config.agent.allowHostNetwork) {
    throw new TargetError(
      `Cannot take the traffic of "${path}": the pod "${pod}" uses its node's network, where a port may be any program's`,
      {
        help: 'Set "agent": { "allow_host_network": true } to take the ports that the pod declares ' +
          `(${ports.join(", ") || "it declares none"}), or "feature.network.incoming": "off".`,
        exitCode: exitCodes.config,
      },
    );
  }
  if (ports.length === 0) {
    log.warning(`The pod "${pod}" uses its node's network and declares no port, so none is taken`);
  }
}

/**
 * The TCP ports that the containers declare, those that stay beside the others (restartPolicy "Always") too.
 */
export function declaredPorts({ spec }: V1Pod): number[] {
  const beside = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  const ports = [...spec?.containers ?? [], ...beside].flatMap(({ ports = [] }) =>
    ports.filter(({ protocol = "TCP" }) => protocol === "TCP").map(({ containerPort }) => containerPort)
  );
  return [...new Set(ports)];
}
