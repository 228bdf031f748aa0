// A target whose sockets are compared with those of the app, for tests/program: a network, host name and
// hosts file of its own, with sidecars on the addresses that the app leaves free. And what
// tests/apps/own_address.py prints of each address that it binds.

import assert from "node:assert/strict";
import { App } from "./layer_app.ts";
import { Netns } from "./netns.ts";

/** tests/apps/own_address.py, and what runs it. */
export const script = decodeURIComponent(new URL("../apps/own_address.py", import.meta.url).pathname);
export const python = "/usr/bin/python3";
const hostName = "pod-with-a-name";

/** One address to bind, or to ask. */
export interface Row {
  protocol: "tcp" | "udp";
  family: 4 | 6;
  bind: string;
  port: number;
  ask: string[];
  name: string;
  wait?: true;
  hold?: true;
}

/** The target: a network, host name and hosts file of its own, and the sidecars. */
export class Pod implements AsyncDisposable {
  readonly netns: Netns;
  readonly #hosts: string;
  #sidecars: App | null = null;

  private constructor(netns: Netns, hosts: string) {
    this.netns = netns;
    this.#hosts = hosts;
  }

  static async create(options: { sidecars?: Row[] } = {}): Promise<Pod> {
    const netns = await Netns.create();
    const hosts = Deno.makeTempFileSync({ prefix: "mirrord-hosts-" });
    Deno.writeTextFileSync(
      hosts,
      `127.0.0.1 localhost\n::1 localhost\n${netns.ipv4} ${hostName}\n${netns.ipv6} ${hostName}\n`,
    );
    const pod = new Pod(netns, hosts);
    const sidecars = options.sidecars ?? pod.sidecars();
    const enter = `hostname ${hostName} && mount --bind ${hosts} /etc/hosts && exec "$@"`;
    const inside = [
      "unshare",
      "--uts",
      "--mount",
      "sh",
      "-c",
      enter,
      "sh",
      python,
      script,
      JSON.stringify(sidecars),
    ];
    pod.#sidecars = new App(null, netns.inside(inside));
    for (const { bind } of sidecars) {
      assert.match(await pod.#sidecars.line(), new RegExp(`^{"name": \\["${bind}"`));
    }
    return pod;
  }

  get pid(): number {
    return this.#sidecars?.pid ?? 0;
  }

  /** `argv` in the target, without mirrord. */
  inside(argv: string[]): string[] {
    return ["nsenter", `--target=${this.pid}`, "--net", "--uts", "--mount", ...argv];
  }

  /** Addresses of a family: all, loopback, the pod's. */
  addresses(family: 4 | 6): { any: string; loopback: string; own: string } {
    return family === 4
      ? { any: "0.0.0.0", loopback: "127.0.0.1", own: this.netns.ipv4 }
      : { any: "::", loopback: "::1", own: this.netns.ipv6 };
  }

  /** On the ports of `rows`, at the address that the app leaves free. */
  sidecars(): Row[] {
    return this.rows().filter(({ port, bind }) => port !== 0 && !isWildcard(bind)).map((row) => ({
      ...row,
      bind: row.ask.find((host) => host !== row.bind && host !== hostName) ?? "",
      ask: [],
      name: "sidecar",
      hold: true,
    }));
  }

  rows(): Row[] {
    const rows: Row[] = [];
    for (const family of [4, 6] as const) {
      const { any, loopback, own } = this.addresses(family);
      for (const bind of [any, loopback, own]) {
        for (const protocol of ["tcp", "udp"] as const) {
          const all = [loopback, own, hostName];
          // Without a sidecar nobody is asked that would not answer: how UDP is refused is another matter
          // (docs/differences.md).
          const covered = all.filter((host) =>
            bind === any || host === bind || (bind === own && host === hostName)
          );
          rows.push({ protocol, family, bind, port: 7100 + rows.length, ask: all, name: "app" });
          rows.push({ protocol, family, bind, port: 0, ask: covered, name: "app" });
        }
      }
    }
    return rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sidecars?.[Symbol.asyncDispose]();
    await this.netns[Symbol.asyncDispose]();
    Deno.removeSync(this.#hosts);
  }
}

function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** The row as a text. */
export function described({ protocol, family, bind, port }: Row): string {
  return `${protocol} ${family} ${bind} ${port === 0 ? "port 0" : port}`;
}

/** What `app` prints for each of `rows`; `asked` is called while it waits. */
export async function answersOf(
  app: App,
  rows: Row[],
  asked: (row: Row, port: number) => Promise<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {};
  for (const row of rows) {
    const { port, ...own } = JSON.parse(await app.line()) as { port?: number };
    const others = port === undefined ? {} : await asked(row, port);
    if (port !== undefined) await app.write("");
    answers[described(row)] = { ...own, ...others };
  }
  return answers;
}

/** Who answers a program inside the target, and one on another host. */
export async function askedByOthers(
  pod: Pod,
  { protocol, family }: Row,
  port: number,
): Promise<Record<string, unknown>> {
  const { loopback, own } = pod.addresses(family);
  const ask = async (from: string, hosts: string[]): Promise<[string, unknown][]> => {
    const argv = [python, script, JSON.stringify([{ protocol, family, port, ask: hosts }])];
    await using asking = new App(null, from === "inside" ? pod.inside(argv) : argv);
    const answers = JSON.parse(await asking.line()) as Record<string, unknown>;
    return Object.entries(answers).map(([host, answer]) => [`${from}: ${host}`, answer]);
  };
  return Object.fromEntries([...await ask("inside", [loopback, own]), ...await ask("outside", [own])]);
}

/** A configuration file, as long as it is not disposed. */
export function configFile(content: unknown): Disposable & { path: string } {
  const path = Deno.makeTempFileSync({ prefix: "mirrord-config-", suffix: ".json" });
  Deno.writeTextFileSync(path, JSON.stringify(content));
  return { path, [Symbol.dispose]: () => Deno.removeSync(path) };
}

/** Lets mirrord end by itself: killing its whole group kills what removes its folder, too. */
export async function endOf(app: App): Promise<void> {
  app.kill("SIGTERM");
  await app.status;
}
