// What is known of processes, by proc(5). Called by core/session through ../this_platform.ts. Nothing is
// known of one that has ended or is another user's.

import { osText } from "../../base/os_text.ts";
import { readLink } from "./os_calls.ts";

/** All processes. */
export function allProcesses(): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Number.isInteger);
}

/** The words of its command line (proc_pid_cmdline(5)). */
export function commandLine(pid: number): string[] {
  return read(`/proc/${pid}/cmdline`).split("\0").slice(0, -1);
}

/** Its variables, each ended by a zero byte (proc_pid_environ(5)). */
export function environmentOf(pid: number): string {
  return read(`/proc/${pid}/environ`);
}

/** Its name (proc_pid_comm(5)). */
export function nameOf(pid: number): string {
  return read(`/proc/${pid}/comm`).trim();
}

/**
 * The process that calls itself `pid` in its own process namespace and has the variable `entry`
 * (pid_namespaces(7)); 0: it is not known. The last started is looked at first.
 */
export function processInside(pid: number, entry: string): number {
  return allProcesses().sort((a, b) => b - a).find((one) => {
    const numbers = /^NSpid:\t(.*)$/m.exec(read(`/proc/${one}/status`))?.[1]?.split("\t");
    return numbers?.at(-1) === String(pid) && environmentOf(one).split("\0").includes(entry);
  }) ?? 0;
}

/** The file of its program; null when that is not known. */
export function programOf(pid: number): string | null {
  return readLink(`/proc/${pid}/exe`);
}

/** Its working directory; null when that is not known. */
export function directoryOf(pid: number): string | null {
  return readLink(`/proc/${pid}/cwd`);
}

/** What it has mapped (proc_pid_maps(5)). */
export function mapsOf(pid: number): string {
  return read(`/proc/${pid}/maps`);
}

/** proc_uptime(5): the first number counts sleep too. */
export function secondsSinceBoot(): number {
  return parseFloat(Deno.readTextFileSync("/proc/uptime"));
}

function read(path: string): string {
  try {
    return osText(Deno.readFileSync(path));
  } catch {
    return "";
  }
}
