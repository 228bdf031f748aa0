// TCP_NODELAY: on every connection that session and agent have, whichever side made it, and on the app's
// own as the app set it.

import assert from "node:assert/strict";
import { missingForProcess, registerCases } from "../support/cases.ts";
import { deadline } from "../support/deadline.ts";
import { Netns } from "../support/netns.ts";
import { tcpSockets } from "../support/no_delay.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { SessionRun } from "../support/session_run.ts";
import { TextLineStream } from "../support/text_lines.ts";

const python = "/usr/bin/python3";
const script = decodeURIComponent(new URL("../apps/own_options.py", import.meta.url).pathname);
const filtered = {
  feature: { network: { incoming: { mode: "steal", http_filter: { header_filter: "x-mine" } } } },
};

/** Asks on one connection and keeps it; resolves with it when all answers are whole. */
async function ask(hostname: string, port: number, requests = 1): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname, port });
  const buffer = new Uint8Array(4096);
  for (let n = 0; n < requests; n++) {
    await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\nX-Mine: 1\r\n\r\n"));
    for (let text = ""; !text.endsWith("\r\n\r\nok");) {
      const count = await deadline(conn.read(buffer), "an answer");
      assert.ok(count !== null, text);
      text += new TextDecoder().decode(buffer.subarray(0, count));
    }
  }
  return conn;
}

/** What the program says of its own sockets inside the target. */
async function insideTarget(stage: ProcessStage, far: string[]): Promise<string> {
  const [program = "", ...args] = stage.netns?.inside([python, script, "81", ...far, "1"]) ?? [];
  const child = new Deno.Command(program, { args, stdin: "piped", stderr: "piped", stdout: "null" }).spawn();
  const lines = child.stderr.pipeThrough(new TextLineStream()).getReader();
  assert.equal((await deadline(lines.read(), "it listens")).value, "listening");
  using _conn = await ask(stage.hosts.ipv4, 81);
  const { value = "" } = await deadline(lines.read(), "its options");
  await child.stdin.close();
  await child.status;
  await lines.cancel();
  return value;
}

/** DelayedACKs of `netns`, from the names and numbers of its table (proc_pid_net(5)). */
async function delayedAcknowledgements(netns: Netns): Promise<number> {
  const rows = (await netns.run(["cat", "/proc/net/netstat"])).split("\n").filter((line) =>
    line.startsWith("TcpExt:")
  );
  const [names = [], numbers = []] = rows.map((line) => line.split(" "));
  return Number(numbers[names.indexOf("DelayedACKs")]);
}

const cases = [
  {
    name:
      "every connection of session and agent sends small writes at once, the app's own as inside the target",
    async run(stage: ProcessStage) {
      using far = Deno.listen({ hostname: stage.clients.ipv4, port: 0 });
      const place = [stage.clients.ipv4, String(far.addr.port)];
      const expected = await insideTarget(stage, place);
      assert.match(expected, /^options \d \d$/);
      await using run = new SessionRun(stage, {
        app: [python, script, "80", ...place, "1"],
        config: filtered,
        flags: [],
        stdin: "piped",
      });
      await run.until(/Stealing port 80/);
      using _conn = await ask(stage.hosts.ipv4, 80);
      assert.equal(await run.until(/^options /), expected);
      const agents = await stage.agents();
      assert.equal(agents.length, 1);
      const sockets = await tcpSockets([run.pid, ...agents]);
      assert.deepEqual(sockets.filter(({ noDelay }) => !noDelay), []);
      // The session's two to the app, and one that fills a gate's queue (core/net/linux/gate.ts); the agent's
      // to the client, to the original, and to where the app dialled.
      assert.equal(sockets.filter(({ pid }) => pid === run.pid).length, 3);
      assert.equal(sockets.filter(({ pid }) => pid === agents[0]).length, 3);
      await run.type("\n");
      assert.equal((await run.finished()).code, 0);
    },
  },
  {
    name: "an app that answers by two small writes does not wait for a delayed acknowledgement",
    async run(stage: ProcessStage) {
      const requests = 30;
      // The app and its session alone: the kernel counts for a network namespace.
      await using own = await Netns.create();
      using far = Deno.listen({ hostname: stage.clients.ipv4, port: 0 });
      await using run = new SessionRun(stage, {
        app: [python, script, "80", stage.clients.ipv4, String(far.addr.port), String(requests)],
        prefix: own.inside([]),
        stdin: "piped",
      });
      await run.until(/Stealing port 80/);
      const before = await delayedAcknowledgements(own);
      using _conn = await ask(stage.hosts.ipv4, 80, requests);
      await run.until(/^options /);
      const delayed = await delayedAcknowledgements(own) - before;
      assert.ok(delayed < requests / 2, `${delayed} of ${requests} answers waited`);
      await run.type("\n");
      assert.equal((await run.finished()).code, 0);
    },
  },
];

registerCases(cases, () => ProcessStage.create(), missingForProcess());
