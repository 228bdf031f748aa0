// Programs that nobody here wrote, unmodified: how each is started as a server on port 80 of the target. What
// they run are the few lines of tests/apps and packages that packages.ts fetches. Read by the case lists.

import { goProgram, javaApp, muslGoProgram, nodePackages, pythonPackages } from "./packages.ts";
import type { RunOptions } from "./session_run.ts";

/** Programs start in it: what lies there is the developer's, whatever its name. */
const apps = decodeURIComponent(new URL("../apps", import.meta.url).pathname);
/** Above it, so that a script which goes there finds the developer's. */
const project = decodeURIComponent(new URL("../..", import.meta.url).pathname);

/** A server that answers HTTP on port 80. */
export interface Program {
  name: string;
  /**
   * How to run it on port 80 or, if it is given another, there; `folder` is one of its own, gone afterwards.
   */
  start(folder: string, port?: string): Promise<RunOptions> | RunOptions;
  /** What its answers' `by` contains; "local" unless given. */
  by?: string;
  /** It tells its clients' addresses. */
  tellsPeers: boolean;
  /** Answers come from at least so many processes. */
  processes?: number;
  /** The path under which it tells what it finds of the pod; "/walk" unless given. */
  walk?: string;
  /** Begins the line by which it says that a request came, the path follows; "seen " unless given. */
  seen?: string;
}

/** Runs `work` with a folder of its own that every user may read, gone afterwards. */
export async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-program-" });
  await Deno.chmod(folder, 0o755);
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

export const httpServer: Program = {
  name: "python3 -m http.server",
  start: (folder) => {
    Deno.writeTextFileSync(`${folder}/index.html`, "a folder on the developer's machine\n");
    return { app: ["python3", "-m", "http.server", "80"], cwd: folder };
  },
  by: "developer's machine",
  tellsPeers: false,
};

/** It does nothing but serve files; what else there is, a script tells that it starts for a request. */
const httpServerScripts: Program = {
  name: httpServer.name,
  start: async (folder, port = "80") => {
    await Deno.mkdir(`${folder}/cgi-bin`);
    await Deno.copyFile(`${apps}/walk.py`, `${folder}/cgi-bin/walk.py`);
    await Deno.writeTextFile(`${folder}/index.html`, "a folder on the developer's machine\n");
    // Without this right it keeps its user: another one may not use the developer's session.
    const prefix = ["setpriv", "--bounding-set=-setuid"];
    return { app: ["python3", "-m", "http.server", "--cgi", port], cwd: folder, prefix };
  },
  by: "developer's machine",
  tellsPeers: false,
  walk: "/cgi-bin/walk.py",
  seen: '"GET ',
};

export const flask: Program = {
  name: "Flask",
  start: async (_folder, port = "80") => ({
    app: ["python3", "-m", "flask", "run", "--host", "0.0.0.0", "--port", port],
    env: { PYTHONPATH: await pythonPackages(), FLASK_APP: `${apps}/flask_app.py` },
  }),
  tellsPeers: true,
};

export const express: Program = {
  name: "Express",
  start: async (_folder, port = "80") => ({
    app: ["/usr/bin/node", "express_app.cjs", port],
    cwd: apps,
    env: { NODE_PATH: await nodePackages() },
  }),
  tellsPeers: true,
};

const fastify: Program = {
  name: "Fastify",
  start: async (_folder, port = "80") => ({
    app: ["/usr/bin/node", "fastify_app.cjs", port],
    cwd: apps,
    env: { NODE_PATH: await nodePackages() },
  }),
  tellsPeers: true,
};

export const jdk: Program = {
  name: "the JDK's HttpServer",
  start: async (_folder, port = "80") => ({ app: [...await javaApp("Http"), port], cwd: apps }),
  tellsPeers: true,
};

export const gunicorn: Program = {
  name: "gunicorn with three workers",
  start: async (folder, port = "80") => ({
    app: [
      ...["python3", "-m", "gunicorn", "--workers", "3", "--bind", `0.0.0.0:${port}`],
      ...["--chdir", apps, "--worker-tmp-dir", folder, "--no-control-socket", "flask_app:app"],
    ],
    env: { PYTHONPATH: await pythonPackages() },
  }),
  tellsPeers: true,
  processes: 2,
};

export const uvicorn: Program = {
  name: "FastAPI under uvicorn",
  start: async (_folder, port = "80") => ({
    app: [
      ...["python3", "-m", "uvicorn", "--host", "::", "--port", port],
      ...["--app-dir", apps, "fastapi_app:app"],
    ],
    env: { PYTHONPATH: await pythonPackages() },
  }),
  tellsPeers: true,
};

export const nodeCluster: Program = {
  name: "a Node cluster of two workers",
  start: () => ({ app: ["/usr/bin/node", `${apps}/http.mjs`, "80", "shared"] }),
  tellsPeers: true,
};

export const nginx: Program = {
  name: "nginx with two workers",
  start: (folder) => {
    Deno.writeTextFileSync(`${folder}/nginx.conf`, nginxConfig(folder));
    return { app: ["nginx", "-e", "stderr", "-c", `${folder}/nginx.conf`] };
  },
  tellsPeers: true,
};

function nginxConfig(folder: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
    daemon off; pid ${folder}/pid; error_log stderr; worker_processes 2;
    events {}
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
      server {
        listen 80;
        listen [::]:80;
        location / { return 200 "$remote_addr $remote_port $server_addr $server_port"; }
      }
    }`;
}

const webrick: Program = {
  name: "Ruby's WEBrick",
  start: (_folder, port = "80") => ({ app: ["/usr/bin/ruby", `${apps}/webrick.rb`, port] }),
  tellsPeers: true,
};

const php: Program = {
  name: "php -S",
  start: (_folder, port = "80") => ({
    app: ["/usr/bin/php", "-S", `0.0.0.0:${port}`, "serve.php"],
    cwd: apps,
  }),
  tellsPeers: true,
};

const goHttp: Program = {
  name: "Go's net/http built with cgo",
  start: async (_folder, port = "80") => ({ app: [await goProgram("go_http"), port] }),
  tellsPeers: true,
};

const goHttpMusl: Program = {
  name: "Go's net/http built with cgo and musl",
  start: async (_folder, port = "80") => ({ app: [await muslGoProgram("go_http"), port] }),
  tellsPeers: true,
};

/** The programs that are shown on every floor. */
export const walkers: Program[] = [
  httpServerScripts,
  flask,
  uvicorn,
  express,
  fastify,
  jdk,
  goHttp,
  goHttpMusl,
  webrick,
  php,
];

/** It is started again by a parent of its own whenever its file changes. */
export const reloading: Program = {
  name: "uvicorn --reload",
  start: async (folder, port = "80") => {
    await Deno.copyFile(`${apps}/fastapi_app.py`, `${folder}/fastapi_app.py`);
    const app = ["python3", "-m", "uvicorn", "--reload", "--host", "::", "--port", port, "fastapi_app:app"];
    return { app, cwd: folder, env: { PYTHONPATH: await pythonPackages() } };
  },
  tellsPeers: true,
};

const npmStart: Program = {
  name: "npm start",
  start: async (folder, port = "80") => {
    const modules = await nodePackages();
    for (const name of ["express_app.cjs", "walk.cjs"]) {
      await Deno.copyFile(`${apps}/${name}`, `${folder}/${name}`);
    }
    const scripts = { start: `node express_app.cjs ${port}` };
    await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify({ name: "app", scripts }));
    const app = ["env", "PATH=/usr/bin:/bin", `${modules}/.bin/npm`, "start"];
    return { app, cwd: folder, env: { NODE_PATH: modules } };
  },
  tellsPeers: true,
};

const make: Program = {
  name: "make",
  start: async (folder, port = "80") => {
    await Deno.copyFile(`${apps}/serve.php`, `${folder}/serve.php`);
    await Deno.writeTextFile(`${folder}/Makefile`, `serve:\n\t/usr/bin/php -S 0.0.0.0:${port} serve.php\n`);
    return { app: ["/usr/bin/make", "serve"], cwd: folder };
  },
  tellsPeers: true,
};

const expressCluster: Program = {
  name: "an Express cluster of two workers",
  start: async (_folder, port = "80") => ({
    app: ["/usr/bin/node", "express_app.cjs", port, "2"],
    cwd: apps,
    env: { NODE_PATH: await nodePackages() },
  }),
  tellsPeers: true,
};

const script: Program = {
  name: "a script of bash",
  start: async (folder, port = "80") => {
    const lines = [
      "#!/bin/bash",
      "set -euo pipefail",
      `cd ${apps}`,
      `webrick() { /usr/bin/ruby webrick.rb "$1"; }`,
    ];
    await Deno.writeTextFile(`${folder}/serve`, [...lines, `webrick ${port} 2> >(cat >&2)`, ""].join("\n"));
    await Deno.chmod(`${folder}/serve`, 0o755);
    return { app: [`${folder}/serve`], cwd: project };
  },
  tellsPeers: true,
};

/** Programs that start others which do the work. */
export const parents: Program[] = [gunicorn, reloading, npmStart, make, expressCluster, script];
