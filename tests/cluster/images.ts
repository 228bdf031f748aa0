// The images of the test workloads, made of Debian packages without a
// registry: one layer each, written as an archive that containerd, kind and
// docker all load. Archives are cached under recipe and package versions.

import { dirname, join } from "node:path";
import { contentKey, exists, run, step } from "./command.ts";
import { cacheDir, sourceDir } from "./layout.ts";
import { candidateVersions, unpackClosure } from "./packages.ts";

export interface Recipe {
  packages: string[];
  entrypoint: string[];
  /** Path in the image → text, or a file of this folder. */
  files?: Record<string, string | { source: string }>;
  /** Without glibc and what comes with it: busybox alone, or just one of its applets. */
  bare?: string;
}

const base = ["libc6", "libc-bin", "busybox"];

const accounts = [
  "root:x:0:0:root:/root:/bin/sh",
  "www-data:x:33:33:www-data:/var/www:/bin/sh",
  "postgres:x:70:70:postgres:/tmp:/bin/sh",
  "nobody:x:65534:65534:nobody:/:/bin/sh",
];

const nginxConfig = `daemon off;
user www-data;
error_log /dev/stderr;
events {}
http {
  access_log /dev/stdout;
  default_type text/plain;
  server {
    listen 80;
    listen [::]:80;
    location / { return 200 "original nginx\\n"; }
  }
}
`;

const postgresStart = `#!/bin/sh
set -e
PATH=$PATH:/usr/lib/postgresql/15/bin
[ -s "$PGDATA/PG_VERSION" ] || {
  initdb --auth=trust --username=postgres --no-sync
  echo "host all all all trust" >>"$PGDATA/pg_hba.conf"
}
exec postgres -c "listen_addresses=*" -c unix_socket_directories=/tmp -c jit=off
`;

export const recipes: Record<string, Recipe> = {
  pause: { packages: [], entrypoint: ["/bin/sleep", "infinity"] },
  nginx: {
    packages: ["nginx"],
    entrypoint: ["/usr/sbin/nginx", "-c", "/etc/nginx/test.conf"],
    files: {
      "/etc/nginx/test.conf": nginxConfig,
      "/var/log/nginx/.keep": "",
      "/var/lib/nginx/.keep": "",
    },
  },
  python: {
    packages: ["python3-minimal", "libpython3-stdlib", "curl"],
    entrypoint: ["/usr/bin/python3", "/app/app.py"],
    files: { "/app/app.py": { source: "apps/app.py" } },
  },
  node: {
    packages: ["nodejs"],
    entrypoint: ["/usr/bin/node", "/app/app.js"],
    files: { "/app/app.js": { source: "apps/app.js" } },
  },
  redis: {
    packages: ["redis-server"],
    entrypoint: ["/usr/bin/redis-server", "--protected-mode", "no", "--bind", "*", "-::*", "--save", ""],
  },
  postgres: {
    packages: ["postgresql-15"],
    entrypoint: ["/usr/local/bin/start-postgres"],
    files: { "/usr/local/bin/start-postgres": postgresStart },
  },
  // No glibc, as in images made with musl.
  busybox: {
    packages: ["busybox-static"],
    bare: "busybox",
    entrypoint: ["/bin/httpd", "-f", "-p", "[::]:80", "-h", "/www"],
    files: { "/www/index.html": "original busybox\n" },
  },
  // No shell, as in "distroless" images.
  shellless: { packages: ["busybox-static"], bare: "sleep", entrypoint: ["/bin/sleep", "infinity"] },
};

export function imageName(name: string): string {
  return `test.local/${name}:1`;
}

/** The archive of every image, in the cache; makes those that are missing. */
export async function ensureImages(names = Object.keys(recipes)): Promise<Map<string, string>> {
  const chosen = names.map((name) => {
    const recipe = recipes[name];
    if (recipe === undefined) {
      throw new Error(`Cannot make image "${name}": no recipe\nKnown: ${Object.keys(recipes)}`);
    }
    return { name, recipe };
  });
  const versions = await candidateVersions([...new Set(chosen.flatMap(({ recipe }) => packagesOf(recipe)))]);
  const archives = new Map<string, string>();
  for (const { name, recipe } of chosen) archives.set(name, await ensureImage(name, recipe, versions));
  return archives;
}

function packagesOf({ packages, bare }: Recipe): string[] {
  return bare === undefined ? [...base, ...packages] : packages;
}

async function ensureImage(name: string, recipe: Recipe, versions: Map<string, string>): Promise<string> {
  const packages = packagesOf(recipe);
  const files = await resolveFiles(recipe);
  const pinned = packages.map((each) => `${each}=${versions.get(each)}`);
  // How an image is made counts as much as what it is made of.
  const code = await Promise.all(
    ["images.ts", "packages.ts"].map((file) => Deno.readTextFile(sourceDir(file))),
  );
  const key = await contentKey([name, ...Object.values(files), ...pinned, ...code]);
  const archive = cacheDir("images", `${name}-${key}.tar`);
  if (!await exists(archive)) {
    await step(`  make image ${name}`, () => makeImage(archive, { name, packages, files, recipe }));
  }
  return archive;
}

interface ImageSource {
  name: string;
  packages: readonly string[];
  files: Record<string, string>;
  recipe: Recipe;
}

async function makeImage(archive: string, { name, packages, files, recipe }: ImageSource): Promise<void> {
  await Deno.mkdir(cacheDir("images"), { recursive: true });
  const work = await Deno.makeTempDir({ dir: cacheDir("images"), prefix: `.${name}-` });
  try {
    const root = join(work, "root");
    await Deno.mkdir(root, { mode: 0o755 });
    await unpackClosure(packages, root);
    await finishRoot(root, files, { name, bare: recipe.bare });
    await writeArchive({ root, work, name: imageName(name), entrypoint: recipe.entrypoint });
    await Deno.rename(join(work, "archive.tar"), archive);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

async function resolveFiles(recipe: Recipe): Promise<Record<string, string>> {
  const resolved: Record<string, string> = {};
  for (const [path, content] of Object.entries(recipe.files ?? {})) {
    resolved[path] = typeof content === "string"
      ? content
      : await Deno.readTextFile(sourceDir(content.source));
  }
  return resolved;
}

/** What maintainer scripts would have done: accounts, a shell, writable /tmp. */
async function finishRoot(
  root: string,
  files: Record<string, string>,
  { name, bare = "busybox" }: { name: string; bare: string | undefined },
): Promise<void> {
  for (const dir of ["tmp", "root", "proc", "sys", "dev", "run", "etc", "var/tmp"]) {
    await Deno.mkdir(join(root, dir), { recursive: true });
  }
  for (const dir of ["tmp", "var/tmp"]) await Deno.chmod(join(root, dir), 0o1777);
  const written: Record<string, string> = {
    "/etc/passwd": accounts.join("\n") + "\n",
    "/etc/group": accounts.map((line) => line.split(":").slice(0, 3).join(":") + ":").join("\n") + "\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "/etc/test-image": imageName(name) + "\n",
    ...files,
  };
  for (const [path, content] of Object.entries(written)) {
    await Deno.mkdir(join(root, dirname(path)), { recursive: true });
    const mode = content.startsWith("#!") ? 0o755 : 0o644;
    await Deno.writeTextFile(join(root, path), content);
    await Deno.chmod(join(root, path), mode);
  }
  if (bare !== "busybox") {
    await Deno.rename(join(root, "bin/busybox"), join(root, "bin", bare));
    return;
  }
  for (const applet of (await run([join(root, "bin/busybox"), "--list"])).trim().split("\n")) {
    const path = join(root, "bin", applet);
    if (!await exists(path) && !await exists(join(root, "sbin", applet))) await Deno.symlink("busybox", path);
  }
}

interface ArchiveSource {
  root: string;
  work: string;
  name: string;
  entrypoint: string[];
}

/** The form `docker save` writes: a manifest that names a config and its layers. */
async function writeArchive({ root, work, name, entrypoint }: ArchiveSource): Promise<void> {
  const layer = join(work, "layer.tar");
  const reproducible = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  await run(["tar", "-c", ...reproducible, "-f", layer, "-C", root, "."]);
  const digest = (await run(["sha256sum", layer])).slice(0, 64);
  const config = {
    architecture: Deno.build.arch === "aarch64" ? "arm64" : "amd64",
    os: "linux",
    config: {
      Entrypoint: entrypoint,
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    },
    rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
  };
  await Deno.writeTextFile(join(work, "config.json"), JSON.stringify(config));
  const manifest = [{ Config: "config.json", RepoTags: [name], Layers: ["layer.tar"] }];
  await Deno.writeTextFile(join(work, "manifest.json"), JSON.stringify(manifest));
  const members = ["manifest.json", "config.json", "layer.tar"];
  await run(["tar", "-c", ...reproducible, "-f", join(work, "archive.tar"), "-C", work, ...members]);
}
