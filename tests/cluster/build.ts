// The two Go programs of the cluster, hyperkube and CoreDNS: built once, kept
// in the cache under a key of their sources. Finds a Go that is new enough, or
// gets one as a Go module with the help of Debian's older one. What a module
// has to be stands in go.sum files; Go checks it before it unpacks it.

import { join } from "node:path";
import { attempt, contentKey, exists, findProgram, run } from "./command.ts";
import { cacheDir, sourceDir } from "./layout.ts";
import { unpackClosure } from "./packages.ts";

export type GoProgram = "hyperkube" | "coredns";

const fallbackGo = "1.24.9";
const flags = ["-trimpath"];

/**
 * No other module than go.sum names, no other Go than the one that was chosen, whatever this machine's
 * settings are.
 */
export const pinnedModules: Record<string, string> = {
  GOFLAGS: "-mod=readonly",
  GOTOOLCHAIN: "local",
  GOWORK: "off",
};

/** The path of the built program; builds it when the cache has none. */
export async function ensureProgram(name: GoProgram): Promise<string> {
  const dir = sourceDir(name);
  const read = (file: string) => Deno.readTextFile(join(dir, file));
  const sources = await Promise.all(["go.mod", "go.sum", "main.go"].map(read));
  const linkFlags = `-s -w ${versionFlags(sources[0] ?? "")}`.trim();
  const key = await contentKey([...sources, ...flags, linkFlags, Deno.build.arch]);
  const program = cacheDir("bin", `${name}-${key}`);
  if (await exists(program)) return program;
  await Deno.mkdir(cacheDir("bin"), { recursive: true });
  const go = await ensureGo();
  const draft = `${program}.${Deno.pid}`;
  await run([go, "build", ...flags, "-ldflags", linkFlags, "-o", draft, "."], {
    cwd: dir,
    env: { ...pinnedModules, CGO_ENABLED: "0" },
  });
  await Deno.rename(draft, program);
  return program;
}

/** What Kubernetes' own build stamps in; without it the server has no version. */
export function versionFlags(goMod: string): string {
  const found = goMod.match(/^\s*k8s\.io\/kubernetes v((\d+)\.(\d+)\.\d+)$/m);
  if (found === null) return "";
  const [, version, major, minor] = found;
  return ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((path) => [
    `-X ${path}.gitVersion=v${version}`,
    `-X ${path}.gitMajor=${major}`,
    `-X ${path}.gitMinor=${minor}`,
    `-X ${path}.gitTreeState=clean`,
  ]).join(" ");
}

/** Can it build what the go.mod files ask for, without fetching a newer one by itself? */
export function isNewEnough(goVersion: string): boolean {
  const found = goVersion.match(/\bgo(\d+)\.(\d+)/);
  if (found === null) return false;
  const [major, minor] = [Number(found[1]), Number(found[2])];
  return major > 1 || (major === 1 && minor >= 24);
}

/** The path of a Go that is new enough for the go.mod files. */
export async function ensureGo(): Promise<string> {
  const cached = cacheDir("go", fallbackGo, "bin", "go");
  for (const candidate of [await findProgram("go"), "/usr/local/go/bin/go", cached]) {
    if (candidate === null || !await exists(candidate)) continue;
    const { code, stdout } = await attempt([candidate, "version"]);
    if (code === 0 && isNewEnough(stdout)) return candidate;
  }
  await fetchGo(cacheDir("go", fallbackGo));
  return cached;
}

/**
 * Lays a go.mod and the pinned sums into `folder`: Go checks a module that go.sum names before it unpacks it.
 */
export async function pinToolchain(folder: string, module: string): Promise<void> {
  const sums = await Deno.readTextFile(sourceDir("toolchain.sum"));
  if (!sums.includes(`${module.replace("@", " ")} h1:`)) {
    throw new Error(
      `Cannot fetch "${module}": tests/cluster/toolchain.sum has no sum for it\n` +
        `Install Go 1.24 or newer, then run this again.`,
    );
  }
  await Deno.writeTextFile(join(folder, "go.mod"), "module fetched\n");
  await Deno.writeTextFile(join(folder, "go.sum"), sums);
}

/** Debian's Go is enough to download the module that holds a newer Go. */
async function fetchGo(destination: string): Promise<void> {
  const work = await Deno.makeTempDir({ prefix: "mirrord-go-" });
  try {
    const root = join(work, "debian");
    await Deno.mkdir(root);
    await unpackClosure(["golang-go"], root);
    const old = await Deno.realPath(join(root, "usr/lib/go"));
    const arch = Deno.build.arch === "aarch64" ? "arm64" : "amd64";
    const module = `golang.org/toolchain@v0.0.1-go${fallbackGo}.linux-${arch}`;
    await pinToolchain(work, module);
    const printed = await run([join(old, "bin/go"), "mod", "download", "-json", module], {
      cwd: work,
      env: { GOROOT: old, GOMODCACHE: join(work, "modules"), GOFLAGS: "-modcacherw", GOWORK: "off" },
    });
    const { Dir } = JSON.parse(printed) as { Dir: string };
    // Module files are not executable; go unpacks toolchains with this exception.
    await run([
      "find",
      join(Dir, "bin"),
      join(Dir, "pkg/tool"),
      "-type",
      "f",
      "-exec",
      "chmod",
      "0755",
      "{}",
      "+",
    ]);
    await Deno.mkdir(cacheDir("go"), { recursive: true });
    await run(["mv", Dir, destination]);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}
