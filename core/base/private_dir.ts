// A directory for one session (0700): the layer's file and the layer's socket. It goes away with the session,
// also when this process is killed: a small shell that waits for our end of its pipe to close removes it then.

const watcher = `trap "" INT TERM HUP QUIT; cat >/dev/null; rm -rf -- "$1"`;

export class PrivateDir implements AsyncDisposable {
  readonly path: string;
  readonly #watcher: Deno.ChildProcess;

  private constructor(path: string, watcher: Deno.ChildProcess) {
    this.path = path;
    this.#watcher = watcher;
  }

  /** Makes the directory under $XDG_RUNTIME_DIR or the system's temporary directory. */
  static make(): PrivateDir {
    const parent = Deno.env.get("XDG_RUNTIME_DIR");
    // mkdtemp(3) makes it 0700.
    const path = Deno.makeTempDirSync({ prefix: "mirrord-", ...(usable(parent) ? { dir: parent } : {}) });
    const watching = new Deno.Command("/bin/sh", {
      args: ["-c", watcher, "mirrord-cleanup", path],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin" },
    }).spawn();
    return new PrivateDir(path, watching);
  }

  /** Removes the directory and what is in it; resolves when it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watcher.stdin.close();
    await this.#watcher.status;
  }
}

function usable(path: string | undefined): path is string {
  if (path === undefined || !path.startsWith("/")) return false;
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
