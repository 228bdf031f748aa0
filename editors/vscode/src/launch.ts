// How each kind of launch configuration is changed so that its program runs in the session. Nothing here
// knows the editor's API.

import type { DebugConfiguration } from "./api.ts";
import type { Launch } from "./session.ts";

/** Their pages are no programs of the developer's. */
const browsers = /^(pwa-)?(chrome|msedge|firefox|extensionHost)$/;
/** Debuggers that take variables as a list of names and values (cppdbg, cppvsdbg: key `environment`). */
const listed = ["cppdbg", "cppvsdbg"];

/** True for what starts a program: one that is attached to runs already, where it runs. */
export function startsProgram(configuration: DebugConfiguration): boolean {
  const { request, type, program, runtimeArgs, __pendingTargetId: target } = configuration;
  if (target !== undefined) return false; // js-debug's own session for a process that it has started
  const onlyListens = type === "php" && !program && !runtimeArgs; // it waits for a program that Xdebug is in
  return request === "launch" && !browsers.test(type) && !onlyListens;
}

/** The file that the debugger will run, if the configuration names it. */
export function executableOf(configuration: DebugConfiguration): string | undefined {
  const keys = /^(pwa-)?node$/.test(configuration.type)
    ? ["runtimeExecutable"]
    : /^(python|debugpy)$/.test(configuration.type)
    ? ["python", "pythonPath"]
    : ["program"];
  const found = keys.map((key) => configuration[key]).flat().find((value) => typeof value === "string");
  return found === "" ? undefined : found as string | undefined;
}

/** The configuration with the session's variables; the one that is given stays as it is. */
export function inSession(configuration: DebugConfiguration, launch: Launch): DebugConfiguration {
  const { environment, env_to_unset: removed } = launch;
  if (listed.includes(configuration.type)) {
    const before = (configuration["environment"] ?? []) as { name: string; value: string }[];
    const kept = before.filter(({ name }) => !removed.includes(name) && !Object.hasOwn(environment, name));
    const added = Object.entries(environment).map(([name, value]) => ({ name, value }));
    return { ...configuration, environment: [...kept, ...added] };
  }
  const env: Record<string, unknown> = { ...configuration["env"] as object | undefined, ...environment };
  for (const name of removed) {
    // js-debug removes what is null (its type of `env`); other debuggers inherit such a variable.
    if (/^(pwa-)?node(-terminal)?$/.test(configuration.type)) env[name] = null;
    else delete env[name];
  }
  return { ...configuration, env };
}

/** A launch configuration may say itself whether mirrord is on: MIRRORD_ACTIVE among its variables. */
export function isActive(configuration: DebugConfiguration, isOn: boolean): boolean {
  const said = (configuration["env"] as Record<string, unknown> | undefined)?.["MIRRORD_ACTIVE"];
  return said === undefined ? isOn : String(said) === "1";
}
