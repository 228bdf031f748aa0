// Runs install.sh as `curl … | sh` does, by a given shell, with a PATH of chosen programs, as root or as
// another user, in a mount namespace where /usr/local/bin is a folder of the test's own.

import { root } from "../../scripts/step.ts";
import type { FakeRelease } from "../support/fake_release.ts";

export const shells = { dash: ["dash"], busybox: ["busybox", "sh"], bash: ["bash"] } as const;
export type ShellName = keyof typeof shells;

/** Programs that the script may need; a test leaves some out. */
const programs = [
  ..."uname id mktemp mkdir rm mv chmod cat sed grep awk cut tail tr dd cmp readlink sha256sum".split(" "),
  ...["curl", "wget", "minisign", "openssl"],
];
const template = Deno.readTextFileSync(`${root}scripts/install/install.sh`);
const decoder = new TextDecoder();

export interface Ending {
  code: number;
  /** Standard output and error, one behind the other. */
  text: string;
}

export interface Run {
  shell?: ShellName;
  /** Programs that are not there. */
  without?: readonly string[];
  /** Programs that are shell scripts of the test's: name → text. */
  posing?: Record<string, string>;
  /** As the machine's user, not as root. */
  nobody?: boolean;
  env?: Record<string, string>;
  /** install.sh of a release without a key, or of none. */
  publicKey?: string;
  /** The release that install.sh is of. */
  version?: string;
  /** Happens while the script runs; `group` is the process group of the script and all that it starts. */
  during?: (group: number) => Promise<void>;
}

/** A machine of the test's own: a home, a /usr/local/bin, and places to install to. */
export class Machine implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "mirrord-install." });
  readonly home = `${this.folder}/home`;
  readonly localBin = `${this.folder}/local-bin`;
  /** Whose home it is. */
  readonly user: number;

  constructor(user = 65534) {
    this.user = user;
    Deno.chmodSync(this.folder, 0o755);
    for (const folder of [this.home, this.localBin]) Deno.mkdirSync(folder);
    if (Deno.uid() === 0) Deno.chownSync(this.home, user, user);
  }

  /** Runs the script that `release` would serve. */
  async install(release: FakeRelease, args: string[] = [], run: Run = {}): Promise<Ending> {
    const script = template.replaceAll("@VERSION@", run.version ?? "0.0.0")
      .replaceAll("@HOMEPAGE@", "https://mirrord.example").replaceAll("@DOWNLOAD_BASE@", release.base)
      .replaceAll(/(?<==)@PUBLIC_KEY@/g, run.publicKey ?? release.publicKey);
    return await this.sh(script, args, run);
  }

  async sh(script: string, args: string[], run: Run): Promise<Ending> {
    const path = this.#programs(run);
    const user = run.nobody ? asUser(this.user) : [];
    const shell = shells[run.shell ?? "dash"];
    const inside = 'mount --bind "$LOCAL_BIN" /usr/local/bin && exec env PATH="$INNER_PATH" "$@"';
    const child = new Deno.Command("setsid", {
      args: [
        "unshare",
        ...["--mount", "--propagation", "private", "sh", "-c", inside, "sh", ...user],
        ...[absolute(shell[0]), ...shell.slice(1), "-s", "--", ...args],
      ],
      cwd: this.home,
      clearEnv: true,
      env: {
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        INNER_PATH: `${path}:/usr/local/bin`,
        LOCAL_BIN: this.localBin,
        HOME: this.home,
        ...run.env,
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const input = child.stdin.getWriter();
    await input.write(new TextEncoder().encode(script));
    await input.close();
    await run.during?.(child.pid);
    const { code, stdout, stderr } = await child.output();
    return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
  }

  /** A folder with links to the programs that are there. */
  #programs({ without = [], posing = {} }: Run): string {
    const folder = Deno.makeTempDirSync({ dir: this.folder, prefix: "bin." });
    Deno.chmodSync(folder, 0o755);
    for (const name of programs) {
      if (!without.includes(name) && posing[name] === undefined) {
        Deno.symlinkSync(absolute(name), `${folder}/${name}`);
      }
    }
    for (const [name, text] of Object.entries(posing)) {
      Deno.writeTextFileSync(`${folder}/${name}`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }
    return folder;
  }

  /** Names in a folder, hidden ones too; null where there is none. */
  names(folder: string): string[] | null {
    try {
      return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    } catch {
      return null;
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** What runs a command line as the user and group `id` and no other. */
export function asUser(id: number): string[] {
  return [absolute("setpriv"), `--reuid=${id}`, `--regid=${id}`, "--clear-groups"];
}

/** Where Debian has a program. */
function absolute(name: string): string {
  const found = ["/usr/bin", "/bin", "/usr/sbin"].map((folder) => `${folder}/${name}`).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error(`this machine has no ${name}`);
  return found;
}
