// Debuggers' ports in the variables that editors set, in upstream's form: MIRRORD_IGNORE_DEBUGGER_PORTS is a
// port, a range (a-b) or several of them with commas; MIRRORD_DETECT_DEBUGGER_PORT names a debugger, of which
// all are looked for anyway. Read by core/session/options.ts, checked by variables.ts.

/** The variable that names ports. */
export const debuggerPortsVariable = "MIRRORD_IGNORE_DEBUGGER_PORTS";
/** The values of MIRRORD_DETECT_DEBUGGER_PORT. */
export const debuggerNames = ["debugpy", "pydevd", "resharper", "javaagent", "nodeinspector"] as const;

/** From the first to the last, both among them. */
export interface PortRange {
  first: number;
  last: number;
}

/** The ports that `text` names; null: it is no port, range or list of them. */
export function readPortRanges(text: string): PortRange[] | null {
  if (text.trim() === "") return [];
  const ranges = text.split(",").map((part) => {
    const [, first, last = first] = /^\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?\s*$/.exec(part) ?? [];
    return { first: Number(first), last: Number(last) };
  });
  return ranges.every(({ first, last }) => first >= 1 && first <= last && last <= 65535) ? ranges : null;
}
