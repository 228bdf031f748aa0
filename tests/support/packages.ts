// Programs that nobody here wrote, as the end-to-end tests run them: packages of the Python and the npm registry, pinned
// here and fetched once into the cache outside the repository. A folder there is keyed by what is asked for, and appears
// whole or not at all.

import { ensureGo } from "../cluster/build.ts";
import { contentKey, exists, run } from "../cluster/command.ts";

const apps = decodeURIComponent(new URL("../apps/", import.meta.url).pathname);

const python = ["flask==3.1.3", "gunicorn==27.0.1", "fastapi==0.163.2", "uvicorn==0.54.0"];
const bun = "1.4.5";
const npm = { express: "5.3.0", fastify: "5.12.8", npm: "10.9.4" };

function cacheFolder(): string {
  const cache = Deno.env.get("MIRRORD_CACHE") ?? `${Deno.env.get("HOME") ?? "/root"}/.cache/mirrord-dev`;
  return `${cache}/test-packages`;
}

/** A folder for PYTHONPATH of /usr/bin/python3. */
export async function pythonPackages(): Promise<string> {
  const version = await run(["/usr/bin/python3", "--version"]);
  return await ensure("python", [version, ...python], async (folder) => {
    const pip = ["/usr/bin/python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    await run([...pip, "--target", folder, ...python]);
  });
}

/** A folder for NODE_PATH. npm itself need not be installed: Deno lays the packages out as npm does. */
export function nodePackages(): Promise<string> {
  return npmPackages("npm", npm);
}

/** The program bun. */
export async function bunProgram(): Promise<string> {
  const name = `@oven/bun-linux-${Deno.build.arch === "aarch64" ? "aarch64" : "x64"}`;
  return `${await npmPackages("bun", { [name]: bun })}/${name}/bin/bun`;
}

async function npmPackages(name: string, dependencies: Record<string, string>): Promise<string> {
  const folder = await ensure(name, Object.entries(dependencies).flat(), async (work) => {
    await Deno.writeTextFile(`${work}/package.json`, JSON.stringify({ dependencies }));
    await Deno.writeTextFile(`${work}/deno.json`, JSON.stringify({ nodeModulesDir: "manual" }));
    await run([Deno.execPath(), "install", "--quiet"], { cwd: work });
  });
  return `${folder}/node_modules`;
}

/**
 * The program of tests/apps/NAME, built by Go with cgo: it is linked with the C library, and dynamically. Go is this
 * machine's or the one that the test cluster is built with.
 */
export async function goProgram(name: string): Promise<string> {
  const source = `${apps}${name}`;
  const texts = await Promise.all(
    ["go.mod", "main.go"].map((file) => Deno.readTextFile(`${source}/${file}`)),
  );
  const folder = await ensure(name, [...texts, Deno.build.arch], async (work) => {
    const env = { CGO_ENABLED: "1", GOFLAGS: "-buildvcs=false", GOWORK: "off", GOTOOLCHAIN: "local" };
    await run([await ensureGo(), "build", "-trimpath", "-o", `${work}/${name}`, "."], { cwd: source, env });
  });
  return `${folder}/${name}`;
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
