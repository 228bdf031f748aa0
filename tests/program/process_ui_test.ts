// `mirrord ui` without a browser: what its server says of a session on a process of this machine, and whom it
// refuses. With a browser: tests/browser.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Case, missingForProcess, registerCases } from "../support/cases.ts";
import { ask } from "../support/client.ts";
import { deadline } from "../support/deadline.ts";
import { askingSession, PageRun } from "../support/page_stage.ts";
import { withSession } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { TextLineStream } from "../support/text_lines.ts";

interface Told {
  session?: string;
  answer?: {
    facts?: { id: string; target: string };
    detail?: Record<string, unknown>;
    event?: { type: string };
    ended?: boolean;
  };
}

function detailsOf(all: Told[]): Record<string, unknown>[] {
  return all.flatMap(({ answer }) => answer?.detail === undefined ? [] : [answer.detail]);
}

/** What a browser keeps after it has come by the address. */
interface Entered {
  origin: string;
  headers: Record<string, string>;
}

async function enter(address: string): Promise<Entered> {
  const { origin, hash } = new URL(address);
  const answer = await fetch(`${origin}/enter`, { method: "POST", body: hash.slice(1) });
  assert.equal(answer.status, 200);
  const [cookie = ""] = answer.headers.getSetCookie();
  assert.match(cookie, /^mirrord-\d+=[\w-]{32}; HttpOnly; SameSite=Strict; Path=\/$/);
  const { key } = await answer.json();
  return { origin, headers: { cookie: cookie.split(";")[0] ?? "", "x-mirrord-key": key } };
}

/** The messages of the server, until `isLast`. */
async function told(
  { origin, headers }: Entered,
  isLast: (one: Told, all: Told[]) => boolean,
): Promise<Told[]> {
  const answer = await fetch(`${origin}/events`, { headers });
  assert.equal(answer.status, 200);
  const all: Told[] = [];
  const read = async () => {
    const lines = (answer.body ?? assert.fail()).pipeThrough(new TextLineStream());
    for await (const line of lines) {
      const one: Told = JSON.parse(line);
      all.push(one);
      if (isLast(one, all)) return all;
    }
    throw new Error(`the server ended: ${JSON.stringify(all)}`);
  };
  return await deadline(read(), "the page hears what it waits for");
}

const cases: Case[] = [
  {
    name: "the page hears of requests, paths, names and connections with their reasons, and ends the session",
    run: (stage) =>
      withSession(stage, () => askingSession(stage), async (run) => {
        await using page = await PageRun.start(run);
        const entered = await enter(page.address);
        let id = "";
        const all = await told(entered, ({ session, answer }, all) => {
          if (answer?.facts !== undefined) {
            id = session ?? "";
            run.type("go\n").catch(() => {}); // what they do is waited for
            ask(stage, { path: "/cart?x=1", method: "POST", size: 10, headers: { Cookie: "a=secret" } })
              .catch(() => {});
          }
          const seen = detailsOf(all);
          return ["file", "name", "connection"].every((type) => seen.some((one) => one["type"] === type)) &&
            seen.some((one) => one["isOver"] === true && one["status"] === 200);
        });
        assert.ok(all.some(({ answer }) => answer?.event?.type === "subscribed"), "what was before is told");
        const details = detailsOf(all);
        const of = (type: string, field: string, value: unknown) =>
          details.find((one) => one["type"] === type && one[field] === value) ?? assert.fail(`no ${value}`);
        const file = of("file", "path", "/data/shop.db");
        assert.deepEqual([file["whose"], file["why"]], ["target", 'feature.fs.mode "read"']);
        const name = of("name", "name", "db.shop.test");
        assert.deepEqual([name["whose"], name["why"]], ["target", "there is no feature.network.dns.filter"]);
        const connection = of("connection", "peer", "192.0.2.9:5432");
        const why = "no rule of feature.network.outgoing.filter.local matches";
        assert.deepEqual([connection["whose"], connection["why"]], ["target", why]);
        const { request, answer } = of("exchange", "status", 200) as Record<string, Record<string, unknown>>;
        assert.match(String(request?.["head"]), /^POST \/cart\?x=1 HTTP\/1\.1\n[^]*^Cookie: \(hidden\)$/m);
        assert.equal(request?.["bytes"], 10);
        assert.match(String(answer?.["body"]), /"by": "local"/);

        const ending = told(entered, ({ answer }) => answer?.ended === true);
        const order = { method: "POST", headers: entered.headers };
        const wrong = await fetch(`${entered.origin}/end`, {
          ...order,
          body: '{"session":"0","how":"stop"}',
        });
        assert.equal(wrong.status, 404);
        await wrong.body?.cancel();
        const body = JSON.stringify({ session: id, how: "stop" });
        assert.deepEqual(await (await fetch(`${entered.origin}/end`, { ...order, body })).json(), {
          asked: true,
        });
        await ending;
        run.interrupted = true; // it needs no further signal
        assert.equal((await run.finished()).code, 143);
      }),
  },
];

registerCases(cases, () => ProcessStage.create(), missingForProcess());

/** The status of a request that is written byte by byte: fetch sets no Host. */
async function statusOf(port: number, lines: string[]): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode([...lines, "Connection: close", "", ""].join("\r\n")));
  const bytes = new Uint8Array(12);
  await conn.read(bytes);
  return new TextDecoder().decode(bytes).slice(9);
}

/** The answer to a request by HTTP/2 (RFC 9113, RFC 7541) whose body names no length and does not end. */
async function answerToEndless(port: number): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const text = (value: string) => new TextEncoder().encode(value);
  const host = text(`127.0.0.1:${port}`), path = text("/enter");
  // POST, http, then :path and host by the numbers of their names.
  const head = [0x83, 0x86, 0x04, path.length, ...path, 0x0f, 38 - 15, host.length, ...host];
  const settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
  const headers = [0, 0, head.length, 1, 4, 0, 0, 0, 1, ...head];
  await conn.write(new Uint8Array([...text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), ...settings, ...headers]));
  let all = Buffer.alloc(0);
  for await (const piece of conn.readable) {
    all = Buffer.concat([all, piece]);
    for (let at = 0, size = 0; at + 9 <= all.length; at += 9 + size) {
      size = all.readUIntBE(at, 3);
      const isBody = all[at + 3] === 0;
      if (isBody && all.length >= at + 9 + size) return all.toString("latin1", at + 9, at + 9 + size);
    }
  }
  throw new Error("the connection ended without an answer");
}

Deno.test("who has not come by the address, or comes by another site, is refused", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-run-" });
  try {
    await using page = await PageRun.start({ folder });
    const { origin, port, hash } = new URL(page.address);
    const host = `Host: 127.0.0.1:${port}`;
    const statuses: [string[], string][] = [
      [["GET / HTTP/1.1", host], "200"],
      [["GET /page.js HTTP/1.1", `Host: localhost:${port}`], "200"],
      [["GET / HTTP/1.1", `Host: evil.example:${port}`], "421"],
      [["GET / HTTP/1.1", "Host: 127.0.0.1"], "421"],
      [["GET /events HTTP/1.1", host], "403"],
      [["POST /enter HTTP/1.1", host, "Origin: http://evil.example", "Content-Length: 0"], "403"],
      [["POST /enter HTTP/1.1", host, "Origin: null", "Content-Length: 0"], "403"],
      [["POST /enter HTTP/1.1", host, "Content-Length: 5000"], "413"],
      [["POST /enter HTTP/1.1", host, "Transfer-Encoding: chunked"], "413"],
      [["GET /page.js HTTP/1.1", host, "Sec-Fetch-Site: same-site"], "403"],
      [["GET / HTTP/1.1", host, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"], "200"],
      [["GET /../cmd/page.ts HTTP/1.1", host], "403"],
    ];
    for (const [lines, status] of statuses) {
      assert.equal(await statusOf(Number(port), lines), status, lines.join(", "));
    }
    const wrong = await fetch(`${origin}/enter`, { method: "POST", body: "x".repeat(32) });
    assert.equal(wrong.status, 403);
    await wrong.body?.cancel();
    const { headers } = await enter(page.address);
    const again = await fetch(`${origin}/enter`, { method: "POST", body: hash.slice(1) });
    assert.equal(again.status, 403);
    assert.match(await again.text(), /this address was used already/);
    for (const left of Object.keys(headers)) {
      const rest = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== left));
      const answer = await fetch(`${origin}/events`, { headers: rest });
      assert.equal(answer.status, 403, `without ${left}`);
      await answer.body?.cancel();
    }
    assert.equal(
      await deadline(answerToEndless(Number(port)), "it answers"),
      "that is too much\n",
    );
    const root = await fetch(origin);
    assert.match(
      root.headers.get("content-security-policy") ?? "",
      /^default-src 'none'; script-src 'self';/,
    );
    assert.equal(root.headers.get("access-control-allow-origin"), null);
    assert.match(await root.text(), /<script src="\/page.js" type="module"><\/script>/);
    assert.equal(await page.stop(), 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Ctrl-C ends it while a page is open, and while another program's request is not whole", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-run-" });
  try {
    await using page = await PageRun.start({ folder });
    const { origin, headers } = await enter(page.address);
    const open = await fetch(`${origin}/events`, { headers });
    const { host, port } = new URL(origin);
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    const head = ["POST /enter HTTP/1.1", `Host: ${host}`, "Content-Length: 32", "", "half"].join("\r\n");
    await conn.write(new TextEncoder().encode(head));
    const text = open.text();
    assert.equal(await page.stop(), 0);
    assert.equal(await deadline(text, "the page hears the end"), '{"present":true}\n');
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
