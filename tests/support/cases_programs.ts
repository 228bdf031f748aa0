// The case list of programs that nobody here wrote, each unmodified in the target's place: servers of one process, of
// several processes that share a listener, and programs behind shells. Each answers the target's clients by itself.

import assert from "node:assert/strict";
import type { Case } from "./cases.ts";
import { ask, many, raw, untilBy } from "./client.ts";
import { nodePackages, pythonPackages } from "./packages.ts";
import { assertClean, assertTargetClean, withSession } from "./postcondition.ts";
import { localApp, type RunOptions, SessionRun } from "./session_run.ts";
import type { Stage } from "./stage.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const apps = `${root}tests/apps`;

/** A server that answers HTTP on port 80. */
interface Program {
  name: string;
  /** How to run it; `folder` is one of its own, gone afterwards. */
  start(folder: string): Promise<RunOptions> | RunOptions;
  /** What its answers' `by` contains; "local" unless given. */
  by?: string;
  /** It tells its clients' addresses. */
  tellsPeers: boolean;
  /** Answers come from at least so many processes. */
  processes?: number;
}

const httpServer: Program = {
  name: "python3 -m http.server",
  start: (folder) => {
    Deno.writeTextFileSync(`${folder}/index.html`, "a folder on the developer's machine\n");
    return { app: ["python3", "-m", "http.server", "80"], cwd: folder };
  },
  by: "developer's machine",
  tellsPeers: false,
};

const flask: Program = {
  name: "Flask",
  start: async () => ({
    app: ["python3", "-m", "flask", "run", "--host", "0.0.0.0", "--port", "80"],
    env: { PYTHONPATH: await pythonPackages(), FLASK_APP: `${apps}/flask_app.py` },
  }),
  tellsPeers: true,
};

const express: Program = {
  name: "Express",
  start: async () => ({
    app: ["/usr/bin/node", `${apps}/express_app.cjs`, "80"],
    env: { NODE_PATH: await nodePackages() },
  }),
  tellsPeers: true,
};

const jdk: Program = {
  name: "the JDK's HttpServer",
  start: () => ({ app: ["/usr/bin/java", "-Xshare:auto", `${apps}/Http.java`, "80"] }),
  tellsPeers: true,
};

const gunicorn: Program = {
  name: "gunicorn with three workers",
  start: async (folder) => ({
    app: [
      ...["python3", "-m", "gunicorn", "--workers", "3", "--bind", "0.0.0.0:80"],
      ...["--chdir", apps, "--worker-tmp-dir", folder, "--no-control-socket", "flask_app:app"],
    ],
    env: { PYTHONPATH: await pythonPackages() },
  }),
  tellsPeers: true,
  processes: 2,
};

const uvicorn: Program = {
  name: "FastAPI under uvicorn",
  start: async () => ({
    app: [
      ...["python3", "-m", "uvicorn", "--host", "::", "--port", "80"],
      ...["--app-dir", apps, "fastapi_app:app"],
    ],
    env: { PYTHONPATH: await pythonPackages() },
  }),
  tellsPeers: true,
};

const nodeCluster: Program = {
  name: "a Node cluster of two workers",
  start: () => ({ app: ["/usr/bin/node", `${apps}/http.mjs`, "80", "shared"] }),
  tellsPeers: true,
};

const nginx: Program = {
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

/** A program behind shells: what npm and make do. */
function behind(name: string, app: string[]): Program {
  return { name, start: () => ({ app }), tellsPeers: true };
}

const [python = "", script = ""] = localApp;
const programs: Program[] = [
  gunicorn,
  uvicorn,
  nodeCluster,
  nginx,
  behind("a program behind two shells", ["sh", "-c", `true && exec sh -c 'true; exec ${python} ${script}'`]),
  behind("a program that its shell starts and waits for", [
    "sh",
    "-c",
    `${python} ${script} & trap "kill $!" TERM; wait; wait`,
  ]),
  behind("a program behind env and nohup", ["env", "A=b", "nohup", python, script]),
];

/** The four whose thousand requests the release is judged by. */
const judged: Program[] = [httpServer, flask, express, jdk];

/** One program in the target's place for `count` requests. */
async function serves(stage: Stage, program: Program, count: number): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-program-" });
  await Deno.chmod(folder, 0o755);
  try {
    const start = async () => new SessionRun(stage, await program.start(folder));
    await withSession(stage, start, async () => {
      const first = await untilBy(stage, program.by ?? "local", { path: "/?env=GREETING" });
      if (first.env !== undefined) assert.ok(first.env["GREETING"]?.startsWith("from-the-"));
      const counts = await many(stage, { count, connections: 4 });
      assert.deepEqual(counts.failures, []);
      assert.deepEqual(Object.values(counts.by), [count]);
      assert.ok(Object.keys(counts.by)[0]?.includes(program.by ?? "local"), JSON.stringify(counts.by));
      if (program.tellsPeers) assert.deepEqual(counts.peers, [stage.clients.ipv4]);
      const processes = Object.keys(counts.pids).length;
      assert.ok(processes >= (program.processes ?? 1), `answers of ${processes} processes`);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Every program for a few requests. */
export const programCases: Case[] = [
  ...programs.map((program) => ({
    name: `${program.name} answers in the target's place`,
    run: (stage: Stage) => serves(stage, program, 60),
  })),
  {
    name: "a process that outlives the app loses the target's traffic, and mirrord says so",
    run: async (stage) => {
      const identity = await stage.identity();
      await using run = new SessionRun(stage, { app: ["sh", "-c", `${python} ${script} & wait`] });
      const { pid } = await untilBy(stage, "local");
      run.kill("SIGTERM");
      await run.until(/1 of its processes live on/);
      await run.end();
      assert.ok(Deno.statSync(`/proc/${pid}`).isDirectory);
      await assertTargetClean(stage, identity);
      Deno.kill(pid, "SIGKILL");
      assert.equal((await run.finished()).code, 143);
      await assertClean(run, identity);
    },
  },
  {
    name: "redis-server answers in the target's place and knows its clients",
    run: (stage) => {
      const app = [
        "redis-server",
        "--port",
        "80",
        "--bind",
        "0.0.0.0",
        "--save",
        "",
        "--protected-mode",
        "no",
      ];
      return withSession(stage, () => Promise.resolve(new SessionRun(stage, { app })), async () => {
        assert.equal(
          await raw(stage, { text: "PING\r\n\r\n", expect: "+PONG\r\n", again: true }),
          "+PONG\r\n",
        );
        const list = await raw(stage, { text: "CLIENT LIST\r\n", expect: "cmd=client" });
        assert.ok(list.includes(` addr=${stage.clients.ipv4}:`), list);
      });
    },
  },
];

/** The four for a thousand requests, a thousand more for the original afterwards. */
export const judgedCases: Case[] = judged.map((program) => ({
  name: `${program.name} answers 1,000 requests, then the original answers 1,000`,
  async run(stage) {
    await serves(stage, program, 1000);
    const after = await many(stage, { count: 1000, connections: 4, each: 10 });
    assert.deepEqual(after.failures, []);
    assert.equal(after.failed, 0);
    assert.ok(Object.keys(after.by).every((by) => by.includes("original")), JSON.stringify(after.by));
    assert.ok((await ask(stage)).by.includes("original"));
  },
}));
