// psql and redis-cli of this machine, unmodified, talking to the databases of the cluster by the names of
// their Services, as a developer's own client or migration would.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";
import { deadline } from "../support/deadline.ts";
import { inFolder } from "../support/programs.ts";
import { SessionRun } from "../support/session_run.ts";

const psql = ["/usr/bin/psql", "--no-psqlrc", "--username", "postgres", "--quiet"];
const psqlInPod = ["/usr/lib/postgresql/15/bin/psql", "--username", "postgres", "--host", "127.0.0.1"];
/** The connection is all there is: these clients listen on nothing. */
const config = { feature: { network: { incoming: "off" } } };

/** Runs `app` to its end with the target "app"; its standard output. */
async function output(stage: ClusterStage, app: string[]): Promise<string> {
  await using run = new SessionRun(stage, { app, flags: [], config });
  const { code, stdout, stderr } = await run.finished();
  assert.equal(code, 0, stderr);
  return stdout;
}

async function inPod(stage: ClusterStage, name: string, argv: string[]): Promise<string> {
  return await stage.kubectl("exec", `deployment/${name}`, "--", ...argv);
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex();
}

/** Why libpq did not connect. */
function reason(stderr: string): string | undefined {
  return /(?:failed|FATAL|to address): +(.+)/.exec(stderr)?.[1];
}

const cases = [
  {
    name: "psql finds PostgreSQL by each form of its Service's name",
    async run(stage: ClusterStage) {
      const names = [
        "postgres",
        `postgres.${stage.namespace}`,
        `postgres.${stage.namespace}.svc.cluster.local`,
      ];
      const query = "select current_database(), inet_server_port()";
      for (const name of names) {
        const app = [...psql, "--host", name, "--no-align", "--tuples-only", "--command", query];
        assert.equal(await output(stage, app), "postgres|5432\n", name);
      }
    },
  },
  {
    name: "psql runs a script of 2,000 statements and what it wrote is there",
    run: (stage: ClusterStage) =>
      inFolder(async (folder) => {
        const inserts = Array.from({ length: 2000 }, (_, number) => `insert into t values (${number});`);
        const script = ["begin;", "create table t (n int);", ...inserts, "commit;"].join("\n");
        await Deno.writeTextFile(`${folder}/script.sql`, script);
        await output(stage, [
          ...psql,
          "--host",
          "postgres",
          "-v",
          "ON_ERROR_STOP=1",
          "-f",
          `${folder}/script.sql`,
        ]);
        const sum = [...psqlInPod, "-Atc", "select count(*), sum(n) from t"];
        assert.equal(await inPod(stage, "postgres", sum), "2000|1999000\n");
      }),
  },
  {
    name: "psql copies tables in and out",
    run: (stage: ClusterStage) =>
      inFolder(async (folder) => {
        const rows = Array.from({ length: 50_000 }, (_, number) => `${number}\t${number * 7}`).join("\n") +
          "\n";
        await Deno.writeTextFile(`${folder}/rows`, rows);
        const commands = [
          "create table copied (a int, b int)",
          `\\copy copied from '${folder}/rows'`,
          `\\copy (select * from copied order by a) to '${folder}/back'`,
        ].flatMap((command) => ["--command", command]);
        await output(stage, [...psql, "--host", "postgres", ...commands]);
        assert.equal(await sha256(await Deno.readTextFile(`${folder}/back`)), await sha256(rows));
      }),
  },
  {
    name: "psql gets a result of 30 MB whole",
    async run(stage: ClusterStage) {
      const query = "select g, repeat(md5(g::text), 3) from generate_series(1, 300000) g";
      const found = await output(stage, [...psql, "--host", "postgres", "-Atc", query]);
      assert.ok(found.length > 30_000_000, `${found.length} characters`);
      const place = [...psqlInPod, "-Atc", query].map((word) => `'${word}'`).join(" ");
      const there = await inPod(stage, "postgres", ["sh", "-c", `${place} | sha256sum`]);
      assert.equal(await sha256(found), there.slice(0, 64));
    },
  },
  {
    name: "psql is notified of what others say",
    async run(stage: ClusterStage) {
      const app = [...psql, "--host", "postgres"];
      await using run = new SessionRun(stage, { app, flags: [], config, stdin: "piped" });
      await run.type("listen news;\n\\warn it listens\n");
      await run.until(/^it listens$/);
      await inPod(stage, "postgres", [...psqlInPod, "-c", "notify news, 'from the pod'"]);
      await run.type("select 1;\n\\q\n");
      const { code, stdout, stderr } = await run.finished();
      assert.equal(code, 0, stderr);
      assert.match(stdout, /Asynchronous notification "news" with payload "from the pod"/);
    },
  },
  {
    name: "psql fails as in the pod for a wrong database and a wrong port",
    async run(stage: ClusterStage) {
      const pod = ["get", "pod", "--selector", "app=postgres", "-o", "jsonpath={.items[0].status.podIP}"];
      // On the pod's own address a port without a listener is refused; on a Service's nobody answers.
      const closed = ["--host", await stage.kubectl(...pod), "--port", "5433"];
      const wrong = [["--dbname", "nowhere"], closed, ["--host", "nobody"]];
      for (const words of wrong) {
        const rest = ["--host", "postgres", ...words, "--command", "select 1"];
        await using run = new SessionRun(stage, { app: [...psql, ...rest], flags: [], config });
        const here = await run.finished();
        const there = await stage.tryKubectl("exec", "deployment/postgres", "--", ...psqlInPod, ...rest);
        assert.equal(here.code, there.code, here.stderr);
        assert.equal(reason(here.stderr), reason(there.stderr));
        assert.notEqual(reason(here.stderr), undefined, here.stderr);
      }
    },
  },
  {
    name: "redis-cli asks, and loads 50,000 keys through its pipe",
    run: (stage: ClusterStage) =>
      inFolder(async (folder) => {
        assert.equal(await output(stage, ["/usr/bin/redis-cli", "-h", "redis", "ping"]), "PONG\n");
        const keys = Array.from({ length: 50_000 }, (_, number) => `SET key:${number} ${number}\r\n`).join(
          "",
        );
        await Deno.writeTextFile(`${folder}/keys`, keys);
        const load = `/usr/bin/redis-cli -h redis --pipe <${folder}/keys`;
        assert.match(await output(stage, ["sh", "-c", load]), /errors: 0, replies: 50000/);
        assert.equal(await inPod(stage, "redis", ["redis-cli", "dbsize"]), "50000\n");
      }),
  },
  {
    name: "redis-cli gets a value of 32 MB whole",
    async run(stage: ClusterStage) {
      const script = "return redis.call('set', KEYS[1], string.rep('0123456789abcdef', 2097152))";
      await inPod(stage, "redis", ["redis-cli", "eval", script, "1", "large"]);
      const found = await output(stage, ["/usr/bin/redis-cli", "-h", "redis", "--raw", "get", "large"]);
      const wanted = "0123456789abcdef".repeat(2_097_152) + "\n";
      assert.equal(await sha256(found), await sha256(wanted));
    },
  },
  {
    name: "redis-cli subscribes and hears what others publish",
    async run(stage: ClusterStage) {
      const app = ["sh", "-c", "exec /usr/bin/redis-cli -h redis subscribe news >&2"];
      await using run = new SessionRun(stage, { app, flags: [], config });
      await run.until(/^subscribe$/);
      for (const text of ["one", "two", "three"]) {
        assert.equal(await inPod(stage, "redis", ["redis-cli", "publish", "news", text]), "1\n");
        await run.until(new RegExp(`^${text}$`));
      }
      run.kill("SIGTERM");
      await deadline(run.finished(), "redis-cli ends");
    },
  },
];

registerCases(
  cases,
  () => ClusterStage.create({ others: ["postgres", "redis"] }),
  missingCluster,
);
