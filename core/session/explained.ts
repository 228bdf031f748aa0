// Where a path, a name, a connection or a port would go, and the rule that decides, without a session.
// Called by cmd/explain.ts. The decisions are those of the session's own parts (policy.ts, openness.ts) or
// made of the same rules; what only a running session knows (the app's own sockets, its debuggers, the
// program's file) is left out.

import type { Address } from "../../protocol-wasm/mod.ts";
import { osBytes } from "../base/os_text.ts";
import type { Config, SideFilter } from "../config/config.ts";
import type { FilesRules } from "./session_options.ts";
import { filterOf, type IncomingRules } from "./incoming_rules.ts";
import { opennessOf } from "./openness.ts";
import { staysHere } from "./outgoing_rules.ts";
import { Policy } from "./policy.ts";
import { type Place, SideRules } from "./side_rule.ts";

/** One answer: what is asked, whose it is, and why. */
export interface Explained {
  what: string;
  whose: "the target's" | "this machine's" | "nobody's";
  why: string;
}

const whose = { local: "this machine's", remote: "the target's", absent: "nobody's" } as const;

/** An absolute path, to read and to change. */
export function explainPath(path: string, rules: FilesRules | null): Explained[] {
  if (rules === null) {
    return [{ what: `file ${path}`, whose: "this machine's", why: 'feature.fs.mode "local"' }];
  }
  const policy = new Policy(rules.config, rules.places, rules.mounts);
  return [false, true].map((writes) => {
    const { place, rule } = policy.decide({ path: osBytes(path), writes, executable: "" });
    return { what: `file ${path}, to ${writes ? "change" : "read"}`, whose: whose[place], why: rule };
  });
}

/** A host name or an address: how it is looked up, and where connections to `port` go. */
export function explainHost(host: string, port: number | null, config: Config): Explained[] {
  const isAddress = /^[\d.]+$|:/.test(host);
  const names = isAddress ? [] : [explainName(host, config)];
  if (port === null) return names.length > 0 ? names : [explainConnection("tcp", { host, port: 0 }, config)];
  return [
    ...names,
    ...(["tcp", "udp"] as const).map((one) => explainConnection(one, { host, port }, config)),
  ];
}

function explainName(host: string, { dns: { enabled, filter } }: Config): Explained {
  const what = `name ${host}`;
  if (!enabled) return { what, whose: "this machine's", why: "feature.network.dns is off" };
  const { remote, why } = bySide(filter, "feature.network.dns.filter", { host, port: 0 });
  return { what, whose: remote ? "the target's" : "this machine's", why };
}

function explainConnection(
  protocol: "tcp" | "udp",
  { host, port }: { host: string; port: number },
  { outgoing }: Config,
): Explained {
  const what = `${protocol} connection to ${host.includes(":") ? `[${host}]` : host}${
    port === 0 ? "" : `:${port}`
  }`;
  if (!outgoing[protocol]) {
    return { what, whose: "this machine's", why: `feature.network.outgoing.${protocol} is off` };
  }
  if (staysHere(host)) {
    return { what, whose: "this machine's", why: "multicast, broadcast and link-local stay here" };
  }
  const isLoopback = /^127\.|^::1$|^localhost$/.test(host);
  if (isLoopback && outgoing.ignoreLocalhost) {
    return { what, whose: "this machine's", why: "feature.network.outgoing.ignore_localhost" };
  }
  const place = /^[\d.]+$|:/.test(host) ? { address: host, port } : { host, port };
  const { remote, why } = bySide(outgoing.filter, "feature.network.outgoing.filter", place, protocol);
  const named = outgoing.filter?.side === "remote";
  const helper = remote && isLoopback && !named
    ? ", unless this machine serves the port and the target does not"
    : "";
  return { what, whose: remote ? "the target's" : "this machine's", why: why + helper };
}

/** Does the filter send it to the target, and by which of its rules? */
function bySide(
  filter: SideFilter,
  key: string,
  place: Place,
  protocol?: "tcp" | "udp",
): { remote: boolean; why: string } {
  const found = new SideRules(filter, key).of([place], protocol === undefined ? ["tcp", "udp"] : [protocol]);
  const isUnknown = place.host !== undefined && protocol !== undefined && found.why.startsWith("no rule of ");
  const unknown = isUnknown ? "; rules over addresses count as soon as the name has one" : "";
  return { ...found, why: found.why + unknown };
}

/** A port that the app listens on. */
export function explainPort(port: number, rules: IncomingRules | null): Explained[] {
  const what = `port ${port} of the app`;
  const here = (why: string): Explained[] => [{ what, whose: "this machine's", why }];
  if (rules === null) return here('feature.network.incoming "off"');
  const key = "feature.network.incoming";
  if (rules.ignorePorts.includes(port)) return here(`${key}.ignore_ports`);
  const remote = rules.portMapping.get(port) ?? port;
  if (rules.ports !== null && !rules.ports.includes(remote)) {
    return here(`${key}.ports does not name ${remote}`);
  }
  if (rules.ignorePorts.includes(remote)) return here(`${key}.ignore_ports names ${remote}`);
  const mapped = remote === port ? "" : `, by ${key}.port_mapping`;
  const filtered = filterOf(remote, rules) === "" ? "" : ", requests that match the filter";
  const verb = rules.mode === "steal" ? "stolen" : "mirrored";
  return ["0.0.0.0", "127.0.0.1"].map((address) => {
    const at: Address = { address, port };
    const open = opennessOf({ address: at, port: remote, anyPort: false, debugger: null }, rules);
    const on = `${what}, on ${address === "0.0.0.0" ? "all addresses" : "loopback"}`;
    if (open.who === "nobody") {
      return {
        what: on,
        whose: "this machine's",
        why: "the pod uses its node's network and does not declare it",
      };
    }
    const who = open.who === "pod"
      ? "from inside the pod alone, unless the target serves it"
      : "from the cluster";
    return {
      what: on,
      whose: "the target's",
      why: `the pod's port ${remote} is ${verb} ${who}${filtered}${mapped}`,
    };
  });
}
