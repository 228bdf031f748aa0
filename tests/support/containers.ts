// A container engine of the tests' own: Debian's podman with a store in a folder that is removed with it, and
// images that tests/cluster/images.ts makes of Debian packages. Used by tests/program/container_*_test.ts and
// the cluster's. Needs root.

import { run, until } from "../cluster/command.ts";
import { ensureImages, imageName } from "../cluster/images.ts";

const podman = "/usr/bin/podman";
const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** Why containers cannot be run here; null when they can. */
export function missingForContainers(): string | null {
  if (Deno.build.os !== "linux") return "only Linux runs containers by itself";
  if (Deno.uid() !== 0) return "the tests' engine needs root";
  for (const program of [podman, "/usr/sbin/runc"]) {
    try {
      Deno.statSync(program);
    } catch {
      return `${program} is not installed`;
    }
  }
  return null;
}

export class Containers implements AsyncDisposable {
  /** What makes the engine use this store: of mirrord's environment. */
  readonly env: Record<string, string>;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.env = {
      CONTAINERS_CONF: `${folder}/containers.conf`,
      CONTAINERS_STORAGE_CONF: `${folder}/storage.conf`,
    };
  }

  /** An engine with these images of tests/cluster/images.ts. */
  static async create(images: readonly string[]): Promise<Containers> {
    const folder = await Deno.makeTempDir({ prefix: "mirrord-containers-" });
    const containers = new Containers(folder);
    const settings = {
      // The usual limits may be higher than those of this machine; runc knows every form of control groups.
      "containers.conf":
        '[containers]\ndefault_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]\n[engine]\nruntime = "runc"\n' +
        'cgroup_manager = "cgroupfs"\nevents_logger = "none"\nlock_type = "file"\n' +
        `tmp_dir = "${folder}/state"\n`,
      "storage.conf":
        `[storage]\ndriver = "vfs"\ngraphroot = "${folder}/images"\nrunroot = "${folder}/running"\n`,
    };
    for (const [name, text] of Object.entries(settings)) Deno.writeTextFileSync(`${folder}/${name}`, text);
    try {
      for (const archive of (await ensureImages([...images])).values()) {
        await containers.podman("load", "--quiet", "--input", archive);
      }
    } catch (error) {
      await containers[Symbol.asyncDispose]();
      throw error;
    }
    return containers;
  }

  /** The output of one of the engine's commands. */
  async podman(...words: string[]): Promise<string> {
    return await run([podman, ...words], { env: this.env });
  }

  /** The names of all containers, running or not. */
  async names(): Promise<string[]> {
    return (await this.podman("ps", "--all", "--format", "{{.Names}}")).split("\n").filter(Boolean);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.podman("rm", "--all", "--force", "--time", "0");
    // The engine takes the memory of a container that has just ended away by itself.
    await until(
      "the engine's folder can be removed",
      () => Deno.remove(this.#folder, { recursive: true }).then(() => true, (error) => String(error)),
    );
  }
}

/** Words for mirrord that run `program` of the repository's tests by the image's python. */
export function pythonWords(flags: readonly string[], program: string, ...args: string[]): string[] {
  return [
    // As its first process python ignores SIGTERM, so the engine waits before it kills.
    ...[podman, "run", "--rm", "--stop-timeout", "1", "--volume", `${root}tests:${root}tests:ro`],
    ...["--entrypoint", "/usr/bin/python3", ...flags],
    imageName("python"),
    ...[`${root}${program}`, ...args],
  ];
}

/** Words for mirrord that run a container of one of the images. */
export function imageWords(image: string, flags: readonly string[], ...args: string[]): string[] {
  return [podman, "run", "--rm", ...flags, imageName(image), ...args];
}
