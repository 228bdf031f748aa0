// A directory for one session (0700): the layer's file and the layer's socket. It is removed with the
// session, also when this process is killed: then a small shell removes it, which waits for this process's
// end of its pipe to close. The shell has a session of its own (setsid(2)), so it outlives a kill of the
// whole process group.

import { socketPathBytes } from "../../protocol-wasm/mod.ts";
import { exitCodes, MirrordError } from "../base/errors.ts";
import { machineError } from "../base/machine.ts";
import { hasRawBytes } from "../base/os_text.ts";
import { variable } from "../base/variables.ts";

const watcher =
  `trap "" INT TERM HUP QUIT; cat >/dev/null; [ ! -f "$1/farewell" ] || sh "$1/farewell"; rm -rf -- "$1"`;
/**
 * util-linux' or busybox' own: where there is none the runtime has to fork for it, which costs some
 * milliseconds.
 */
const setsid = ["/usr/bin/setsid", "/bin/setsid"];

export class PrivateDir implements AsyncDisposable {
  readonly path: string;
  readonly #watcher: Deno.ChildProcess;

  private constructor(path: string, watcher: Deno.ChildProcess) {
    this.path = path;
    this.#watcher = watcher;
  }

  /**
   * Makes the directory under $XDG_RUNTIME_DIR if that is this user's alone, otherwise under $TMPDIR, /tmp,
   * /dev/shm or ~/.cache: the first that `suits` and can be written to, or if none suits the first that can
   * be written to.
   */
  static make(suits: (folder: string) => boolean = () => true): PrivateDir {
    const path = makeFolder(suits);
    const shell = ["/bin/sh", "-c", watcher, "mirrord-cleanup", path];
    const alone = setsid.find(isFile);
    const [program = "", ...args] = alone === undefined ? shell : [alone, ...shell];
    const watching = new Deno.Command(program, {
      args,
      cwd: "/",
      stdin: "piped",
      stdout: "null",
      stderr: "null",
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin" },
      detached: alone === undefined,
    }).spawn();
    return new PrivateDir(path, watching);
  }

  /**
   * The path of a new folder within that every user may search who gets this far, by a descriptor that this
   * user handed on.
   */
  makeOpen(name: string): string {
    const path = `${this.path}/${name}`;
    Deno.mkdirSync(path);
    Deno.chmodSync(path, 0o711);
    return path;
  }

  /**
   * A command, with its environment, that is run before the directory `path` is removed, unless this process
   * lives to dispose of the result. Variables whose names no shell takes are left out, and the others go by
   * the shell itself: as words of a command every user of the machine could read them (proc_pid_cmdline(5)).
   */
  static farewell(path: string, argv: readonly string[], env: Readonly<Record<string, string>>): Disposable {
    const entries = Object.entries(env)
      .filter(([name, value]) => /^[A-Za-z_]\w*$/.test(name) && !hasRawBytes(value));
    // By "command" it goes on after a name that the shell keeps to itself, as bash does UID.
    const exports = entries.map(([name, value]) => `command export ${name}=${quoted(value)}\n`);
    const file = `${path}/farewell`;
    const text = `${exports.join("")}exec ${argv.map(quoted).join(" ")}\n`;
    Deno.writeTextFileSync(file, text, { mode: 0o600, createNew: true });
    return { [Symbol.dispose]: () => Deno.removeSync(file) };
  }

  /** Removes the directory and what is in it; resolves when it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watcher.stdin.close();
    await this.#watcher.status;
  }
}

/** As one word of a shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Where the directory may lie, the best first. */
function places(): string[] {
  const [runtime, temporary, home] = ["XDG_RUNTIME_DIR", "TMPDIR", "HOME"].map(variable);
  const cache = home === undefined ? undefined : `${home}/.cache`;
  return [
    ...(fits(runtime) && isOwn(runtime) ? [runtime] : []),
    ...(fits(temporary) ? [temporary] : []),
    "/tmp",
    "/dev/shm",
    ...(fits(cache) ? [cache] : []),
  ];
}

function makeFolder(suits: (folder: string) => boolean): string {
  const all = [...new Set(places())];
  let failure: unknown;
  for (const dir of [...all.filter(suits), ...all.filter((one) => !suits(one))]) {
    try {
      return Deno.makeTempDirSync({ prefix: "mirrord-", dir }); // mkdtemp(3) makes it 0700
    } catch (error) {
      // A full disk is a better reason to report than another place that does not exist.
      if (failure === undefined || machineError(failure) === null && machineError(error) !== null) {
        failure = error;
      }
    }
  }
  throw machineError(failure) ??
    new MirrordError(`Cannot make a folder for the session: none of ${all.join(", ")} can be written to`, {
      help: "Set TMPDIR to a writable folder.",
      exitCode: exitCodes.machine,
      cause: failure,
    });
}

/**
 * Can a session's directory lie there? Of a Unix socket's path ours takes 44 bytes at most, and one is its
 * zero (unix(7)); LD_PRELOAD cannot express spaces, colons and dollar signs (ld.so(8)), the runtime no path
 * that is not UTF-8.
 */
function fits(path: string | undefined): path is string {
  return path !== undefined && /^\/[^\s:;$]*$/.test(path) && !hasRawBytes(path) &&
    new TextEncoder().encode(path).length < socketPathBytes - 44;
}

/**
 * In a directory of another user, that user could replace this session's directory: sudo may keep its
 * variable.
 */
function isOwn(path: string): boolean {
  try {
    const { isDirectory, uid, mode } = Deno.statSync(path);
    return isDirectory && uid === Deno.uid() && ((mode ?? 0) & 0o077) === 0;
  } catch {
    return false;
  }
}
