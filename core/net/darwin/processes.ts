// What is known of processes of this user's, by ps(1) and lsof(8). Called by core/session and core/launch
// through ../this_platform.ts. Words of a command line come without their bounds: one with a blank is two
// here.

import { log } from "../../base/log.ts";
import { linesOf, lsof, outputOf, ps } from "./tools.ts";

/** All processes. */
export function allProcesses(): number[] {
  return lines(["-A", "-o", "pid="]).map(Number).filter((pid) => pid > 0);
}

/** The words of its command line; none of a process that has ended. */
export function commandLine(pid: number): string[] {
  const [line = ""] = lines(["-ww", "-o", "args=", "-p", String(pid)]);
  return line.split(/\s+/).filter((word) => word !== "");
}

/** Its variables, each ended by a zero byte: Darwin does not give them away. */
export function environmentOf(_pid: number): string {
  return "";
}

/** The name of its program, as the kernel keeps it. */
export function nameOf(pid: number): string {
  const [path = ""] = lines(["-o", "comm=", "-p", String(pid)]);
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Darwin has no process namespaces, and no containers of its own. */
export function processInside(_pid: number, _entry: string): number {
  return 0;
}

/** The file of its program; null when that is not known. */
export function programOf(pid: number): string | null {
  const [path = ""] = lines(["-o", "comm=", "-p", String(pid)]);
  return path.startsWith("/") ? path : null;
}

/** Its working directory; null when that is not known. */
export function directoryOf(pid: number): string | null {
  const text = known(() => outputOf(lsof, ["-a", "-w", "-p", String(pid), "-d", "cwd", "-Fn"]), "");
  return /^n(\/.*)$/m.exec(text)?.[1] ?? null;
}

/** What it has mapped, as far as that is known. */
export function mapsOf(_pid: number): string {
  return "";
}

/** Seconds of a clock that goes on while the machine sleeps. */
export function secondsSinceBoot(): number {
  return Date.now() / 1000;
}

function lines(args: readonly string[]): string[] {
  return known(() => linesOf(ps, args).map((line) => line.trim()), []);
}

/** A failure is `nothing`, as of a process that ended. */
function known<Found>(find: () => Found, nothing: Found): Found {
  try {
    return find();
  } catch (error) {
    log.debug(`Nothing is known of a process: ${error}`);
    return nothing;
  }
}
