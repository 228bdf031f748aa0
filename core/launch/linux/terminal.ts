// Which process group has the terminal, and who would continue it. Called by launch.ts, for the signals
// that a terminal sends.

/**
 * Is this process's group the terminal's foreground one? Then a Ctrl-C reached the app already. Fields 5 and
 * 8 of proc_pid_stat(5).
 */
export function inForeground(): boolean {
  const own = familyOf("self");
  return own === null ? Deno.stdin.isTerminal() : own.group === own.foreground;
}

/**
 * Has this process's group a parent outside it in the same session, as a shell is? A group without one is
 * orphaned, and the kernel does not stop it either (setpgid(2), "Job control"). The parent is looked for
 * above this process alone, where a shell is.
 */
export function canBeContinued(): boolean {
  const own = familyOf("self");
  for (let above = own; above !== null;) {
    const parent = familyOf(above.parent);
    if (parent === null || parent.session !== own?.session) return false;
    if (parent.group !== own.group) return true;
    above = parent;
  }
  return false;
}

interface Family {
  parent: string;
  group: string;
  session: string;
  foreground: string;
}

/** Fields 4, 5, 6 and 8 of proc_pid_stat(5); null where there is no such process. */
function familyOf(pid: string): Family | null {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const [, parent = "", group = "", session = "", , foreground = ""] = stat.slice(stat.lastIndexOf(")") + 2)
      .split(" ");
    return { parent, group, session, foreground };
  } catch {
    return null;
  }
}
