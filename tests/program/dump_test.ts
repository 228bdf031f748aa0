// `mirrord dump` on a process of this machine, through the compiled binary: requests with their answers as
// lines and as JSON, the files it writes, and its ends: Ctrl-C, a lost agent, losses.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { missingForProcess, registerCases } from "../support/cases.ts";
import { sequence } from "../support/client.ts";
import { readHar } from "../support/har.ts";
import { freePort } from "../support/ports.ts";
import { assertTargetClean } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { Mirrord, runMirrord } from "../support/program.ts";
import { missingForTshark, tshark } from "../support/tshark.ts";

/** Standard output goes where standard error goes, so that it can be waited for. */
const oneStream = ["sh", "-c", 'exec "$@" >&2', "sh"];

/** A running `mirrord dump` with both files. */
class Dump extends Mirrord {
  readonly folder: string;

  constructor(target: string[], flags: string[] = []) {
    const folder = Deno.makeTempDirSync({ prefix: "mirrord-dump-" });
    const files = ["--har", `${folder}/dump.har`, "--pcap", `${folder}/dump.pcapng`];
    super(["dump", ...target, ...files, ...flags], { prefix: oneStream });
    this.folder = folder;
  }

  static async watching(target: string[], flags: string[] = []): Promise<Dump> {
    const dump = new Dump(target, flags);
    try {
      await dump.until(/Showing what goes to and from port/);
      return dump;
    } catch (error) {
      await dump[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The lines of JSON so far. */
  json(): Record<string, unknown>[] {
    return this.said().filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  }

  get har(): string {
    return `${this.folder}/dump.har`;
  }

  /** The answers that tshark finds. */
  async answers(): Promise<string[]> {
    return await tshark(`${this.folder}/dump.pcapng`, ["http.response.code"], "http.response");
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    Deno.removeSync(this.folder, { recursive: true });
  }
}

const requests = [
  { path: "/one?token=1" },
  { path: "/two", method: "POST", size: 3000, chunked: true },
  { path: "/chunked/70000" },
];

async function shows(stage: ProcessStage): Promise<void> {
  const identity = await stage.identity();
  await using dump = await Dump.watching(stage.targetFlags);
  await sequence(stage, requests);
  await dump.until(/^[\d:.]+ #3 < 200 OK/);
  const client = stage.clients.ipv4.replaceAll(".", "\\.");
  await dump.until(
    new RegExp(`^[\\d:.]+ #1 > GET http://${stage.hosts.ipv4}/one\\?token=1 \\(${client}:\\d+ > `),
  );
  await dump.until(/^ {4}.*"by": ?"original"/);
  await until("the file has all", async () => (await readHar(dump.har)).entries.length === 3 || "fewer", 20);
  dump.kill("SIGINT");
  const { code, stderr } = await dump.finished();
  assert.equal(code, 0, stderr);
  assert.match(stderr, /3 requests seen$/m);
  const { entries, comment } = await readHar(dump.har);
  assert.equal(comment, undefined);
  assert.deepEqual(entries.map(({ response }) => response.status), [200, 200, 200]);
  assert.equal(entries[1]?.request.postData?.text.length, 4000); // base64 of 3000 bytes that are no text
  assert.equal(entries[2]?.response.content.size, 70_000);
  for (const name of ["dump.har", "dump.pcapng"]) {
    assert.equal((Deno.statSync(`${dump.folder}/${name}`).mode ?? 0) & 0o777, 0o600);
  }
  if (missingForTshark() === null) assert.deepEqual(await dump.answers(), ["200", "200", "200"]);
  await assertTargetClean(stage, identity);
}

async function tellsPrograms(stage: ProcessStage): Promise<void> {
  await using dump = await Dump.watching(stage.targetFlags, ["-p", "80", "-o", "json", "--preview", "20"]);
  await sequence(stage, requests);
  await dump.until(/^\{"type":"response","request":3/);
  const json = dump.json();
  const of = (type: string) => json.filter((one) => one["type"] === type);
  assert.deepEqual(of("request").map((one) => one["method"]), ["GET", "POST", "GET"]);
  assert.deepEqual(of("response").map((one) => one["status"]), [200, 200, 200]);
  const [, , large] = of("response");
  const body = large?.["body"] as { size: number; base64?: string; truncated?: boolean };
  assert.deepEqual([body.size, body.truncated, body.base64?.length], [70_000, true, 28]);
  dump.kill("SIGTERM");
  assert.equal((await dump.finished()).code, 0);
}

async function losesAgent(stage: ProcessStage): Promise<void> {
  await using dump = await Dump.watching(stage.targetFlags);
  await sequence(stage, requests.slice(0, 1));
  await dump.until(/#1 < 200/);
  for (const pid of await stage.agents()) Deno.kill(pid, "SIGKILL");
  const { code, stderr } = await dump.finished();
  assert.equal(code, 74, stderr);
  assert.match(stderr, /error: Cannot go on without the agent: /);
  assert.equal((await readHar(dump.har)).entries.length, 1);
  if (missingForTshark() === null) assert.deepEqual(await dump.answers(), ["200"]);
}

async function saysLosses(stage: ProcessStage): Promise<void> {
  await using dump = await Dump.watching(stage.targetFlags);
  dump.kill("SIGSTOP");
  try {
    await sequence(stage, [{ path: "/large", method: "POST", size: 100_000_000 }]);
  } finally {
    dump.kill("SIGCONT");
  }
  await sequence(stage, requests.slice(0, 1));
  await dump.until(/\/one\?token=1/);
  await dump.until(/packets were not copied: they came faster than (the agent|this session) took them/);
  dump.kill("SIGINT");
  const { code, stderr } = await dump.finished();
  assert.equal(code, 0, stderr);
  assert.match(stderr, /\d+ packets were not copied/);
  assert.match(
    (await readHar(dump.har)).comment ?? "",
    /^The recording is incomplete: \d+ packets were not copied/,
  );
  if (missingForTshark() !== null) return;
  const comments = await tshark(`${dump.folder}/dump.pcapng`, ["frame.comment"], "frame.comment");
  assert.match(comments.join("\n"), /packets were not copied/);
}

const cases = [
  { name: "requests and answers are shown and recorded, until Ctrl-C", run: shows },
  {
    name: "JSON lines hold what a program needs, and no more of a body than was asked for",
    run: tellsPrograms,
  },
  { name: "a lost agent is exit code 74, and the files are whole", run: losesAgent },
  { name: "the output and both files name what was not copied", run: saysLosses },
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
      await using dump = await Dump.watching(["--target", `process/${nginx.pid}`]);
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
