// `mirrord dump` on a process of this machine, through the compiled binary: the shared cases, a lost agent,
// and a server and a client that nobody here wrote.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { missingForProcess, registerCases } from "../support/cases.ts";
import { Dump, dumpCases } from "../support/cases_dump.ts";
import { sequence } from "../support/client.ts";
import { readHar } from "../support/har.ts";
import { freePort } from "../support/ports.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { Mirrord, runMirrord } from "../support/program.ts";
import { missingForTshark } from "../support/tshark.ts";

async function losesAgent(stage: ProcessStage): Promise<void> {
  await using dump = await Dump.watching(stage);
  await sequence(stage, [{ path: "/one" }]);
  await dump.until(/#1 < 200/);
  for (const pid of await stage.agents()) Deno.kill(pid, "SIGKILL");
  const { code, stderr } = await dump.finished();
  assert.equal(code, 74, stderr);
  assert.match(stderr, /error: Cannot go on without the agent: /);
  assert.equal((await readHar(dump.har)).entries.length, 1);
  if (missingForTshark() === null) assert.deepEqual(await dump.answers(), ["200"]);
}

async function losesReader(stage: ProcessStage): Promise<void> {
  const script = '{ "$@"; echo "ended with $?" >&2; } | { read line; echo "first $line" >&2; }';
  await using dump = new Mirrord(["dump", ...stage.targetFlags], { prefix: ["sh", "-c", script, "sh"] });
  await dump.until(/Showing what goes to and from port/);
  await sequence(stage, [{ path: "/one" }]);
  await dump.until(/^first .* #1 > GET /);
  await sequence(stage, [{ path: "/two" }]);
  await dump.until(/^ended with 0$/);
}

const cases = [
  ...dumpCases,
  { name: "it ends when nobody reads what it shows", run: losesReader },
  { name: "a lost agent is exit code 74, and the files are whole", run: losesAgent },
];

registerCases(cases, () => ProcessStage.create(), missingForProcess());

Deno.test({
  name: "nginx and curl: every port of the process and its children, compressed bodies",
  ignore: missingForProcess() !== null,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "mirrord-nginx-" });
    const [port, other] = [freePort(), freePort()];
    await Deno.writeTextFile(`${folder}/page.html`, "<p>hello</p>\n".repeat(100));
    await Deno.chmod(folder, 0o755);
    await Deno.writeTextFile(
      `${folder}/nginx.conf`,
      `daemon off; user root; pid ${folder}/pid; error_log stderr; worker_processes 2; events {}
http { access_log off; types { text/html html; } gzip on; gzip_min_length 1; root ${folder};
server { listen 127.0.0.1:${port}; } server { listen 127.0.0.1:${other}; location / { return 302 /page.html; } } }`,
    );
    const args = ["-p", folder, "-c", `${folder}/nginx.conf`];
    const nginx = new Deno.Command("/usr/sbin/nginx", { args, stdin: "null", stdout: "null", stderr: "null" })
      .spawn();
    try {
      await until("nginx listens", async () => {
        const conn = await Deno.connect({ port: other, hostname: "127.0.0.1" }).catch(() => null);
        conn?.close();
        return conn !== null || "not yet";
      }, 20);
      await using dump = await Dump.watching({
        targetFlags: ["--target", `process/${nginx.pid}`],
        prefix: [],
      });
      const ports = [port, other].sort((a, b) => a - b).join(", ");
      await dump.until(new RegExp(`from port ${ports}; Ctrl-C ends`));
      const url = `http://127.0.0.1:${port}`;
      const curl = await new Deno.Command("curl", {
        args: ["-s", "--compressed", "-o", "/dev/null", "-o", "/dev/null", `${url}/page.html`, `${url}/none`],
      }).output();
      assert.equal(curl.code, 0);
      await new Deno.Command("curl", { args: ["-s", "-I", `http://127.0.0.1:${other}/x`] }).output();
      await dump.until(/ #3 < 302 /);
      await dump.until(/^ {4}<p>hello<\/p>/);
      dump.kill("SIGINT");
      assert.equal((await dump.finished()).code, 0);
      const { entries } = await readHar(dump.har);
      assert.deepEqual(entries.map(({ response }) => response.status), [200, 404, 302]);
      assert.equal(entries[0]?.response.content.text, "<p>hello</p>\n".repeat(100));
      if (missingForTshark() === null) assert.deepEqual(await dump.answers(), ["200", "404", "302"]);
      const replay = ["replay", dump.har, "--to", `127.0.0.1:${port}`];
      const [own, all] = [
        await runMirrord([...replay, "--host", `127.0.0.1:${port}`]),
        await runMirrord(replay),
      ];
      assert.deepEqual([own.code, all.code], [0, 1], own.stdout + all.stdout); // the other port redirects
    } finally {
      nginx.kill("SIGTERM");
      await nginx.status;
      await Deno.remove(folder, { recursive: true });
    }
  },
});
