// A Go program under the layer: its own system calls are the layer's business like any program's calls of
// libc, from many goroutines at once, in children that share its memory until they exec, and under its
// collector and signals.

import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { FakeSession } from "../support/fake_session.ts";
import { App } from "../support/layer_app.ts";
import { goProgram } from "../support/packages.ts";
import { busyPort } from "./hook_cases.ts";

const ignore = Deno.build.arch !== "x86_64";
const why = ignore ? " (skipped: Go programs are hooked on x86_64 only)" : "";

/** Asks as client `n` of the pod, on a connection of its own. */
async function ask(
  session: FakeSession,
  port: number,
  n: number,
  path: string,
): Promise<Record<string, unknown>> {
  const { actual } = await session.listener(port);
  assert.ok(actual !== undefined && actual.port !== port);
  const peer = { address: `203.0.113.${n}`, port: 20_000 + n };
  using conn = await session.dial(actual, { peer, local: { address: "10.1.2.3", port } });
  await conn.write(new TextEncoder().encode(`GET ${path} HTTP/1.0\r\n\r\n`));
  const text = await deadline(new Response(conn.readable).text(), `an answer for client ${n}`);
  assert.match(text, /^HTTP\/1\.0 200 /);
  return JSON.parse(text.slice(text.indexOf("\r\n\r\n")));
}

Deno.test({
  name: `Go's net/http listens elsewhere and knows the pod's clients${why}`,
  ignore,
  async fn() {
    using busy = busyPort();
    const { port } = busy.addr;
    await using session = new FakeSession();
    // With the collector at work all the time and few threads.
    const env = { GOGC: "1", GOMAXPROCS: "2" };
    await using _app = new App(session, [await goProgram("go_http"), String(port)], { env });
    const clients = Array.from({ length: 100 }, (_, n) => n + 1);
    const answers = await Promise.all(clients.map((n) => ask(session, port, n, "/")));
    for (const n of clients) {
      assert.equal(answers[n - 1]?.["peer"], `203.0.113.${n}`);
      assert.equal(answers[n - 1]?.["peer_port"], 20_000 + n);
    }
  },
});

Deno.test({
  name: `Go starts children from many goroutines${why}`,
  ignore,
  async fn() {
    using busy = busyPort();
    const { port } = busy.addr;
    await using session = new FakeSession();
    await using _app = new App(session, [await goProgram("go_http"), String(port)]);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => ask(session, port, n + 1, "/child")),
    );
    for (const answer of answers) assert.equal(answer["child"], "a child\n");
    assert.equal((await ask(session, port, 99, "/"))["peer"], "203.0.113.99");
  },
});
