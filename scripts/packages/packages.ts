// Debian's and RPM's packages of a release, made from the files of its archive by nfpm. Called by release.ts.
// nfpm is a Go module: what it and all that it needs must be stands in go.sum beside this file, and Go checks
// it. Nothing of a package tells when or where it was made.

import { mirrordVersion } from "../../core/base/version.ts";
import { contentKey } from "../../tests/cluster/command.ts";
import { ensureGo, pinnedModules } from "../../tests/cluster/build.ts";
import { command, exists, root } from "../step.ts";
import { toolsFolder } from "../tools.ts";

const module = `${root}scripts/packages`;
/** The time of every file in a package; the release's other archives have theirs. */
const constantTime = "2026-01-01T00:00:00Z";

export interface PackageFacts {
  version: string;
  machine: "x86_64" | "aarch64";
  homepage: string;
  /** The folder that an archive of the release unpacks to. */
  from: string;
}

/**
 * What lies where: path in the archive → path on the machine. Shells look in other folders on other systems.
 */
function placesOf(kind: "deb" | "rpm"): Record<string, string> {
  return {
    "bin/mirrord": "/usr/bin/mirrord",
    "completions/mirrord.bash": "/usr/share/bash-completion/completions/mirrord",
    "completions/_mirrord": `/usr/share/zsh/${
      kind === "deb" ? "vendor-completions" : "site-functions"
    }/_mirrord`,
    "completions/mirrord.fish": "/usr/share/fish/vendor_completions.d/mirrord.fish",
    "LICENSE": "/usr/share/doc/mirrord/copyright",
    "THIRD-PARTY-LICENSES": "/usr/share/doc/mirrord/THIRD-PARTY-LICENSES",
  };
}

/** Makes both packages in the folder `to`; returns their names. */
export async function makePackages(facts: PackageFacts, to: string): Promise<string[]> {
  const nfpm = await ensureNfpm();
  const names = { deb: `mirrord_${facts.version}_${debianName(facts.machine)}.deb`, rpm: rpmName(facts) };
  for (const kind of ["deb", "rpm"] as const) {
    const settings = await Deno.makeTempFile({ prefix: "mirrord-nfpm." });
    try {
      await Deno.writeTextFile(settings, JSON.stringify(settingsOf(kind, facts)));
      const args = ["package", "--config", settings, "--packager", kind, "--target", `${to}/${names[kind]}`];
      const { success, stderr } = await new Deno.Command(nfpm, { args, stdin: "null", stdout: "null" })
        .output();
      if (!success) {
        throw new Error(`Cannot make "${names[kind]}": ${new TextDecoder().decode(stderr).trim()}`);
      }
    } finally {
      await Deno.remove(settings);
    }
  }
  return Object.values(names);
}

/** Both packages of an archive of this version: name → bytes. */
export async function packagesOf(
  archive: Uint8Array,
  { platform, homepage }: { platform: string; homepage: string },
): Promise<Map<string, Uint8Array>> {
  const machine = platform === "linux-x86_64" ? "x86_64" : platform === "linux-aarch64" ? "aarch64" : null;
  if (machine === null) return new Map();
  const folder = await Deno.makeTempDir({ prefix: "mirrord-packages." });
  try {
    await Deno.writeFile(`${folder}/archive`, archive);
    await command(["tar", "-C", folder, "-xzf", `${folder}/archive`]);
    const from = `${folder}/mirrord-${mirrordVersion}-${platform}`;
    const names = await makePackages({ version: mirrordVersion, machine, homepage, from }, folder);
    return new Map(names.map((name) => [name, Deno.readFileSync(`${folder}/${name}`)]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function debianName(machine: PackageFacts["machine"]): string {
  return machine === "x86_64" ? "amd64" : "arm64";
}

function rpmName({ version, machine }: PackageFacts): string {
  return `mirrord-${version}-1.${machine}.rpm`;
}

/** nfpm's settings; its format is YAML, of which JSON is a part. */
function settingsOf(kind: "deb" | "rpm", { version, machine, homepage, from }: PackageFacts): unknown {
  const file = (src: string, dst: string) => ({
    src: `${from}/${src}`,
    dst,
    file_info: { mode: dst.startsWith("/usr/bin/") ? 0o755 : 0o644, mtime: constantTime },
  });
  const pages = [...Deno.readDirSync(`${from}/man/man1`)].map(({ name }) => name).sort();
  return {
    name: "mirrord",
    arch: debianName(machine),
    platform: "linux",
    version,
    release: kind === "rpm" ? "1" : "",
    section: "devel",
    priority: "optional",
    maintainer: "The mirrord authors <releases@mirrord.example>",
    description: "Run a local process as if it were a pod of your Kubernetes cluster",
    homepage,
    license: "MIT",
    depends: [kind === "deb" ? "libc6" : "glibc"],
    mtime: constantTime,
    rpm: { buildhost: "localhost" },
    contents: [
      ...Object.entries(placesOf(kind)).map(([src, dst]) => file(src, dst)),
      ...pages.map((name) => file(`man/man1/${name}`, `/usr/share/man/man1/${name}`)),
    ],
  };
}

/** The path of nfpm; built once, kept in the cache under a key of what it is made of. */
async function ensureNfpm(): Promise<string> {
  const sources = ["go.mod", "go.sum"].map((name) => Deno.readTextFileSync(`${module}/${name}`));
  const program = `${toolsFolder()}/nfpm-${await contentKey(sources)}`;
  if (exists(program)) return program;
  await Deno.mkdir(toolsFolder(), { recursive: true });
  const draft = `${program}.${Deno.pid}`;
  const { success, stderr } = await new Deno.Command(await ensureGo(), {
    args: ["build", "-trimpath", "-ldflags", "-s -w", "-o", draft, "github.com/goreleaser/nfpm/v2/cmd/nfpm"],
    cwd: module,
    env: { ...pinnedModules, CGO_ENABLED: "0" },
    stdout: "null",
  }).output();
  if (!success) throw new Error(`Cannot build nfpm: ${new TextDecoder().decode(stderr).trim()}`);
  await Deno.rename(draft, program);
  return program;
}
