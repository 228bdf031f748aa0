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

  /** Makes the directory under $XDG_RUNTIME_DIR if that is this user's alone, else under $TMPDIR, else under /tmp. */
  static make(): PrivateDir {
    const [runtime, temporary] = ["XDG_RUNTIME_DIR", "TMPDIR"].map((name) => Deno.env.get(name));
    const dir = fits(runtime) && isOwn(runtime) ? runtime : fits(temporary) ? temporary : "/tmp";
    // mkdtemp(3) makes it 0700.
    const path = Deno.makeTempDirSync({ prefix: "mirrord-", dir });
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

  /** The path of a new folder within that anybody may search, who got this far: by a descriptor that this user handed on. */
  makeOpen(name: string): string {
    const path = `${this.path}/${name}`;
    Deno.mkdirSync(path);
    Deno.chmodSync(path, 0o711);
    return path;
  }

  /** Removes the directory and what is in it; resolves when it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watcher.stdin.close();
    await this.#watcher.status;
  }
}

/**
 * Can a session's directory lie there? A Unix socket's path has at most 107 bytes (unix(7)), of which ours takes 44 at
 * most; LD_PRELOAD cannot express spaces, colons and dollar signs (ld.so(8)).
 */
function fits(path: string | undefined): path is string {
  return path !== undefined && /^\/[^\s:;$]*$/.test(path) && new TextEncoder().encode(path).length <= 63;
}

/** In a directory of another user, that user could put another in the place of ours: sudo may keep its variable. */
function isOwn(path: string): boolean {
  try {
    const { isDirectory, uid, mode } = Deno.statSync(path);
    return isDirectory && uid === Deno.uid() && ((mode ?? 0) & 0o077) === 0;
  } catch {
    return false;
  }
}
