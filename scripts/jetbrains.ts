// The plugin for JetBrains' IDEs, by `./dev jetbrains`: compiles editors/jetbrains and writes
// dist/mirrord-jetbrains-VERSION.zip, which "Install Plugin from Disk" takes. Same sources and same JDK, same
// bytes. What the IDE itself would bring are stubs (editors/jetbrains/stubs).

import { mirrordVersion } from "../core/base/version.ts";
import { jars } from "./maven.ts";
import { command, exists, root, say } from "./step.ts";

const sources = `${root}editors/jetbrains`;
/** What IDEs since 2022.3 run on. */
const javaRelease = "17";
/** Of every entry: archives hold no time of the build. */
const entryTime = "2020-01-01T00:00:00Z";
const lint = ["-Xlint:all,-classfile", "-Werror", "--release", javaRelease, "-encoding", "UTF-8"];

/** Folders with the compiled classes. */
export interface Compiled {
  core: string;
  stubs: string;
  ide: string;
  /** Jars that the core needs. */
  bundled: string[];
}

/** Compiles what knows no IDE, the stubs, and the edge, below `folder`. */
export async function compilePlugin(folder: string): Promise<Compiled> {
  const bundled = await jars("plugin");
  const [core, stubs, ide] = [`${folder}/core`, `${folder}/stubs`, `${folder}/ide`];
  await javac(core, `${sources}/src/core/java`, bundled);
  await javac(stubs, `${sources}/stubs`, []);
  await javac(ide, `${sources}/src/ide/java`, [core, stubs, ...bundled]);
  return { core, stubs, ide, bundled };
}

/** Compiles every Java file below `from` into `to`. */
export async function javac(to: string, from: string, classPath: readonly string[]): Promise<void> {
  const files = filesBelow(from).filter((path) => path.endsWith(".java"));
  await command(["javac", ...lint, "-d", to, "-cp", classPath.join(":"), ...files]);
}

/** Packs the plugin below `folder`; the zip's path. */
export async function packPlugin(folder: string, { core, ide, bundled }: Compiled): Promise<string> {
  const content = `${folder}/content`;
  for (const from of [core, ide, `${sources}/src/ide/resources`]) copyTree(from, content);
  Deno.copyFileSync(`${root}editors/vscode/mirrord.schema.json`, `${content}/mirrord.schema.json`);
  const descriptor = `${content}/META-INF/plugin.xml`;
  const text = Deno.readTextFileSync(descriptor);
  Deno.writeTextFileSync(descriptor, text.replace("<version>0.0.0<", `<version>${mirrordVersion}<`));
  const library = `${folder}/zip/mirrord/lib`;
  Deno.mkdirSync(library, { recursive: true });
  await archive(`${library}/mirrord-jetbrains.jar`, content);
  for (const path of bundled) Deno.copyFileSync(path, `${library}/${path.split("/").pop()}`);
  const zip = `${folder}/mirrord-jetbrains-${mirrordVersion}.zip`;
  await archive(zip, `${folder}/zip`);
  return zip;
}

/** An archive of all files below `from`, in the order of their names. */
async function archive(to: string, from: string): Promise<void> {
  const names = filesBelow(from).map((path) => path.slice(from.length + 1));
  const entries = names.flatMap((name) => ["-C", from, name]);
  await command(["jar", "--create", "--no-manifest", "--date", entryTime, "--file", to, ...entries]);
}

function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1).flatMap((entry) =>
    entry.isDirectory ? filesBelow(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`]
  );
}

function copyTree(from: string, to: string): void {
  for (const path of filesBelow(from)) {
    const target = to + path.slice(from.length);
    Deno.mkdirSync(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    Deno.copyFileSync(path, target);
  }
}

if (import.meta.main) {
  const folder = `${root}build/jetbrains`;
  if (exists(folder)) Deno.removeSync(folder, { recursive: true });
  Deno.mkdirSync(folder, { recursive: true });
  const zip = await packPlugin(folder, await compilePlugin(folder));
  const name = `dist/mirrord-jetbrains-${mirrordVersion}.zip`;
  Deno.mkdirSync(`${root}dist`, { recursive: true });
  Deno.copyFileSync(zip, root + name);
  say(`made ${name}`);
}
