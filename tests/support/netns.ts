// A network namespace of a test's own: a "pod", linked by veth to where the test runs, which is its other
// host. Disposing ends every process in it and removes it, and so does the end of this process. Needs root
// and iproute2.

import { whenKilled } from "./when_killed.ts";

const decoder = new TextDecoder();

/** Runs a command to its end; answers its standard output, throws with what it said when it failed. */
export async function command(argv: string[]): Promise<string> {
  const [program = "", ...args] = argv;
  const { success, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  if (!success) throw new Error(`${argv.join(" ")}: ${decoder.decode(stderr).trim()}`);
  return decoder.decode(stdout);
}

/** What disposing does, by a shell. */
const removal = 'kill -9 $(ip netns pids "$1"); ip link del "$1"; ip netns del "$1"';

export class Netns implements AsyncDisposable {
  readonly name: string;
  /** The pod's addresses, and those of the test's own end. */
  readonly ipv4: string;
  readonly ipv6: string;
  readonly hostIpv4: string;
  readonly hostIpv6: string;
  /** A process that only sits in the namespace; `netns` of an agent's options names it. */
  pid = 0;
  #holder: Deno.ChildProcess | null = null;
  #end: AsyncDisposable | null = null;

  /**
   * `id` has 15 bits, as many as there are networks of four addresses: a name of its own means addresses of
   * its own.
   */
  private constructor(id: number) {
    const hex = id.toString(16);
    this.name = `mt${hex}`;
    const net = `198.${18 + (id >> 14)}.${id >> 6 & 255}`;
    const low = (id & 63) << 2;
    this.hostIpv4 = `${net}.${low + 1}`;
    this.ipv4 = `${net}.${low + 2}`;
    this.hostIpv6 = `fd6d:0:${hex}::1`;
    this.ipv6 = `fd6d:0:${hex}::2`;
  }

  /** `ipv6: false`: the namespace has no IPv6 at all. */
  static async create(options: { ipv6?: boolean } = {}): Promise<Netns> {
    const netns = await Netns.#add();
    const { name } = netns;
    netns.#end = whenKilled(["sh", "-c", removal, "sh", name]);
    try {
      await command(["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name]);
      if (options.ipv6 === false) {
        await netns.run(["sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6"]);
      } else {
        // Its link-local address is there at once, not tentative for a second.
        await netns.run(["sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad"]);
      }
      await command(["ip", "addr", "add", `${netns.hostIpv4}/30`, "dev", name]);
      await command(["ip", "link", "set", name, "up"]);
      await command(["ip", "-n", name, "link", "set", "lo", "up"]);
      await command(["ip", "-n", name, "addr", "add", `${netns.ipv4}/30`, "dev", "eth0"]);
      await command(["ip", "-n", name, "link", "set", "eth0", "up"]);
      if (options.ipv6 !== false) {
        await command(["ip", "addr", "add", `${netns.hostIpv6}/64`, "dev", name, "nodad"]);
        await command(["ip", "-n", name, "addr", "add", `${netns.ipv6}/64`, "dev", "eth0", "nodad"]);
      }
      await netns.#hold();
      return netns;
    } catch (error) {
      await netns[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Adds one whose name, and so addresses, nobody on this machine has. */
  static async #add(): Promise<Netns> {
    for (;;) {
      const [random = 0] = crypto.getRandomValues(new Uint16Array(1));
      const netns = new Netns(random & 0x7fff);
      try {
        await command(["ip", "netns", "add", netns.name]);
        return netns;
      } catch (error) {
        if (!(error instanceof Error && error.message.includes("File exists"))) throw error;
      }
    }
  }

  /** The command line that runs `argv` inside. */
  inside(argv: string[]): string[] {
    return ["nsenter", `--net=/run/netns/${this.name}`, ...argv];
  }

  /** Runs a command inside, to its end. */
  run(argv: string[]): Promise<string> {
    return command(this.inside(argv));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const pids = await command(["ip", "netns", "pids", this.name]).catch(() => "");
    for (const pid of pids.split("\n").filter(Boolean)) {
      try {
        Deno.kill(Number(pid), "SIGKILL");
      } catch {
        // It ended meanwhile.
      }
    }
    await this.#holder?.status;
    await command(["ip", "link", "del", this.name]).catch(() => {}); // gone with the namespace, perhaps
    await command(["ip", "netns", "del", this.name]);
    await this.#end?.[Symbol.asyncDispose]();
  }

  /** Ready once its first byte comes: it is inside then. */
  async #hold(): Promise<void> {
    const [program = "", ...args] = this.inside(["sh", "-c", "echo; exec sleep infinity"]);
    this.#holder = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "null" })
      .spawn();
    this.pid = this.#holder.pid;
    const reader = this.#holder.stdout.getReader();
    await reader.read();
    await reader.cancel();
  }
}
