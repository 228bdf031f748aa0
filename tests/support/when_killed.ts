// What goes when a test's process is killed and disposes of nothing: a small shell waits for the end of this
// process and runs a command then. Used for what the kernel does not take back by itself: network namespaces,
// targets, sessions, namespaces of the cluster. The shell is in a process session of its own, so a signal to
// the test's group spares it.

/**
 * It keeps this process's standard output open until it is done: a process that waits for that
 * output's end has waited for this.
 */
const script = 'trap "" INT TERM HUP; read -r _; "$@" >/dev/null 2>&1';

/** Runs `argv` when this process ends without having disposed of the answer. */
export function whenKilled(argv: string[]): AsyncDisposable {
  const shell = new Deno.Command("setsid", {
    args: ["sh", "-c", script, "sh", ...argv],
    stdin: "piped",
    stderr: "null",
  }).spawn();
  let over: Promise<void> | null = null;
  const dispose = async (): Promise<void> => {
    // Before its pipe is closed, which would be this process's end to it.
    shell.kill("SIGKILL");
    await shell.status;
    await shell.stdin.abort();
  };
  return { [Symbol.asyncDispose]: () => over ??= dispose() };
}
