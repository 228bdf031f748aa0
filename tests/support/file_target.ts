// A target with files of its own: a process in mount and process namespaces of its own whose root is a small
// tree on a tmpfs that nobody else sees. Disposing ends it, as the end of this process does, and the kernel
// removes the rest. Needs root.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { deadline } from "./deadline.ts";
import { TextLineStream } from "./text_lines.ts";
import { whenKilled } from "./when_killed.ts";

export interface FileTargetOptions {
  /** Shell commands that fill the tree; run as root in its top directory. */
  fill?: string;
  /** The user that the process runs as; root unless given. */
  uid?: number;
  gid?: number;
  groups?: number[];
  /** Bytes of the tmpfs, as mount(8) writes them. */
  size?: string;
  /** Its whole environment; the test's own unless given. */
  env?: Record<string, string>;
}

export class FileTarget implements AsyncDisposable {
  /** The target's process, numbered as here. */
  readonly pid: number;
  readonly #keeper: Deno.ChildProcess;
  readonly #end: AsyncDisposable;

  private constructor(keeper: Deno.ChildProcess, pid: number) {
    this.#keeper = keeper;
    this.pid = pid;
    this.#end = whenKilled(["kill", "-9", String(pid)]);
  }

  static async create(options: FileTargetOptions = {}): Promise<FileTarget> {
    const { fill = "", uid = 0, gid = uid, groups = [gid], size = "300m", env } = options;
    const script = `set -e
mount --make-rprivate /
mount -t tmpfs -o size=${size},mode=755 target /mnt
cd /mnt
mkdir usr proc tmp data dev etc
mount --rbind /usr usr
for name in bin lib lib64 sbin; do [ -L /$name ] && ln -s usr/$name $name; done
mount -t proc proc proc
chmod 1777 tmp
mknod -m 666 dev/null c 1 3
${fill}
echo ready
exec chroot --userspec=${uid}:${gid} --groups=${groups.join(",")} . ${
      env === undefined ? "/usr/bin/sleep infinity" : sleepingWith
    } </dev/null >/dev/null`;
    const keeper = new Deno.Command("unshare", {
      args: [
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "sh",
        "-c",
        script,
        "sh",
        JSON.stringify(env ?? {}),
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const lines = keeper.stdout.pipeThrough(new TextLineStream()).getReader();
    const first = await deadline(lines.read(), "the target's files are there");
    assert.equal(first.value, "ready");
    await lines.cancel();
    const target = new FileTarget(keeper, await onlyChild(keeper.pid));
    await until("the target runs", async () => {
      const name = await Deno.readTextFile(`/proc/${target.pid}/comm`);
      return name === "sleep\n" || name;
    }, 20);
    return target;
  }

  /** Runs a shell command inside, as root; what it prints. */
  async run(command: string): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("nsenter", {
      args: [`--target=${this.pid}`, "--mount", "--pid", "--root", "--wd", "/usr/bin/sh", "-c", command],
      stdin: "null",
    }).output();
    const text = new TextDecoder();
    assert.ok(success, text.decode(stderr));
    return text.decode(stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The child first: --kill-child is a signal at the parent's death, which a change of user takes back
    // (prctl(2)).
    try {
      Deno.kill(this.pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // the test ended it
    }
    await this.#keeper.status;
    await this.#end[Symbol.asyncDispose]();
  }
}

/** With the variables of $1 (JSON), whatever their names: no shell would hand on each of them. */
const sleepingWith =
  `/usr/bin/python3 -I -c 'import json, os, sys; os.execve("/usr/bin/sleep", ["sleep", "infinity"], json.loads(sys.argv[1]))' "$1"`;

async function onlyChild(pid: number): Promise<number> {
  return Number((await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`)).trim());
}
