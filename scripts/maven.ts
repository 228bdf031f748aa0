// Fetches the pinned jars of scripts/jars.sha256 from Maven's central repository into the cache outside the
// repository, by Ivy, which Debian ships. Used by the plugin for JetBrains' IDEs and its tests. No jar is
// used whose sum is another than the pinned one.
//   deno run -A scripts/maven.ts pin    writes the sums of lines that have none

import { createHash } from "node:crypto";
import { fetchDebs, hasPackageTools, unpackDebs } from "./debian_fetch.ts";
import { exists, root, say } from "./step.ts";
import { checkFiles, toolsFolder } from "./tools.ts";

const table = `${root}scripts/jars.sha256`;
const architectures: Record<string, string> = { x86_64: "amd64", aarch64: "arm64" };

/** A line of the table. */
export interface Jar {
  sha256: string;
  group: string;
  artifact: string;
  version: string;
}

/** The jars of one use, `# NAME: …` in the table. */
export function parseJars(text: string, use: string): Jar[] {
  const lines = text.split("\n");
  const from = lines.findIndex((line) => line.startsWith(`# ${use}: `));
  if (from < 0) throw new Error(`Cannot fetch jars for "${use}": scripts/jars.sha256 names no such use`);
  const rest = lines.slice(from + 1);
  const to = rest.findIndex((line) => line.startsWith("#"));
  return rest.slice(0, to < 0 ? undefined : to).filter((line) => line.trim() !== "").map((line) => {
    const [, sha256 = "", group, artifact, version] =
      line.match(/^([0-9a-f]{64})? {2}([\w.-]+):([\w.-]+):([\w.-]+)$/) ?? [];
    if (group === undefined || artifact === undefined || version === undefined) {
      throw new Error(
        `Cannot read "${line}" in scripts/jars.sha256: it is no sum and group:artifact:version`,
      );
    }
    return { sha256, group, artifact, version };
  });
}

/** Why jars that are not in the cache cannot be fetched here; null where they can. */
export function missingForJars(): string | null {
  if (!hasPackageTools()) return "this is no machine with Debian's package tools, which bring Ivy";
  return exists("/usr/bin/java") ? null : "there is no Java";
}

/** Paths of the jars for a use. */
export async function jars(use: string): Promise<string[]> {
  const wanted = parseJars(Deno.readTextFileSync(table), use);
  const key = createHash("sha256").update(JSON.stringify(wanted)).digest("hex").slice(0, 12);
  const folder = `${toolsFolder()}/jars-${use}-${key}`;
  if (!exists(folder)) {
    const started = performance.now();
    await fetchJars(wanted, folder);
    say(`jars for ${use}: fetched in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
  const files = wanted.map((jar) => ({ path: `${folder}/${fileName(jar)}`, sha256: jar.sha256 }));
  await checkFiles(files);
  return files.map(({ path }) => path);
}

function fileName({ group, artifact, version }: Jar): string {
  return `${group}.${artifact}-${version}.jar`;
}

/** The folder appears whole or not at all. */
async function fetchJars(wanted: readonly Jar[], folder: string): Promise<void> {
  Deno.mkdirSync(toolsFolder(), { recursive: true });
  const work = Deno.makeTempDirSync({ dir: toolsFolder(), prefix: ".jars-" });
  try {
    const dependencies = wanted.map(({ group, artifact, version }) =>
      `<dependency org="${group}" name="${artifact}" rev="${version}" transitive="false"/>`
    );
    const info = `<info organisation="mirrord" module="mirrord"/>`;
    const text = `<ivy-module version="2.0">${info}<dependencies>${
      dependencies.join("")
    }</dependencies></ivy-module>`;
    Deno.writeTextFileSync(`${work}/ivy.xml`, text);
    const pattern = `${work}/jars/[organisation].[artifact]-[revision].[ext]`;
    const argv = ["-jar", await ivy(), "-cache", `${work}/cache`, "-ivy", `${work}/ivy.xml`];
    const { success, stdout, stderr } = await new Deno.Command("java", {
      args: [...argv, "-types", "jar", "bundle", "-retrieve", pattern],
    }).output();
    if (!success) {
      const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      throw new Error(`Cannot fetch jars: Ivy says\n${said.split("\n").slice(-25).join("\n")}`);
    }
    await checkFiles(
      wanted.filter(({ sha256 }) => sha256 !== "")
        .map((jar) => ({ path: `${work}/jars/${fileName(jar)}`, sha256: jar.sha256 })),
    );
    Deno.renameSync(`${work}/jars`, folder);
  } catch (error) {
    if (!exists(folder)) throw error; // else another run was faster
  } finally {
    Deno.removeSync(work, { recursive: true });
  }
}

/** Path of Ivy's jar, out of Debian's package, which stays uninstalled. */
async function ivy(): Promise<string> {
  const folder = `${toolsFolder()}/ivy`;
  const jar = `${folder}/unpacked/usr/share/java/ivy.jar`;
  const architecture = architectures[Deno.build.arch] ?? "amd64";
  const debs = await fetchDebs(folder, { architecture, packages: ["ivy"] });
  if (!exists(jar)) await unpackDebs(debs, `${folder}/unpacked`);
  return jar;
}

/** Writes the sum of each line of the table that has none. */
async function pin(): Promise<void> {
  let text = Deno.readTextFileSync(table);
  for (const [, use = ""] of text.matchAll(/^# (\w+): /gm)) {
    const unpinned = parseJars(text, use).filter(({ sha256 }) => sha256 === "");
    if (unpinned.length === 0) continue;
    const folder = Deno.makeTempDirSync({ prefix: "mirrord-jars-" });
    try {
      await fetchJars(unpinned, `${folder}/jars`);
      for (const jar of unpinned) {
        const sum = createHash("sha256").update(Deno.readFileSync(`${folder}/jars/${fileName(jar)}`)).digest(
          "hex",
        );
        const name = `  ${jar.group}:${jar.artifact}:${jar.version}`;
        text = text.replace(`\n${name}\n`, `\n${sum}${name}\n`);
      }
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  }
  Deno.writeTextFileSync(table, text);
}

if (import.meta.main) {
  if (Deno.args[0] !== "pin") throw new Error("Cannot run scripts/maven.ts: its one command is pin");
  await pin();
}
