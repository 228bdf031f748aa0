// What a process that does not go on waits for, for the message of a test that gave up on it
// (proc_pid_syscall(5), proc_pid_wchan(5)).

import { sessionProcesses } from "./local_remains.ts";

/** The system call in which each thread of a process is, and its descriptors: for a failure's message. */
export function waitsIn(pid: number): string {
  try {
    const threads = [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) =>
      ["syscall", "wchan"].map((file) => Deno.readTextFileSync(`/proc/${pid}/task/${name}/${file}`).trim())
        .join(" ")
    );
    const files = [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) =>
      `${name}: ${Deno.readLinkSync(`/proc/${pid}/fd/${name}`)}`
    );
    return [...threads, ...files].join("; ");
  } catch (error) {
    return String(error);
  }
}

/** The same of every process of the session (setsid(2)) that `leader` began, one a line. */
export async function waitsOfSession(leader: number): Promise<string> {
  const found = await sessionProcesses(leader, null);
  return [...found].map(([pid, line]) => `${pid} ${line}: ${waitsIn(pid)}`).join("\n");
}
