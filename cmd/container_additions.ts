// What a session adds to a container's command line, and the files in the session's folder that the engine
// reads. Called by container.ts, which runs the engine, and container_ext.ts, whose editor does.

import { log } from "../core/base/log.ts";
import type { Config } from "../core/config/config.ts";
import { handOver } from "../core/launch/container/variables.ts";
import type { Additions } from "../core/launch/container/words.ts";
import { withLayer } from "../core/launch/launch.ts";
import { skippedNames } from "../core/launch/skip.ts";
import { environmentChange } from "../core/session/app_env.ts";
import { libcResolves } from "../core/session/dns.ts";
import type { EnvRules } from "../core/session/env.ts";
import type { OpenedSession } from "./open_session.ts";

export interface ContainerStart {
  config: Config;
  rules: EnvRules | null;
  /** The container's variables without the target's. */
  own: Readonly<Record<string, string>>;
  /** The engine runs with mirrord's own environment. */
  isChild: boolean;
}

/** Where only this user gets to. */
export function ownFolder({ socketPath }: OpenedSession): string {
  const open = socketPath.slice(0, socketPath.lastIndexOf("/"));
  return open.slice(0, open.lastIndexOf("/"));
}

/** Writes the engine's file; `environment` is what the engine needs in its own. */
export function addToContainer(
  opened: OpenedSession,
  { config, rules, own, isChild }: ContainerStart,
): { additions: Additions; environment: Record<string, string> } {
  const { socketPath, layerPath } = opened;
  const { set, unset } = environmentChange(rules, opened.variables, []);
  const { file, environment, left } = handOver(set, isChild);
  if (left.length > 0) {
    log.warning(`Variables that the container engine cannot pass on are left out: ${left.join(", ")}`);
  }
  const envFile = `${ownFolder(opened)}/variables`;
  Deno.writeTextFileSync(envFile, file, { mode: 0o600, createNew: true });
  const before = { ...set, ...own };
  const kept: Record<string, string> = {};
  for (const name of ["LD_PRELOAD", "GODEBUG"]) {
    if (before[name] !== undefined) kept[name] = before[name];
  }
  const layer = withLayer(layerPath, {
    env: opened.carriesNames ? libcResolves(kept) : kept,
    socketPath,
    skipped: skippedNames(config.processes),
  });
  const away = new Set(unset.map((name) => name.toLowerCase()));
  return {
    additions: {
      folder: socketPath.slice(0, socketPath.lastIndexOf("/")),
      envFile,
      handed: Object.keys(environment),
      layer: { ...layer, MIRRORD_SESSION_PID: "0" }, // another number in the container's own namespace
      unset: Object.keys(own).filter((name) => away.has(name.toLowerCase())),
      confined: isConfined(),
    },
    environment,
  };
}

/** SELinux gives a container none of this machine's files, unless it is told so (selinux(8)). */
function isConfined(): boolean {
  try {
    return Deno.readTextFileSync("/sys/fs/selinux/enforce").trim() === "1";
  } catch {
    return false;
  }
}
