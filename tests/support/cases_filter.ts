// The case list of HTTP filters, for every stage: who answers which request of one keep-alive connection, and
// that nothing of it changes on the way.

import assert from "node:assert/strict";
import type { Case } from "./cases.ts";
import { ask, download, many, raw, type Request, sequence, websocket } from "./client.ts";
import { withSession } from "./postcondition.ts";
import { SessionRun } from "./session_run.ts";
import type { Stage } from "./stage.ts";

/** A configuration that steals by `filter`. */
export function filtered(filter: unknown): unknown {
  return { feature: { network: { incoming: { mode: "steal", http_filter: filter } } } };
}

const mine = { "X-Developer": "ana" };
const others = { "X-Developer": "bob" };
const byHeader = filtered({ header_filter: "^x-developer: ana$" });

/** Requests, and whether the filter matches them. */
type Expected = [request: Request, local: boolean][];

/** Sends all over one connection and compares who answered, and every body, with what was sent. */
async function routes(stage: Stage, expected: Expected): Promise<void> {
  const reports = await sequence(stage, expected.map(([request]) => request));
  const answered = reports.map(({ by, status }) => `${by} ${status}`);
  assert.deepEqual(answered, expected.map(([, local]) => `${local ? "local" : "original"} 200`));
  for (const [index, report] of reports.entries()) {
    const request: Request = expected[index]?.[0] ?? {};
    assert.equal(report.body_sha256, report.sent_sha256 ?? report.body_sha256, `body of request ${index}`);
    assert.equal(report.body_length, request.size ?? 0, `length of request ${index}`);
    assert.equal(report.path, request.path ?? "/");
    assert.ok(report.same, `the connection ended after request ${index}`);
  }
}

function withFilter(stage: Stage, config: unknown, work: (run: SessionRun) => Promise<void>): Promise<void> {
  return withSession(stage, () => SessionRun.listening(stage, { flags: [], config }), work);
}

export const filterCases: Case[] = [
  {
    name: "each request of a keep-alive connection goes where its header says",
    run: (stage) =>
      withFilter(stage, byHeader, async () => {
        const pattern = [true, false, false, true, true, false, true, false];
        await routes(
          stage,
          pattern.map((local, index) => [{ path: `/${index}`, headers: local ? mine : others }, local]),
        );
        const matching = await many(stage, { count: 100, connections: 4, each: 10, headers: mine });
        assert.deepEqual([matching.by, matching.failures], [{ local: 100 }, []]);
        assert.deepEqual(matching.peers, [stage.clients.ipv4]);
        const rest = await many(stage, { count: 100, connections: 4, each: 10 });
        assert.deepEqual([rest.by, rest.failures], [{ original: 100 }, []]);
      }),
  },
  {
    name: "bodies of either framing arrive whole on either side",
    run: (stage) =>
      withFilter(stage, byHeader, async () => {
        const size = 1 << 20;
        const bodies = [{ size }, { size, chunked: true }, { size: 1 }, { size: 0, chunked: true }];
        await routes(
          stage,
          bodies.flatMap((body, index) =>
            [mine, others, mine].map((headers): [Request, boolean] => [
              { method: "POST", path: `/${index}`, headers, seed: index, ...body },
              headers === mine,
            ])
          ),
        );
        for (const framing of ["bytes", "chunked", "eof"] as const) {
          for (const headers of [mine, others]) {
            const { length, equal } = await download(stage, { size, framing, headers });
            assert.deepEqual({ length, equal }, { length: size, equal: true }, framing);
          }
        }
      }),
  },
  {
    name: "method, path and combinations decide; a look-ahead too",
    run: async (stage) => {
      const both = { all_of: [{ method: "post" }, { path: "^/api/" }] };
      await withFilter(stage, filtered(both), () =>
        routes(stage, [
          [{ method: "POST", path: "/api/a", size: 3 }, true],
          [{ method: "GET", path: "/api/a" }, false],
          [{ method: "POST", path: "/other/api/", size: 3 }, false],
        ]));
      const either = { any_of: [{ path: "^/mine" }, { not: { header: "^accept-language: " } }] };
      await withFilter(stage, filtered(either), () =>
        routes(stage, [
          [{ path: "/mine?x=1", headers: { "Accept-Language": "eo" } }, true],
          [{ path: "/", headers: { "Accept-Language": "eo" } }, false],
          [{ path: "/" }, true],
        ]));
      const ahead = { header_filter: "^cookie: (?=.*user=ana)(?!.*guest).*$" };
      await withFilter(stage, filtered(ahead), () =>
        routes(stage, [
          [{ headers: { Cookie: "a=b; user=ana" } }, true],
          [{ headers: { Cookie: "user=ana; role=guest" } }, false],
          [{ headers: { Cookie: "user=bob" } }, false],
        ]));
    },
  },
  {
    name: "a request that comes in pieces and two that come at once are separated",
    run: (stage) =>
      withFilter(stage, byHeader, async () => {
        const two = "GET /1 HTTP/1.1\r\nHost: a\r\nX-Developer: ana\r\n\r\n" +
          "GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        const answer = await raw(stage, { text: two, expect: '"path": "/2"' });
        const by = [...answer.matchAll(/"by": "(\w+)"/g)].map((match) => match[1]);
        assert.deepEqual(by, ["local", "original"]);
      }),
  },
  {
    name: "a WebSocket that matches is the app's",
    run: (stage) =>
      withFilter(stage, byHeader, async () => {
        const echoed = await websocket(stage, { size: 300_000, headers: mine });
        assert.deepEqual(echoed, { status: 101, equal: true, by: "local" });
        assert.equal((await websocket(stage, { size: 10 })).status, 200);
      }),
  },
  {
    name: "what is no HTTP goes to the original whole, and mirrord says so once",
    run: (stage) =>
      withFilter(stage, byHeader, async (run) => {
        for (let turn = 0; turn < 2; turn++) {
          assert.match(await raw(stage, { text: "\x16\x03\x01 no http\r\n\r\n", expect: "</html>" }), /400/);
        }
        assert.match(await run.until(/Cannot filter all of port 80/), /does not speak HTTP\/1/);
        assert.equal((await ask(stage, { headers: mine })).by, "local");
      }),
  },
  {
    name: "a matching request behind an empty line ends as it does at the original",
    run: (stage) =>
      withFilter(stage, byHeader, async () => {
        const [local, original] = await Promise.all(
          [mine, others].map((headers) => {
            const header = `X-Developer: ${headers["X-Developer"]}`;
            return raw(stage, {
              text: `\r\nGET / HTTP/1.1\r\nHost: a\r\n${header}\r\n\r\n`,
              expect: "never",
            });
          }),
        );
        assert.equal(local, original);
      }),
  },
  {
    name: "a filter on other ports leaves port 80 unfiltered",
    run: (stage) =>
      withFilter(
        stage,
        filtered({ header_filter: "^x-developer: ana$", ports: [8080] }),
        async () => assert.equal((await ask(stage, { headers: others })).by, "local"),
      ),
  },
  {
    name: "matching requests whose app has ended are the original's again, on the same connection",
    run: (stage) =>
      withFilter(stage, byHeader, async (run) => {
        assert.equal((await ask(stage, { headers: mine })).by, "local");
        run.kill("SIGTERM");
        await run.finished();
        const [first] = await sequence(stage, [{ headers: mine }]);
        assert.equal(first?.by, "original");
      }),
  },
];
