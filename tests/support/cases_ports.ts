// The case list of ports, for every stage: a local port that cannot be had, a port of the target that another
// session has, and how much goes through one.

import assert from "node:assert/strict";
import type { Case } from "./cases.ts";
import { ask, download, many, stalled, untilBy } from "./client.ts";
import { deadline } from "./deadline.ts";
import { assertClean, withSession } from "./postcondition.ts";
import { SessionRun } from "./session_run.ts";
import type { Stage } from "./stage.ts";
import { TextLineStream } from "./text_lines.ts";

const mebibyte = 1 << 20;
/** Root that may not bind ports below 1024, as any other user: capabilities(7). */
const unprivileged = [
  "setpriv",
  "--bounding-set=-net_bind_service",
  "--inh-caps=-net_bind_service",
  "--ambient-caps=-all",
];

/** Somebody who listens on `port` where mirrord runs; it may be taken already, that is as good. */
async function takenPort(stage: Stage, port: number): Promise<AsyncDisposable> {
  const script = [
    "import socket, sys",
    "try: s = socket.create_server(('::', int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True)",
    "except OSError: pass",
    "print('taken', flush=True)",
    "sys.stdin.read()",
  ].join("\n");
  const [program = "", ...args] = [...stage.prefix, "/usr/bin/python3", "-c", script, String(port)];
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
  const lines = child.stdout.pipeThrough(new TextLineStream()).getReader();
  const { value } = await deadline(lines.read(), "the port is taken");
  assert.equal(value, "taken");
  return {
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await lines.cancel();
      await child.status;
    },
  };
}

export const portCases: Case[] = [
  {
    name: "a port that is taken locally: the app gets the target's traffic all the same",
    async run(stage) {
      await using _taken = await takenPort(stage, 80);
      await withSession(stage, () => SessionRun.listening(stage), async (run) => {
        assert.match(
          await run.until(/Local port 80 is not available/),
          /still receives the (pod|target)'s port 80/,
        );
        assert.match(await run.until(/^listening /), / 80$/); // the app sees the port that it asked for
        const report = await ask(stage);
        assert.deepEqual([report.by, report.peer, report.own_port], ["local", stage.clients.ipv4, 80]);
      });
    },
  },
  {
    name: "a port that needs root: the app gets the target's traffic all the same",
    run: (stage) =>
      withSession(stage, () => SessionRun.listening(stage, { prefix: unprivileged }), async (run) => {
        await run.until(/Local port 80 is not available/);
        assert.equal((await ask(stage)).by, "local");
      }),
  },
  {
    name: "a second session on the port learns which session has it, its app that the address is in use",
    async run(stage) {
      const identity = await stage.identity();
      const first = await SessionRun.listening(stage, { env: { USER: "ana" } });
      await using _first = first;
      await using second = new SessionRun(stage, { env: { USER: "bob" } });
      const { code, stderr } = await second.finished();
      assert.equal(code, 3, stderr);
      assert.match(stderr, /^cannot listen on 80: .*\(98\)$/m);
      assert.match(stderr, /Cannot steal port 80: another session \(ana@.* has it/);
      assert.equal((await ask(stage)).by, "local");
      first.kill("SIGTERM");
      await first.finished();
      await assertClean(second, identity);
      await assertClean(first, identity);
      await withSession(stage, () => SessionRun.listening(stage, { env: { USER: "bob" } }), async () => {
        assert.equal((await ask(stage)).by, "local");
      });
    },
  },
  {
    name: "200 requests from 20 connections at a time are all answered",
    run: (stage) =>
      withSession(stage, () => SessionRun.listening(stage), async () => {
        const counts = await many(stage, { count: 200, connections: 20 });
        assert.deepEqual([counts.by, counts.failures], [{ local: 200 }, []]);
      }),
  },
  {
    name: "64 MiB arrive whole in either direction",
    run: (stage) =>
      withSession(stage, () => SessionRun.listening(stage), async () => {
        const size = 64 * mebibyte;
        assert.deepEqual(await download(stage, { size }), { length: size, equal: true });
        const report = await ask(stage, { method: "POST", size });
        assert.deepEqual([report.by, report.body_length], ["local", size]);
        assert.equal(report.body_sha256, report.sent_sha256);
      }),
  },
  {
    name: "a client that stands still does not hold up others, and gets all in the end",
    run: (stage) =>
      withSession(stage, () => SessionRun.listening(stage), async () => {
        const size = 32 * mebibyte;
        const { length, equal, others } = await stalled(stage, { size, count: 100 });
        assert.deepEqual([others.by, others.failures], [{ local: 100 }, []]);
        assert.deepEqual({ length, equal }, { length: size, equal: true });
      }),
  },
  {
    name: "what is in flight when the app ends is not answered twice, what comes after is the original's",
    run: (stage) =>
      withSession(stage, () => SessionRun.listening(stage), async (run) => {
        const size = 256 * mebibyte;
        // It may fail before it is waited for.
        const cut = download(stage, { size }).catch((error: Error) => error.message);
        await untilBy(stage, "local");
        run.kill("SIGTERM");
        await run.finished();
        const outcome = await cut;
        if (typeof outcome !== "string") assert.ok(outcome.length < size || outcome.equal);
        assert.equal((await ask(stage)).by, "original");
      }),
  },
];
