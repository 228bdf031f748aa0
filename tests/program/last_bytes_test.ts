// What a program sent last, and how its connection ends, when the program itself has ended: as its peer gets
// it from the same program inside the target.

import assert from "node:assert/strict";
import { missingForProcess, registerCases } from "../support/cases.ts";
import { attempt } from "../cluster/command.ts";
import { compileApp } from "../support/layer_app.ts";
import { goProgram, javaApp } from "../support/packages.ts";
import { assertClean } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { SessionRun } from "../support/session_run.ts";
import { Sink, type Sunk } from "../support/sink.ts";

const apps = decodeURIComponent(new URL("../apps/", import.meta.url).pathname);
const python = ["/usr/bin/python3", `${apps}last_bytes.py`];
const config = { feature: { network: { incoming: "off" }, fs: "local" } };
const size = "8000000";
const port = "5555";

function peers(stage: ProcessStage): string[] {
  assert.ok(stage.netns !== null);
  return stage.netns.inside([]);
}

/**
 * Runs `app` inside the target, then under mirrord; the peer must not see a difference. Answers what it saw.
 */
async function compare(stage: ProcessStage, app: string[], host: string): Promise<Sunk> {
  await using sink = await Sink.start(peers(stage), "listen", host, port);
  const inside = await attempt([...peers(stage), ...app]);
  const expected = await sink.next();
  const identity = await stage.identity();
  await using run = new SessionRun(stage, { app, flags: [], config });
  const { code, stderr } = await run.finished();
  assert.equal(code, inside.code, stderr);
  assert.deepEqual(await sink.next(), expected, stderr);
  await sink[Symbol.asyncDispose]();
  await assertClean(run, identity);
  return expected;
}

/** How each language sends; the programs end right after. */
const senders: Record<string, (host: string) => Promise<string[]> | string[]> = {
  "Python that closes": (host) => [...python, host, port, size],
  "Python that ends without closing": (host) => [...python, host, port, size, "end"],
  "Python whose child sends after its parent ended": (host) => [...python, host, port, size, "fork"],
  "a program that is killed": (host) => [...python, host, port, size, "kill"],
  C: async (host) => [await compileApp("last_bytes"), host, port, size],
  Node: (host) => ["/usr/bin/node", `${apps}last_bytes.mjs`, host, port, size],
  Java: async (host) => [...await javaApp("LastBytes"), host, port, size],
  "Go with cgo": async (host) => [await goProgram("go_last_bytes"), host, port, size],
  bash: (host) => ["/bin/bash", "-c", `/usr/bin/head -c ${size} /dev/zero >/dev/tcp/${host}/${port}`],
};

const sending = Object.entries(senders).flatMap(([name, app]) =>
  ["127.0.0.1", "::1"].map((host) => ({
    name: `all that ${name} sends to ${host} arrives, with its end`,
    run: async (stage: ProcessStage) => {
      const { bytes, end } = await compare(stage, await app(host), host);
      assert.deepEqual([bytes, end], [Number(size), "eof"]);
    },
  }))
);

const head = "HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 8000000\\r\\n\\r\\n";
/** An app that accepts one connection on port 80, answers, closes and ends. */
const answers = [
  "import socket, sys",
  "server = socket.create_server(('', 80), family=socket.AF_INET6, dualstack_ipv6=True)",
  "print('listening 80', file=sys.stderr, flush=True)",
  "connection, _ = server.accept()",
  "while not connection.recv(65536).endswith(b'\\r\\n\\r\\n'): pass",
  `connection.sendall(b'${head}' + b'x' * 8000000)`,
  "connection.close()",
].join("\n");
const filtered = { header_filter: "^x-user: me$" };

const stolen = ([["a stolen", {}], ["a filtered", { http_filter: filtered }]] as const).flatMap((
  [name, filter],
) =>
  (["ipv4", "ipv6"] as const).map((family) => ({
    name: `${name} answer arrives over ${family} though the app ended and its client reads slowly`,
    run: async (stage: ProcessStage) => {
      const identity = await stage.identity();
      const network = { incoming: { mode: "steal", ...filter } };
      await using run = await SessionRun.listening(stage, {
        app: ["/usr/bin/python3", "-c", answers],
        flags: [],
        config: { feature: { network, fs: "local" } },
      });
      const request = "GET / HTTP/1.1\r\nHost: pod\r\nX-User: me\r\n\r\n";
      await using client = await Sink.start([], "dial", stage.hosts[family], "80", "4e6", request);
      const { bytes, end } = await client.next();
      const { code, stderr } = await run.finished();
      const headBytes = head.replaceAll(/\\[rn]/g, ".").length;
      assert.deepEqual([bytes, end, code], [headBytes + 8_000_000, "eof", 0], stderr);
      await assertClean(run, identity);
    },
  }))
);

const ends = [
  {
    name: "a reset comes behind what was sent before it",
    run: async (stage: ProcessStage) => {
      const { bytes, end } = await compare(
        stage,
        [...python, "127.0.0.1", port, "100000", "reset"],
        "127.0.0.1",
      );
      assert.deepEqual([bytes, end], [100_000, "ECONNRESET"]);
    },
  },
  {
    name: "a peer that reads nothing is given up after --linger, named, with 74",
    run: async (stage: ProcessStage) => {
      await using _sink = await Sink.start(peers(stage), "listen", "127.0.0.1", port, "-1");
      const app = ["/bin/sh", "-c", '"$@" & exit 0', "sh", ...python, "127.0.0.1", port, size];
      await using run = new SessionRun(stage, { app, flags: ["--linger", "2"], config });
      const { code, stderr } = await run.finished();
      assert.equal(code, 74, stderr);
      assert.match(
        stderr,
        /The app ended; mirrord delivers what it sent: \d+ bytes or more to 127\.0\.0\.1:5555/,
      );
      assert.match(
        stderr,
        /Cannot deliver everything that the app sent: nothing moved for 2 s; lost: \d+ bytes or more to 127\.0\.0\.1:5555/,
      );
    },
  },
  {
    name: "the second Ctrl-C gives up what is still delivered, with 74",
    run: async (stage: ProcessStage) => {
      await using _sink = await Sink.start(peers(stage), "listen", "127.0.0.1", port, "-1");
      const app = ["/bin/sh", "-c", '"$@" & exit 0', "sh", ...python, "127.0.0.1", port, size];
      await using run = new SessionRun(stage, { app, flags: ["--linger", "600"], config });
      await run.until(/The app ended; mirrord delivers/);
      run.kill("SIGINT");
      await run.until(/press Ctrl-C again to give them up/);
      run.kill("SIGINT");
      const { code, stderr } = await run.finished();
      assert.equal(code, 74, stderr);
      assert.match(stderr, /you gave up; lost: \d+ bytes or more to 127\.0\.0\.1:5555/);
    },
  },
  {
    name: "a connect that is under way when the app ends holds nothing up",
    run: async (stage: ProcessStage) => {
      const code = [
        "import socket",
        "waiting = socket.socket()",
        "waiting.setblocking(False)",
        "waiting.connect_ex(('198.51.100.1', 9))",
      ].join("\n");
      const identity = await stage.identity();
      const app = ["/usr/bin/python3", "-c", code];
      await using run = new SessionRun(stage, { app, flags: ["--linger", "600"], config });
      assert.equal((await run.finished()).code, 0);
      await assertClean(run, identity);
    },
  },
];

registerCases([...sending, ...stolen, ...ends], () => ProcessStage.create(), missingForProcess());
