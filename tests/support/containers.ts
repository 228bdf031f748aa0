// A container engine of the tests' own: Debian's podman, or its Docker with a daemon of its own, with a store
// in a folder that is removed with it, and images that tests/cluster/images.ts makes of Debian packages. Used
// by tests/program/container_*_test.ts and tests/e2e. Needs root.

import { attempt, run, until } from "../cluster/command.ts";
import { ensureImages, imageName } from "../cluster/images.ts";
import { whenKilled } from "./when_killed.ts";

export type TestedEngine = "podman" | "docker";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const programs: Record<TestedEngine, string[]> = {
  podman: ["/usr/bin/podman", "/usr/sbin/runc"],
  docker: ["/usr/bin/docker", "/usr/sbin/dockerd", "/usr/sbin/runc"],
};

/** Why containers cannot be run here; null when they can. */
export function missingForContainers(engine: TestedEngine = "podman"): string | null {
  if (Deno.build.os !== "linux") return "only Linux runs containers by itself";
  if (Deno.uid() !== 0) return "the tests' engine needs root";
  for (const program of programs[engine]) {
    try {
      Deno.statSync(program);
    } catch {
      return `${program} is not installed`;
    }
  }
  return null;
}

export class Containers implements AsyncDisposable {
  readonly engine: TestedEngine;
  /** What makes the engine use this store: of mirrord's environment. */
  readonly env: Record<string, string>;
  readonly #program: string;
  readonly #folder: string;
  readonly #daemon: { child: Deno.ChildProcess; end: AsyncDisposable } | null;

  private constructor(engine: TestedEngine, folder: string) {
    this.engine = engine;
    this.#program = programs[engine][0] ?? engine;
    this.#folder = folder;
    this.env = engine === "docker" ? { DOCKER_HOST: `unix://${folder}/docker.sock` } : {
      CONTAINERS_CONF: `${folder}/containers.conf`,
      CONTAINERS_STORAGE_CONF: `${folder}/storage.conf`,
    };
    this.#daemon = engine === "docker" ? startDaemon(folder) : null;
    if (engine === "podman") writeSettings(folder);
  }

  /** An engine with these images of tests/cluster/images.ts. */
  static async create(images: readonly string[], engine: TestedEngine = "podman"): Promise<Containers> {
    const containers = new Containers(engine, await Deno.makeTempDir({ prefix: "mirrord-containers-" }));
    try {
      await until("the engine answers", async () => {
        const { code, stderr } = await attempt([containers.#program, "info"], { env: containers.env });
        return code === 0 || stderr;
      });
      for (const archive of (await ensureImages([...images])).values()) {
        await containers.ask("load", "--quiet", "--input", archive);
      }
    } catch (error) {
      await containers[Symbol.asyncDispose]();
      throw error;
    }
    return containers;
  }

  /** The output of one of the engine's commands. */
  async ask(...words: string[]): Promise<string> {
    return await run([this.#program, ...words], { env: this.env });
  }

  /** The names of all containers, running or not. */
  async names(): Promise<string[]> {
    return (await this.ask("ps", "--all", "--format", "{{.Names}}")).split("\n").filter(Boolean);
  }

  /** Words for mirrord that run `program` of the repository's tests by the image's python. */
  python(flags: readonly string[], program: string, ...args: string[]): string[] {
    return this.image(
      "python",
      [
        // As its first process python ignores SIGTERM, so the engine waits before it kills.
        ...["--stop-timeout", "1", "--volume", `${root}tests:${root}tests:ro`],
        ...["--entrypoint", "/usr/bin/python3", ...flags],
      ],
      `${root}${program}`,
      ...args,
    );
  }

  /** Words for mirrord that run a container of one of the images. */
  image(image: string, flags: readonly string[], ...args: string[]): string[] {
    return [this.#program, "run", "--rm", ...flags, imageName(image), ...args];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ids = (await this.ask("ps", "--all", "--quiet").catch(() => "")).split("\n").filter(Boolean);
    if (ids.length > 0) await attempt([this.#program, "rm", "--force", ...ids], { env: this.env });
    if (this.#daemon !== null) {
      this.#daemon.child.kill("SIGTERM");
      await this.#daemon.child.status;
      await this.#daemon.end[Symbol.asyncDispose]();
    }
    // The engine takes the memory of a container that has just ended away by itself, but not all of its own.
    await until("the engine's folder can be removed", async () => {
      const mounts = (await Deno.readTextFile("/proc/mounts")).split("\n").map((line) =>
        line.split(" ")[1] ?? ""
      );
      for (const path of mounts.filter((one) => one.startsWith(`${this.#folder}/`)).reverse()) {
        await attempt(["umount", path]);
      }
      return await Deno.remove(this.#folder, { recursive: true }).then(() => true, (error) => String(error));
    });
  }
}

function writeSettings(folder: string): void {
  const settings = {
    // The usual limits may be higher than those of this machine; runc knows every form of control groups.
    "containers.conf":
      '[containers]\ndefault_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]\n[engine]\nruntime = "runc"\n' +
      'cgroup_manager = "cgroupfs"\nevents_logger = "none"\nlock_type = "file"\n' +
      `tmp_dir = "${folder}/state"\n`,
    "storage.conf":
      `[storage]\ndriver = "overlay"\ngraphroot = "${folder}/images"\nrunroot = "${folder}/running"\n`,
  };
  for (const [name, text] of Object.entries(settings)) Deno.writeTextFileSync(`${folder}/${name}`, text);
}

/** A daemon that leaves this machine's network and its own Docker alone. */
function startDaemon(folder: string): { child: Deno.ChildProcess; end: AsyncDisposable } {
  Deno.writeTextFileSync(`${folder}/daemon.json`, "{}");
  const child = new Deno.Command("/usr/sbin/dockerd", {
    args: [
      ...["--data-root", `${folder}/images`, "--exec-root", `${folder}/running`],
      ...["--host", `unix://${folder}/docker.sock`, "--pidfile", `${folder}/pid`],
      ...["--config-file", `${folder}/daemon.json`],
      ...["--bridge", "none", "--iptables=false", "--ip6tables=false"],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return { child, end: whenKilled(["kill", String(child.pid)]) };
}
