// Servers that nobody here wrote, unmodified under the layer: each listens on a port that is taken on this
// machine, answers the pod's clients there, and knows their addresses.

import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { FakeSession } from "../support/fake_session.ts";
import { App } from "../support/layer_app.ts";
import { busyPort } from "./hook_cases.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const clients = 50;

/** Sends `request` as client `n` of the pod and resolves with all that comes back. */
async function ask(session: FakeSession, port: number, n: number, request: string): Promise<string> {
  const { actual } = await session.listener(port);
  assert.ok(actual !== undefined && actual.port !== port);
  const peer = { address: `203.0.113.${n}`, port: 20_000 + n };
  using conn = await session.dial(actual, { peer, local: { address: "10.1.2.3", port } });
  await conn.write(new TextEncoder().encode(request));
  return await deadline(readAll(conn), `an answer for client ${n}`);
}

async function readAll(conn: Deno.TcpConn): Promise<string> {
  const chunk = new Uint8Array(4096);
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const length = await conn.read(chunk);
    if (length === null) return text;
    text += decoder.decode(chunk.subarray(0, length), { stream: true });
  }
}

const get = "GET / HTTP/1.1\r\nhost: pod\r\nconnection: close\r\n\r\n";

/**
 * Runs `argv` on a taken port and asks it as many clients: each must get its own address and the pod's.
 */
async function tellsClients(argv: (port: number) => string[]): Promise<void> {
  using busy = busyPort();
  const { port } = busy.addr;
  await using session = new FakeSession();
  await using app = new App(session, argv(port), { cwd: `${root}tests/apps` });
  assert.equal(await app.line(), String(port));
  await asEach(session, port);
}

async function asEach(session: FakeSession, port: number): Promise<void> {
  await Promise.all(Array.from({ length: clients }, async (_, n) => {
    const answer = await ask(session, port, n, get);
    assert.match(answer, /^HTTP\/1\.1 200 /);
    const told = `203.0.113.${n} ${20_000 + n} 10.1.2.3 ${port}`;
    assert.ok(answer.replaceAll("::ffff:", "").includes(told), answer);
  }));
}

/** Why `program` cannot run here; a test of it is then ignored and counted as such. */
function missing(program: string): boolean {
  return new Deno.Command("which", { args: [program], stdout: "null" }).outputSync().code !== 0;
}

Deno.test("python3 -m http.server logs the pod's clients", { ignore: missing("python3") }, async () => {
  using busy = busyPort();
  const { port } = busy.addr;
  await using session = new FakeSession();
  await using folder = await temporaryFolder();
  const argv = ["python3", "-u", "-m", "http.server", String(port)];
  await using app = new App(session, argv, { cwd: folder.path });
  assert.match(await app.line(), new RegExp(`0\\.0\\.0\\.0 port ${port} `));
  for (let n = 0; n < clients; n++) assert.match(await ask(session, port, n, get), /^HTTP\/1\.0 200 /);
  app.kill("SIGINT");
  await app.status;
  const logged = (await app.errors).split("\n").filter((line) => line.includes("GET /"));
  assert.equal(logged.length, clients);
  for (let n = 0; n < clients; n++) assert.ok(logged[n]?.startsWith(`203.0.113.${n} `), logged[n]);
});

Deno.test(
  "Node's http server knows the pod's clients",
  { ignore: missing("node") },
  () => tellsClients((port) => ["node", "http.mjs", String(port)]),
);

Deno.test(
  "a Node cluster whose workers share the listener",
  { ignore: missing("node") },
  () => tellsClients((port) => ["node", "http.mjs", String(port), "shared"]),
);

Deno.test(
  "a Node cluster whose workers are handed connections",
  { ignore: missing("node") },
  () => tellsClients((port) => ["node", "http.mjs", String(port), "rr"]),
);

Deno.test(
  "the JDK's HttpServer knows the pod's clients",
  { ignore: missing("java") },
  () => tellsClients((port) => ["java", "-Xshare:auto", "Http.java", String(port)]),
);

Deno.test("nginx with workers that gave up root", { ignore: missing("nginx") }, async () => {
  using busy = busyPort();
  const { port } = busy.addr;
  await using session = new FakeSession();
  await using folder = await temporaryFolder();
  const config = `
    daemon off; pid ${folder.path}/pid; error_log ${folder.path}/error.log; worker_processes 2;
    events {}
    http {
      access_log off;
      client_body_temp_path ${folder.path}/body; proxy_temp_path ${folder.path}/proxy;
      fastcgi_temp_path ${folder.path}/fastcgi; uwsgi_temp_path ${folder.path}/uwsgi;
      scgi_temp_path ${folder.path}/scgi;
      server {
        listen ${port};
        location / { return 200 "$remote_addr $remote_port $server_addr $server_port"; }
      }
    }`;
  await Deno.writeTextFile(`${folder.path}/nginx.conf`, config);
  await using app = new App(session, ["nginx", "-c", `${folder.path}/nginx.conf`]);
  await asEach(session, port);
  app.kill("SIGTERM");
  await app.status;
  await session.hear("closed", (heard) => heard.name === "closed");
});

Deno.test("redis-server lists the pod's clients", { ignore: missing("redis-server") }, async () => {
  using busy = busyPort();
  const { port } = busy.addr;
  await using session = new FakeSession();
  const argv = [
    "redis-server",
    "--port",
    String(port),
    "--bind",
    "0.0.0.0",
    "--save",
    "",
    "--protected-mode",
    "no",
  ];
  await using app = new App(session, argv);
  await app.lineLike(/Ready to accept connections/);
  const answer = await ask(session, port, 7, "CLIENT LIST\r\nQUIT\r\n");
  assert.ok(answer.includes(`addr=203.0.113.7:20007 laddr=10.1.2.3:${port} `), answer);
});

interface Folder extends AsyncDisposable {
  path: string;
}

async function temporaryFolder(): Promise<Folder> {
  const path = await Deno.makeTempDir();
  await Deno.chmod(path, 0o755);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
