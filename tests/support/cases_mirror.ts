// The case list of mirroring, for every stage: the original answers every request, the app sees every
// request. Registered by tests/e2e/mirror_test.ts and tests/program/process_mirror_test.ts.

import assert from "node:assert/strict";
import type { Case } from "./cases.ts";
import { families } from "./cases_steal.ts";
import { ask, many, sequence } from "./client.ts";
import { withSession } from "./postcondition.ts";
import { type RunOptions, SessionRun } from "./session_run.ts";
import type { Stage } from "./stage.ts";

const mine = { "X-Developer": "ana" };

/** `mirrord exec` as without any flag but the target's; the app tells of each request. */
function mirroring(options: RunOptions & { network?: unknown } = {}): RunOptions {
  const { network, ...rest } = options;
  return {
    flags: [],
    ...(network === undefined ? {} : { config: { feature: { network } } }),
    ...rest,
    env: { TELL: "1", ...options.env },
  };
}

function withMirror(
  stage: Stage,
  work: (run: SessionRun) => Promise<void>,
  options: RunOptions & { network?: unknown } = {},
): Promise<void> {
  return withSession(stage, async () => {
    const run = await SessionRun.listening(stage, mirroring(options));
    await run.until(/Mirroring port 80/);
    return run;
  }, work);
}

/** What the app told of requests so far. */
function seen(run: SessionRun): string[] {
  return run.said().filter((line) => line.startsWith("saw "));
}

/** Waits until the app told of a request of each path; fails when it told of any twice, or of others. */
async function sawOnce(run: SessionRun, paths: string[]): Promise<void> {
  for (const path of paths) await run.until(new RegExp(`^saw [A-Z]+ ${path} `));
  assert.deepEqual(seen(run).map((line) => line.split(" ")[2]).sort(), paths.toSorted());
}

function paths(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `/${index}`);
}

/** An app that takes connections and never reads, of which it says how many there are. */
const stalledApp = [
  "python3",
  "-c",
  [
    "import socket, sys",
    "s = socket.create_server(('', 80))",
    "print('listening 80', file=sys.stderr, flush=True)",
    "held = []",
    "while True: held.append(s.accept())",
  ].join("\n"),
];

export const mirrorCases: Case[] = [
  {
    name: "without flags the original answers, the app sees every request and its client",
    run: (stage) =>
      withMirror(stage, async (run) => {
        for (const family of families(stage)) {
          assert.equal((await ask(stage, { family, path: `/${family}` })).by, "original");
          assert.match(
            await run.until(new RegExp(`^saw GET /${family} `)),
            new RegExp(` ${stage.clients[family]}$`),
          );
        }
        const counts = await many(stage, { count: 200, connections: 4, each: 10, path: "/%d" });
        assert.deepEqual([counts.by, counts.failures], [{ original: 200 }, []]);
        await sawOnce(run, [...families(stage).map((family) => `/${family}`), ...paths(200)]);
      }),
  },
  ...([
    ["closes after each answer", "self.end_headers(); self.wfile.write(b'x' * 100000)"],
    [
      "ends each answer and waits for its client to close",
      "self.send_header('Connection', 'close'); self.send_header('Content-Length', '1'); self.end_headers(); " +
      "self.wfile.write(b'x'); self.wfile.flush(); self.rfile.read(1)",
    ],
  ] as const).map(([how, finish]): Case => ({
    name: `an app that ${how} sees every request of a connection that lives on`,
    run: (stage) => {
      const app = [
        "python3",
        "-c",
        [
          "import http.server, sys",
          "class H(http.server.BaseHTTPRequestHandler):",
          "    def do_GET(self):",
          "        sys.stderr.write(f'saw GET {self.path} - -\\n'); sys.stderr.flush()",
          `        self.send_response(200); ${finish}`,
          "    def log_message(*a): pass",
          "s = http.server.ThreadingHTTPServer(('', 80), H)",
          "print('listening 80', file=sys.stderr, flush=True)",
          "s.serve_forever()",
        ].join("\n"),
      ];
      return withMirror(stage, async (run) => {
        const counts = await many(stage, { count: 100, connections: 2, each: 50, path: "/%d" });
        assert.deepEqual([counts.by, counts.failures], [{ original: 100 }, []]);
        await sawOnce(run, paths(100));
      }, { app });
    },
  })),
  {
    name: "bodies of either framing are mirrored as they were sent",
    run: (stage) =>
      withMirror(stage, async (run) => {
        const size = 1 << 20;
        const bodies = [{ size }, { size, chunked: true }, { size: 1 }, { size: 0 }];
        const reports = await sequence(
          stage,
          bodies.map((body, index) => ({ method: "POST", path: `/${index}`, seed: index, ...body })),
        );
        for (const [index, report] of reports.entries()) {
          assert.equal(report.by, "original");
          const line = await run.until(new RegExp(`^saw POST /${index} `));
          assert.equal(line.split(" ")[3], report.sent_sha256?.slice(0, 16), `body ${index}`);
        }
      }),
  },
  {
    name: "a filter mirrors the requests that match, the original answers all",
    run: (stage) =>
      withMirror(stage, async (run) => {
        const requests = Array.from({ length: 40 }, (_, index) => ({
          method: "POST",
          path: `/${index}`,
          size: 1000 * index,
          chunked: index % 4 < 2,
          headers: index % 3 === 0 ? mine : {},
        }));
        const reports = await sequence(stage, requests);
        assert.ok(reports.every(({ by, same }) => by === "original" && same));
        await sawOnce(run, requests.filter((_, index) => index % 3 === 0).map(({ path }) => path));
      }, { network: { incoming: { http_filter: { header_filter: "^x-developer: ana$" } } } }),
  },
  {
    name: "a mapped port is mirrored to the app's own, an ignored one is not",
    run: (stage) =>
      withMirror(stage, async (run) => {
        assert.equal((await ask(stage, { path: "/mapped" })).by, "original");
        await run.until(/^saw GET \/mapped /);
        assert.equal(run.said().filter((line) => line.includes("Mirroring port")).length, 1);
      }, {
        network: { incoming: { port_mapping: [[8099, 80]], ignore_ports: [8098] } },
        env: { PORT: "8099", LOCAL_PORTS: "8098" },
      }),
  },
  {
    name: "several ports are mirrored at once",
    run: (stage) =>
      withMirror(stage, async (run) => {
        await run.until(/Mirroring port 8097/);
        await assert.rejects(ask(stage, { host: stage.addresses.ipv4, port: 8097 }), /refused/i);
        assert.equal((await ask(stage, { path: "/one" })).by, "original");
        await sawOnce(run, ["/one"]);
      }, { env: { LOCAL_PORTS: "8097" } }),
  },
  {
    name: "an app that reads nothing delays nothing, and what it lost is reported",
    run: (stage) =>
      withMirror(stage, async (run) => {
        const size = 8 << 20;
        const reports = await sequence(stage, [{ method: "POST", size }, { method: "POST", size, seed: 2 }]);
        for (const report of reports) {
          assert.deepEqual([report.by, report.body_length], ["original", size]);
          assert.equal(report.body_sha256, report.sent_sha256);
        }
        const counts = await many(stage, { count: 300, connections: 4, each: 10 });
        assert.deepEqual([counts.by, counts.failures], [{ original: 300 }, []]);
        assert.match(await run.until(/mirror of port 80 is incomplete/), /too slow, .* lost \d+ bytes/);
      }, { app: stalledApp }),
  },
  {
    name: "two mirrors and a steal at once: each sees every request",
    run: (stage) =>
      withMirror(stage, async (one) => {
        await using two = await SessionRun.listening(stage, mirroring());
        await two.until(/Mirroring port 80/);
        await using thief = await SessionRun.listening(stage, { env: { TELL: "1" } });
        const counts = await many(stage, { count: 50, connections: 2, each: 5, path: "/%d" });
        assert.deepEqual([counts.by, counts.failures], [{ local: 50 }, []]);
        for (const run of [one, two, thief]) await sawOnce(run, paths(50));
        thief.kill("SIGTERM");
        await thief.finished();
        assert.equal((await ask(stage, { path: "/after" })).by, "original");
        for (const run of [one, two]) await sawOnce(run, [...paths(50), "/after"]);
        two.kill("SIGTERM");
        await two.finished();
      }),
  },
  {
    name: "a filtered steal and a mirror at once: what goes on to the original is mirrored once",
    run: (stage) =>
      withMirror(stage, async (mirror) => {
        const incoming = { mode: "steal", http_filter: { header_filter: "^x-developer: ana$" } };
        const config = { feature: { network: { incoming } } };
        await using thief = await SessionRun.listening(stage, { flags: [], config });
        const requests = paths(20).map((path, index) => ({ path, headers: index % 2 === 0 ? mine : {} }));
        const reports = await sequence(stage, requests);
        assert.deepEqual(
          reports.map(({ by }) => by),
          requests.map(({ headers }) => headers === mine ? "local" : "original"),
        );
        await sawOnce(mirror, paths(20));
        thief.kill("SIGTERM");
        await thief.finished();
      }),
  },
  {
    name: "kill -9 of mirrord leaves nothing of the mirror",
    run: (stage) =>
      withMirror(stage, async (run) => {
        assert.equal((await ask(stage, { path: "/before" })).by, "original");
        await run.until(/^saw GET \/before /);
        run.kill("SIGKILL");
        await run.finished();
        const counts = await many(stage, { count: 50, connections: 2 });
        assert.deepEqual([counts.by, counts.failures], [{ original: 50 }, []]);
      }),
  },
];
