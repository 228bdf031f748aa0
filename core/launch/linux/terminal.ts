// Which process group has the terminal. Called by launch.ts, for the signals that a terminal sends.

/**
 * Is this process's group the terminal's foreground one? Then a Ctrl-C reached the app already. Fields 5 and
 * 8 of proc_pid_stat(5).
 */
export function inForeground(): boolean {
  try {
    const stat = Deno.readTextFileSync("/proc/self/stat");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[2] !== undefined && fields[2] === fields[5];
  } catch {
    return Deno.stdin.isTerminal();
  }
}
