// A stage without a cluster: the tests' target as a process in a network namespace of its own, its clients on
// this side of the veth. Used by tests/program/process_*_test.ts. Needs root.

import assert from "node:assert/strict";
import { attempt, until } from "../cluster/command.ts";
import { agentPids, agentRemains, readOrEmpty } from "./local_remains.ts";
import { Netns } from "./netns.ts";
import type { Order, Stage } from "./stage.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const listening = " 0A ";

export interface ProcessStageOptions {
  /** Where the original listens: "::" unless given; "own" is the namespace's IPv4 address. */
  listen?: string;
  port?: number;
  env?: Record<string, string>;
  /** The clients are in the target's namespace too, and dial 127.0.0.1. */
  inside?: boolean;
  /** In the developer's own network instead of another. */
  sameNetns?: boolean;
}

export class ProcessStage implements Stage {
  readonly kind = "process";
  readonly prefix: string[] = [];
  readonly targetFlags: string[];
  readonly hosts: { ipv4: string; ipv6: string };
  readonly addresses: { ipv4: string; ipv6: string };
  readonly clients: { ipv4: string; ipv6: string };
  readonly pid: number;
  readonly netns: Netns | null;
  readonly #original: Deno.ChildProcess;
  #before = new Set<string>();

  readonly #inside: boolean;

  private constructor(original: Deno.ChildProcess, netns: Netns | null, options: ProcessStageOptions) {
    this.#original = original;
    this.netns = netns;
    this.pid = original.pid;
    this.targetFlags = ["--target", `process/${original.pid}`];
    this.#inside = options.inside === true;
    const one = options.listen !== undefined;
    this.hosts = netns === null || this.#inside
      ? { ipv4: "127.0.0.1", ipv6: one ? "" : "::1" }
      : { ipv4: netns.ipv4, ipv6: one ? "" : netns.ipv6 };
    this.addresses = this.hosts;
    this.clients = netns === null || this.#inside
      ? { ipv4: "127.0.0.1", ipv6: "::1" }
      : { ipv4: netns.hostIpv4, ipv6: netns.hostIpv6 };
  }

  /** Resolves when the original listens. */
  static async create(options: ProcessStageOptions = {}): Promise<ProcessStage> {
    const port = options.port ?? 80;
    const netns = options.sameNetns === true ? null : await Netns.create();
    const argv = ["/usr/bin/python3", `${root}tests/cluster/apps/app.py`];
    const [program = "", ...args] = netns === null ? argv : netns.inside(argv);
    const original = new Deno.Command(program, {
      args,
      clearEnv: true,
      env: {
        PATH: "/usr/bin:/bin",
        PORT: String(port),
        LISTEN: options.listen === "own" ? netns?.ipv4 ?? "127.0.0.1" : options.listen ?? "::",
        GREETING: "from-the-target",
        SECRET_TOKEN: "hidden-in-the-target",
        ...options.env,
      },
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    const stage = new ProcessStage(original, netns, options);
    try {
      const hex = `:${port.toString(16).toUpperCase().padStart(4, "0")} `;
      const here = await Deno.readLink("/proc/self/ns/net");
      await until("the original listens", async () => {
        const there = await Deno.readLink(`/proc/${original.pid}/ns/net`);
        if (netns !== null && there === here) return "it has not entered its namespace";
        const all = await stage.#listeners();
        return all.some((line) => line.includes(hex)) || all.join("\n");
      });
      stage.#before = new Set(await stage.#listeners());
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  async ask(order: Order): Promise<unknown> {
    const argv = ["/usr/bin/python3", `${root}tests/apps/client.py`, JSON.stringify(order)];
    const place = this.#inside && this.netns !== null ? this.netns.inside(argv) : argv;
    const { code, stdout, stderr } = await attempt(place);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  }

  async identity(): Promise<string> {
    const stat = await readOrEmpty(`/proc/${this.pid}/stat`);
    return stat.slice(stat.lastIndexOf(")")).split(" ")[20] ?? "gone";
  }

  async remains(): Promise<string[]> {
    if (this.netns === null) return [];
    const added = (await this.#listeners()).filter((line) => !this.#before.has(line));
    return [...added, ...await agentRemains(await Deno.readLink(`/proc/${this.pid}/ns/net`))];
  }

  async agents(): Promise<number[]> {
    return await agentPids(await Deno.readLink(`/proc/${this.pid}/ns/net`));
  }

  /** Ends the original, as if it had crashed. */
  async end(): Promise<void> {
    this.#original.kill("SIGKILL");
    await this.#original.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#original.kill("SIGKILL");
    } catch {
      // A test ended it.
    }
    await this.#original.status;
    await this.netns?.[Symbol.asyncDispose]();
  }

  /** Address, port and inode of each listening socket, and the locks of stolen ports. */
  async #listeners(): Promise<string[]> {
    const tables = await Promise.all(
      ["tcp", "tcp6"].map((name) => readOrEmpty(`/proc/${this.pid}/net/${name}`)),
    );
    const sockets = tables.join("\n").split("\n").filter((line) => line.includes(listening))
      .map((line) => line.trim().split(/\s+/)).map((words) => `listener ${words[1]} ${words[9]}`);
    const locks = (await readOrEmpty(`/proc/${this.pid}/net/unix`)).split("\n")
      .filter((line) => line.includes("@mirrord/"));
    return [...sockets, ...locks];
  }
}
