// The sections of the floors files, outgoing and dns, and which processes take part: checked file → resolved
// Config. Called by resolve.ts. Without a target there are no files to ask for, and without a cluster nothing
// at all. Every pattern and rule is compiled here once, so that nothing is deployed for one that cannot be
// used.

import type { Config, DnsConfig, FilesConfig, OutgoingConfig, SideFilter } from "./config.ts";
import { asList, asNames, type Checks, type Findings } from "./findings.ts";
import type { ConfigFile, FilesFile, SideFilterFile } from "./schema.ts";

/** Bytes that a remote file is read ahead when the configuration does not say. */
export const defaultReadAhead = 128_000;
/** Above this the buffers of some files at once are felt; the schema refuses more than 15 MiB. */
const largeReadAhead = 1 << 20;

const filesPath = ["feature", "fs"] as const;
const outgoingPath = ["feature", "network", "outgoing"] as const;
const dnsPath = ["feature", "network", "dns"] as const;

type Path = readonly (string | number)[];

/**
 * The floors of `raw`; one that nothing remote could answer is off, though what is written is still checked.
 */
export function resolveFloors(
  raw: ConfigFile,
  { hasTarget, hasCluster }: { hasTarget: boolean; hasCluster: boolean },
  checks: Checks,
  findings: Findings,
): Pick<Config, "outgoing" | "dns" | "interfaces" | "files" | "processes"> {
  const files = resolveFiles(raw, checks, findings);
  const outgoing = resolveOutgoing(raw, checks, findings);
  const dns = resolveDns(raw, checks, findings);
  const reflected = outgoing.tcp || outgoing.udp ? reflectNames(outgoing, dns, checks, findings) : dns;
  return {
    outgoing: hasCluster ? outgoing : { ...outgoing, tcp: false, udp: false },
    dns: hasCluster ? reflected : { ...reflected, enabled: false, hostname: false },
    interfaces: hasTarget && networkSection(raw, "interfaces") !== false,
    files: hasTarget ? files : { ...files, mode: "local" },
    processes: {
      skip: asNames(raw.skip_processes),
      skipBuildTools: raw.skip_build_tools ?? true,
      extraBuildTools: asNames(raw.skip_extra_build_tools),
      skipProtected: raw.skip_sip === undefined ? ["git"] : asNames(raw.skip_sip),
      alwaysCopied: asNames(raw.sip_binaries),
    },
  };
}

function resolveFiles(raw: ConfigFile, checks: Checks, findings: Findings): FilesConfig {
  const section = raw.feature?.fs ?? {};
  const given: FilesFile = typeof section === "object"
    ? section
    : { mode: section === true ? "read" : section === false ? "local" : section };
  const patterns = (key: "read_write" | "read_only" | "local" | "not_found") => {
    const list = asList(given[key]);
    const isList = Array.isArray(given[key]);
    list.forEach((pattern, index) => {
      checkPattern(pattern, isList ? [...filesPath, key, index] : [...filesPath, key], checks, findings);
    });
    return list;
  };
  const mapping = Object.entries(given.mapping ?? {});
  for (const [pattern] of mapping) {
    checkPattern(pattern, [...filesPath, "mapping", pattern], checks, findings);
  }
  const readAhead = given.readonly_file_buffer ?? defaultReadAhead;
  if (readAhead > largeReadAhead) {
    findings.warnings.push({
      path: [...filesPath, "readonly_file_buffer"],
      state: `${readAhead} bytes ahead of every read make random reads slow`,
    });
  }
  const mode = given.mode ?? "read";
  const magic = raw.feature?.magic ?? true;
  return {
    mode: mode === "local-with-overrides" ? "localwithoverrides" : mode,
    readWrite: patterns("read_write"),
    readOnly: patterns("read_only"),
    local: patterns("local"),
    notFound: patterns("not_found"),
    mapping,
    readAhead,
    cache: given.cache ?? "walk",
    autoMount: typeof magic === "boolean" ? magic : magic.auto_mount ?? true,
  };
}

/** The `network` section's child `key`; a boolean for the whole section counts for each child. */
function networkSection<K extends "outgoing" | "dns" | "interfaces">(raw: ConfigFile, key: K) {
  const network = raw.feature?.network ?? true;
  return typeof network === "boolean" ? network : network[key] ?? true;
}

function resolveOutgoing(raw: ConfigFile, checks: Checks, findings: Findings): OutgoingConfig {
  const section = networkSection(raw, "outgoing");
  const given = typeof section === "boolean" ? { tcp: section, udp: section } : section;
  return {
    tcp: given.tcp ?? true,
    udp: given.udp ?? true,
    ignoreLocalhost: given.ignore_localhost ?? false,
    filter: resolveSide(given.filter, [...outgoingPath, "filter"], checks, findings),
  };
}

function resolveDns(raw: ConfigFile, checks: Checks, findings: Findings): DnsConfig {
  const section = networkSection(raw, "dns");
  const given = typeof section === "boolean" ? { enabled: section } : section;
  const path = [...dnsPath, "filter"];
  const filter = resolveSide(given.filter, path, checks, findings);
  // Only what is named is looked up by the target: with nothing named, nothing is. (An empty outgoing.filter
  // is none.)
  const isNothing = filter === null && given.filter?.remote !== undefined;
  if (isNothing) {
    findings.warnings.push({
      path: [...path, "remote"],
      state: "the list is empty, so no name is looked up there",
    });
  }
  return {
    enabled: given.enabled ?? true,
    filter: isNothing ? { side: "remote", rules: [] } : filter,
    hostname: raw.feature?.hostname ?? true,
  };
}

/** A filter of one direction; an empty one is none. */
function resolveSide(
  given: SideFilterFile | undefined,
  path: Path,
  checks: Checks,
  findings: Findings,
): SideFilter {
  const [remote, local] = [asList(given?.remote), asList(given?.local)];
  if (remote.length > 0 && local.length > 0) {
    findings.errors.push({
      path: [...path, "local"],
      state: '"remote" and "local" cannot both be there',
      help: "With remote, everything else is already local; with local, everything else remote.",
    });
  }
  const side = remote.length > 0 ? "remote" : "local";
  const rules = remote.length > 0 ? remote : local;
  const isList = Array.isArray(given?.[side]);
  rules.forEach((rule, index) => {
    const state = checks.rule(rule);
    if (state === null) return;
    findings.errors.push({ path: isList ? [...path, side, index] : [...path, side], state });
  });
  return rules.length === 0 ? null : { side, rules };
}

function checkPattern(pattern: string, path: Path, checks: Checks, findings: Findings): void {
  const state = checks.pattern(pattern);
  if (state !== null) findings.errors.push({ path, state });
}

/**
 * A name whose connections go one way is looked up on that way too: names of `outgoing.filter` join
 * `dns.filter` where both count in one direction, and where they disagree that is reported, since the address
 * of a name that only the target knows cannot be found here.
 */
function reflectNames(
  outgoing: OutgoingConfig,
  dns: DnsConfig,
  checks: Checks,
  findings: Findings,
): DnsConfig {
  if (!dns.enabled || outgoing.filter === null || findings.errors.length > 0) return dns;
  const { side } = outgoing.filter;
  const names = outgoing.filter.rules.map(hostOf).filter((name) => name !== "");
  // Unfiltered, every name is looked up by the target: right for names whose connections go there.
  const filter = dns.filter ?? (side === "local" ? { side, rules: [] } : null);
  if (filter === null || names.length === 0) return dns;
  if (filter.side === side) {
    const added = names.filter((name) => !filter.rules.includes(name));
    const rules = [...new Set([...filter.rules, ...added])];
    return { ...dns, filter: rules.length === 0 ? null : { side, rules } };
  }
  for (const name of checks.matched(filter.rules, names)) {
    findings.warnings.push({
      path: [...dnsPath, "filter", filter.side],
      state: `"${name}" is looked up ${filter.side === "local" ? "locally" : "by the target"}, ` +
        `but outgoing.filter connects to it ${side === "local" ? "locally" : "from the target"}`,
    });
  }
  return dns;
}

/**
 * The host name in a rule of `[tcp://|udp://][HOST][:PORT]`, "" for a network, an address, `*` or a bare
 * port.
 */
function hostOf(rule: string): string {
  const host = rule.replace(/^[a-z]+:\/\//, "").replace(/:[0-9-]*$/, "");
  return /[a-z_]/i.test(host) && !host.includes(":") && !host.includes("/") ? host : "";
}
