// A target with names of its own: a process in network, mount and host name namespaces of its own, whose
// resolv.conf, hosts and nsswitch.conf the test writes, and a name server beside it. Used by the tests of
// names on every level. The real answers are to be had there too: `native` runs tests/apps/names.c beside the
// target.

import { deadline } from "./deadline.ts";
import { compileApp } from "./layer_app.ts";
import { Netns } from "./netns.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const serverApp = `${root}tests/apps/dns_server.py`;

/** The files of the target; a text each. */
export interface DnsFiles {
  resolvConf: string;
  hosts?: string;
  nsswitch?: string;
  hostConf?: string;
}

export interface DnsStageOptions {
  /** What the name server knows, as tests/apps/dns_server.py says. */
  zone: Record<string, unknown>;
  files: DnsFiles;
  hostName?: string;
  ipv6?: boolean;
}

export class DnsStage implements AsyncDisposable {
  readonly netns: Netns;
  readonly #folder: string;
  readonly #children: Deno.ChildProcess[] = [];
  /** The target's process. */
  pid = 0;

  private constructor(netns: Netns) {
    this.netns = netns;
    this.#folder = Deno.makeTempDirSync({ prefix: "mirrord-names-" });
    Deno.chmodSync(this.#folder, 0o755);
  }

  static async create({ zone, files, hostName = "pod-1", ipv6 = true }: DnsStageOptions): Promise<DnsStage> {
    const stage = new DnsStage(await Netns.create({ ipv6 }));
    try {
      stage.write({ hosts: "", nsswitch: "hosts: files dns\n", hostConf: "multi on\n", ...files });
      const order = {
        listen: ["127.0.0.1", "127.0.0.2"],
        silent: ["127.0.0.4"],
        log: `${stage.#folder}/log`,
        zone,
      };
      Deno.writeTextFileSync(order.log, "");
      await stage.#start(stage.netns.inside(["/usr/bin/python3", serverApp, JSON.stringify(order)]));
      const mounts = places.map(([name, path]) => `mount --bind ${stage.#folder}/${name} ${path}`);
      const script = [...mounts, `hostname ${hostName}`, "echo ready", "exec sleep infinity"].join(" && ");
      const target = stage.netns.inside(["unshare", "--mount", "--uts", "sh", "-c", script]);
      stage.pid = (await stage.#start(target)).pid;
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Changes files of the target. */
  write(files: Partial<DnsFiles>): void {
    for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(`${this.#folder}/${name}`, text);
  }

  /** What the server was asked since the last call: `NAME TYPE udp|tcp`. */
  asked(): string[] {
    const lines = Deno.readTextFileSync(`${this.#folder}/log`).split("\n").filter(Boolean);
    Deno.truncateSync(`${this.#folder}/log`);
    return lines;
  }

  /** The command line that runs `argv` where the target is. */
  inside(argv: string[]): string[] {
    return ["nsenter", "--target", String(this.pid), "--mount", "--net", "--uts", ...argv];
  }

  /** libc's answers to the questions of tests/apps/names.c, asked beside the target. */
  async native(questions: readonly string[]): Promise<string[]> {
    return await askNames(this.inside([await compileApp("names")]), questions);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      try {
        child.kill("SIGKILL");
      } catch {
        // It ended already.
      }
      await child.status;
    }
    await this.netns[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #start([program = "", ...args]: string[]): Promise<Deno.ChildProcess> {
    const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped" }).spawn();
    this.#children.push(child);
    const reader = child.stdout.getReader();
    const { done } = await deadline(reader.read(), `"${program} ${args.join(" ")}" is ready`);
    if (done) throw new Error(`"${program} ${args.join(" ")}" ended`);
    await reader.cancel();
    return child;
  }
}

const places = [
  ["resolvConf", "/etc/resolv.conf"],
  ["hosts", "/etc/hosts"],
  ["nsswitch", "/etc/nsswitch.conf"],
  ["hostConf", "/etc/host.conf"],
] as const;

/** Runs `argv`, which reads questions as tests/apps/names.c does, and gives its lines of answer. */
export async function askNames(
  [program = "", ...args]: string[],
  questions: readonly string[],
  env: Record<string, string> = {},
): Promise<string[]> {
  const child = new Deno.Command(program, { args, env, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(questions.map((one) => `${one}\n`).join("")));
  await writer.close();
  const { stdout } = await deadline(child.output(), "the names are answered");
  return new TextDecoder().decode(stdout).split("\n").slice(0, -1);
}
