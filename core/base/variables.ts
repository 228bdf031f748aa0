// This process's environment variables, those too that are not UTF-8: the runtime refuses to read them, and
// leaves them out of its list. Their text is osText's (os_text.ts). Called wherever a variable is read.

import { hasRawBytes, osText } from "./os_text.ts";

/** The value of variable `name`; undefined without one. */
export function variable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.InvalidData)) throw error;
    return rawVariables().find(([one]) => one === name)?.[1];
  }
}

/** All variables. */
export function variables(): Record<string, string> {
  return { ...Deno.env.toObject(), ...Object.fromEntries(rawVariables()) };
}

/** Those that are not UTF-8: as the process was started with them (proc_pid_environ(5)). */
function rawVariables(): [name: string, value: string][] {
  if (Deno.build.os !== "linux") return []; // no other system tells them
  const entries = osText(Deno.readFileSync("/proc/self/environ")).split("\0");
  return entries.filter(hasRawBytes).flatMap((entry) => {
    const equals = entry.indexOf("=");
    return equals > 0 ? [[entry.slice(0, equals), entry.slice(equals + 1)]] : [];
  });
}

/** Both, for callers that take some variables or others. */
export const environment = { get: variable, toObject: variables };

/** Variables that name where a program sends what it does. */
export const proxyVariables: readonly string[] = [
  "http_proxy",
  "https_proxy",
  "all_proxy",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "ALL_PROXY",
];
