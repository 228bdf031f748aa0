// Programs that nobody here wrote, as the end-to-end tests run them: packages of the Python and the npm
// registry, fetched once into the cache outside the repository. What a package has to be stands in
// scripts/pins.sha256 and, for npm, in locks/*.lock; both are checked before anything is unpacked. A folder
// is keyed by what is asked for, and appears whole or not at all.

import { ensureGo, pinnedModules } from "../cluster/build.ts";
import { runPins } from "../../scripts/tools.ts";
import { contentKey, exists, run } from "../cluster/command.ts";

const apps = decodeURIComponent(new URL("../apps/", import.meta.url).pathname);
const locks = decodeURIComponent(new URL("locks/", import.meta.url).pathname);

const systemPython = "/usr/bin/python3";
/** What the tests run, and all that these need: pip looks for nothing by itself. */
const python = [
  ...["flask==3.1.3", "gunicorn==27.0.1", "fastapi==0.163.2", "uvicorn==0.54.0"],
  ...["annotated-doc==0.0.7", "annotated-types==0.8.0", "anyio==4.16.0", "blinker==1.9.0", "click==8.5.1"],
  ...["h11==0.16.0", "idna==3.20", "itsdangerous==2.2.0", "jinja2==3.1.6", "markupsafe==3.0.4"],
  ...["opentelemetry-api==1.45.2", "pydantic==2.14.4", "pydantic-core==2.50.5", "starlette==1.10.0"],
  ...["typing-extensions==4.16.0", "typing-inspection==0.4.5", "werkzeug==3.1.9"],
];
const debugpy = "debugpy==1.8.22";
const parsers = ["tree-sitter==0.26.1", "tree-sitter-powershell==0.26.4"];
const bun = "1.4.5";
const pm2 = "6.0.14";
const har = { "har-schema": "2.0.0", "ajv": "6.12.6" };
const npm = { express: "5.3.0", fastify: "5.12.8", npm: "10.9.4" };

function cacheFolder(): string {
  const cache = Deno.env.get("MIRRORD_CACHE") ?? `${Deno.env.get("HOME") ?? "/root"}/.cache/mirrord-dev`;
  return `${cache}/test-packages`;
}

/** A folder for PYTHONPATH of /usr/bin/python3. */
export async function pythonPackages(): Promise<string> {
  const version = await run([systemPython, "--version"]);
  const key = await runPins(["key", ...python], "", systemPython);
  return await ensure("python", [version, key], async (folder) => {
    await runPins(["install", `${folder}/packages`, ...python], "", systemPython);
  }) + "/packages";
}

/** A folder for PYTHONPATH of /usr/bin/python3 with the debugger that editors use, and nothing else. */
export async function debugpyPackage(): Promise<string> {
  const version = await run([systemPython, "--version"]);
  const key = await runPins(["key", debugpy], "", systemPython);
  return await ensure("debugpy", [version, key], async (folder) => {
    await runPins(["install", `${folder}/packages`, debugpy], "", systemPython);
  }) + "/packages";
}

/** A folder for PYTHONPATH of /usr/bin/python3 with a parser of PowerShell. */
export async function powershellParser(): Promise<string> {
  const version = await run([systemPython, "--version"]);
  const key = await runPins(["key", ...parsers], "", systemPython);
  return await ensure("parsers", [version, key], async (folder) => {
    await runPins(["install", `${folder}/packages`, ...parsers], "", systemPython);
  }) + "/packages";
}

/** A folder for NODE_PATH. npm itself need not be installed: Deno lays the packages out as npm does. */
export function nodePackages(): Promise<string> {
  return npmPackages("npm", npm);
}

/** The script pm2, for node. */
export async function pm2Script(): Promise<string> {
  return `${await npmPackages("pm2", { pm2 })}/pm2/bin/pm2`;
}

/** A folder with the published JSON schemas of HAR 1.2 and what checks by them. */
export function harPackages(): Promise<string> {
  return npmPackages("har", har);
}

/** The program bun. */
export async function bunProgram(): Promise<string> {
  const { arch } = Deno.build;
  const name = `@oven/bun-linux-${arch === "aarch64" ? "aarch64" : "x64"}`;
  return `${await npmPackages(`bun-${arch}`, { [name]: bun })}/${name}/bin/bun`;
}

async function npmPackages(name: string, dependencies: Record<string, string>): Promise<string> {
  const lock = await Deno.readTextFile(`${locks}${name}.lock`);
  const folder = await ensure(name, [lock, ...Object.entries(dependencies).flat()], async (work) => {
    await Deno.writeTextFile(`${work}/package.json`, JSON.stringify({ dependencies }));
    await Deno.writeTextFile(`${work}/deno.json`, JSON.stringify({ nodeModulesDir: "manual" }));
    await Deno.writeTextFile(`${work}/deno.lock`, lock);
    await run([Deno.execPath(), "install", "--quiet", "--frozen"], { cwd: work });
  });
  return `${folder}/node_modules`;
}

/**
 * The program of tests/apps/NAME, built by Go with cgo: it is linked with the C library, and dynamically. Go
 * is this machine's or the one that the test cluster is built with.
 */
export function goProgram(name: string): Promise<string> {
  return goBuild(name, name, []);
}

/** The same without cgo: a static program. */
export function staticGoProgram(name: string): Promise<string> {
  return goBuild(name, `${name}_static`, [], "0");
}

/** The same with cgo and the C library musl. */
export function muslGoProgram(name: string): Promise<string> {
  return goBuild(name, `${name}_musl`, [], "1", { CC: "musl-gcc" });
}

/** The library of tests/apps/NAME for programs in other languages: libNAME.so. */
export function goLibrary(name: string): Promise<string> {
  return goBuild(name, `lib${name}.so`, ["-buildmode=c-shared"]);
}

/** The command that runs tests/apps/NAME.java, compiled once; `java NAME.java` compiles it at each start. */
export async function javaApp(name: string): Promise<string[]> {
  const source = `${apps}${name}.java`;
  const compiler = await Deno.realPath("/usr/bin/javac");
  const folder = await ensure(`java_${name}`, [await Deno.readTextFile(source), compiler], async (work) => {
    await run([compiler, "-d", `${work}/classes`, source]);
    await run([
      compiler.replace(/javac$/, "jar"),
      "--create",
      "--file",
      `${work}/app.jar`,
      "-C",
      `${work}/classes`,
      ".",
    ]);
  });
  return ["/usr/bin/java", "-Xshare:auto", "-cp", `${folder}/app.jar`, name];
}

async function goBuild(
  name: string,
  output: string,
  flags: string[],
  cgo = "1",
  more: Record<string, string> = {},
): Promise<string> {
  const source = `${apps}${name}`;
  const texts = await Promise.all(
    ["go.mod", "main.go"].map((file) => Deno.readTextFile(`${source}/${file}`)),
  );
  const isPlain = cgo === "1" && Object.keys(more).length === 0;
  const folder = await ensure(isPlain ? name : output, [...texts, Deno.build.arch], async (work) => {
    const env = { ...pinnedModules, ...more, CGO_ENABLED: cgo, GOFLAGS: "-buildvcs=false -mod=readonly" };
    const go = [await ensureGo(), "build", "-trimpath", ...flags];
    await run([...go, "-o", `${work}/${output}`, "."], { cwd: source, env });
  });
  return `${folder}/${output}`;
}

async function ensure(
  name: string,
  parts: string[],
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = `${cacheFolder()}/${name}-${await contentKey(parts)}`;
  if (await exists(folder)) return folder;
  await Deno.mkdir(cacheFolder(), { recursive: true });
  const work = await Deno.makeTempDir({ dir: cacheFolder(), prefix: `.${name}-` });
  await Deno.chmod(work, 0o755);
  try {
    await fill(work);
    await Deno.rename(work, folder);
  } catch (error) {
    await Deno.remove(work, { recursive: true });
    if (!await exists(folder)) throw error; // else another run was faster
  }
  return folder;
}
