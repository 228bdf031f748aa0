// What the app gets of the target, in one line, by the configuration. Called by steps.ts before the app
// starts.

import type { Config } from "../core/config/config.ts";

/** "incoming (steal, ports 80 and 8080), outgoing (TCP, UDP), names, files (read)". */
export function summarize(config: Config): string {
  const { incoming, outgoing, dns, files } = config;
  const protocols = [...(outgoing.tcp ? ["TCP"] : []), ...(outgoing.udp ? ["UDP"] : [])];
  const parts = [
    ...(incoming.mode === "off"
      ? []
      : [`incoming (${[incoming.mode, ...incomingDetails(config)].join(", ")})`]),
    ...(protocols.length === 0 ? [] : [`outgoing (${protocols.join(", ")})`]),
    ...(dns.enabled ? ["names"] : []),
    ...(files.mode === "local" ? [] : [`files (${files.mode})`]),
  ];
  return parts.length === 0 ? "nothing but variables" : parts.join(", ");
}

function incomingDetails({ incoming: { ports, filter } }: Config): string[] {
  return [
    ...(ports === null ? [] : [`${ports.length === 1 ? "port" : "ports"} ${ports.join(" ")}`]),
    ...(filter === "" ? [] : ["filtered"]),
  ];
}
