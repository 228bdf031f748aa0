// `mirrord replay` through the compiled binary: recordings against real servers, what differs, and how it
// ends.

import assert from "node:assert/strict";
import { PcapngFile } from "../../core/traffic/pcapng.ts";
import { Wire } from "../support/packets.ts";
import { runMirrord } from "../support/program.ts";

const editcap = "/usr/bin/editcap";

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-replay-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A HAR file of requests to `host`: path, recorded status and body, milliseconds after the first. */
async function har(path: string, rows: [string, number, string, number?, string?][]): Promise<string> {
  const entries = rows.map(([target, status, text, at = 0, host = "shop.example"]) => ({
    startedDateTime: new Date(1_700_000_000_000 + at).toISOString(),
    request: {
      method: "GET",
      url: `http://${host}${target}`,
      headers: [{ name: "Accept-Encoding", value: "gzip, sdch" }],
    },
    response: {
      status,
      headers: [{ name: "Content-Type", value: "application/json" }, { name: "Date", value: "long ago" }],
      content: { text },
    },
  }));
  await Deno.writeTextFile(
    path,
    JSON.stringify({ log: { version: "1.2", creator: { name: "other" }, entries } }),
  );
  return path;
}

interface Served extends AsyncDisposable {
  to: string;
  /** "METHOD path host" of each request. */
  asked: string[];
}

function serve(answer: (path: string) => Response | Promise<Response>): Served {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    asked.push(
      `${request.method} ${pathname} ${request.headers.get("host")} ${
        request.headers.get("accept-encoding")
      }`,
    );
    return answer(pathname);
  });
  return { to: `127.0.0.1:${server.addr.port}`, asked, [Symbol.asyncDispose]: () => server.shutdown() };
}

const json = (value: unknown, status = 200) => Response.json(value, { status });

Deno.test("answers that are as recorded end with 0; each gets the recorded request", async () => {
  await inFolder(async (folder) => {
    await using app = serve((path) => path === "/one" ? json({ a: 1, b: [2] }) : json({ no: true }, 404));
    const file = await har(`${folder}/a.har`, [["/one", 200, '{"b":[2], "a":1}'], [
      "/two",
      404,
      '{"no":true}',
    ]]);
    const { code, stdout, stderr } = await runMirrord(["replay", file, "--to", app.to]);
    assert.equal(code, 0, stdout + stderr);
    assert.match(
      stdout,
      /^#1 GET \/one: 200, as recorded \([\d.]+ ms\)\n#2 GET \/two: 404, as recorded .*\n2 of 2 as recorded\n$/,
    );
    assert.deepEqual(app.asked, ["GET /one shop.example gzip", "GET /two shop.example gzip"]);
  });
});

Deno.test("another answer is told and ends with 1, unless it is left aside", async () => {
  await inFolder(async (folder) => {
    await using app = serve((path) => path === "/one" ? json({ id: 7, name: "x" }) : json({}, 500));
    const file = await har(`${folder}/a.har`, [["/one", 200, '{"id":1,"name":"x"}'], ["/two", 200, "{}"]]);
    const { code, stdout } = await runMirrord(["replay", file, "--to", app.to]);
    assert.equal(code, 1, stdout);
    assert.match(stdout, /^#1 GET \/one: 200, not as recorded .*\n {4}body \.id: 7, recorded: 1\n/);
    assert.match(
      stdout,
      /\n#2 GET \/two: 500, not as recorded .*\n {4}status: 500, recorded: 200\n0 of 2 as recorded, 2 not\n$/,
    );
    const ignore = ["--ignore", ".id", "--ignore", "status"];
    assert.equal((await runMirrord(["replay", file, "--to", app.to, ...ignore])).code, 0);
    const lines = await runMirrord(["replay", file, "--to", app.to, "-o", "json"]);
    const [first, , result] = lines.stdout.trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(first.differences, [{ what: "body .id", recorded: "1", now: "7" }]);
    assert.deepEqual(result, { type: "result", same: 0, different: 2, new: 0, left: 0 });
  });
});

Deno.test("with --timing requests that overlapped overlap again", async () => {
  await inFolder(async (folder) => {
    const second = Promise.withResolvers<void>();
    await using app = serve(async (path) => {
      if (path === "/second") second.resolve();
      else await second.promise; // an answer to the first needs the second
      return json({});
    });
    const file = await har(`${folder}/a.har`, [["/first", 200, "{}"], ["/second", 200, "{}", 20]]);
    const { code, stdout } = await runMirrord(["replay", file, "--to", app.to, "--timing"]);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^#1 GET \/first: 200, as recorded/);
  });
});

/** A server that greets, answers each line in capitals, and ends after "quit". */
function lineServer(greeting: string): { to: string } & AsyncDisposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const conn of listener) {
      using _conn = conn;
      await conn.write(new TextEncoder().encode(greeting));
      const buffer = new Uint8Array(1000);
      for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
        const text = new TextDecoder().decode(buffer.subarray(0, count));
        await conn.write(new TextEncoder().encode(text.toUpperCase()));
      }
    }
  })();
  return {
    to: `127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving.catch(() => {});
    },
  };
}

Deno.test("a packet file: HTTP/1 and another protocol, in pcap-ng and in pcap", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/a.pcapng`;
    {
      using file = new PcapngFile(path, "test");
      const wire = new Wire();
      const packets = [
        ...wire.open(),
        wire.say("target", "hello\n"),
        wire.say("client", "one\n"),
        wire.say("target", "ONE\n"),
      ];
      packets.push(wire.say("client", "quit\n"), wire.say("target", "QUIT\n"), ...wire.close());
      const tls = new Wire({ client: { address: "10.0.0.9", port: 1234 } });
      packets.push(...tls.open(), tls.say("client", Uint8Array.of(0x16, 3, 1, 0, 1, 1)), ...tls.close());
      for (const { bytes, time, fromTarget } of packets) {
        file.add({ bytes, length: bytes.length, time, fromTarget: fromTarget === true });
      }
    }
    await using same = lineServer("hello\n");
    const played = await runMirrord(["replay", path, "--to", same.to]);
    assert.match(
      played.stdout,
      /^#1 10\.0\.0\.7:40000 > 10\.0\.0\.1:8080: as recorded .*\n1 of 1 as recorded, 1 not played\n$/,
    );
    assert.match(played.stderr, /Not played: 10\.0\.0\.9:1234 > 10\.0\.0\.1:8080: it is TLS/);
    assert.equal(played.code, 1);
    await using other = lineServer("HELLO\n");
    let file = path;
    if (Deno.statSync("/usr/bin").isDirectory && await exists(editcap)) {
      file = `${folder}/a.pcap`;
      const { code } = await new Deno.Command(editcap, { args: ["-F", "pcap", path, file] }).output();
      assert.equal(code, 0);
    }
    const { stdout } = await runMirrord(["replay", file, "--to", other.to]);
    assert.match(
      stdout,
      /not as recorded .*\n {4}turn 1, answer, line 1: HELLO, recorded: hello\n0 of 1 as recorded, 1 not, 1 not played/,
    );
  });
});

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("what cannot begin ends with a code of its own", async () => {
  await inFolder(async (folder) => {
    await using app = serve(() => json({}));
    const one = await har(`${folder}/one.har`, [["/", 200, "{}"]]);
    const two = await har(`${folder}/two.har`, [["/", 200, "{}"], ["/", 200, "{}", 0, "cdn.example"]]);
    const text = `${folder}/text`;
    await Deno.writeTextFile(text, "no recording");
    const nobody = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const free = nobody.addr.port;
    nobody.close();
    const cases: [string[], number, RegExp][] = [
      [[one, "--to", `127.0.0.1:${free}`], 69, /Cannot play to "127\.0\.0\.1:\d+": /],
      [[one, "--to", "nowhere"], 2, /it is no HOST:PORT/],
      [[one], 2, /--to is missing/],
      [[text, "--to", app.to], 78, /it is no HAR, pcap or pcap-ng file/],
      [[`${folder}/none`, "--to", app.to], 78, /Cannot read/],
      [
        [two, "--to", app.to],
        78,
        /several hosts\n.*Name one by --host: shop\.example \(1\), cdn\.example \(1\)/,
      ],
      [[two, "--to", app.to, "--host", "x"], 78, /has nothing to it/],
      [[two, "--to", app.to, "--host", "cdn.example"], 0, /^$/],
    ];
    for (const [args, expected, said] of cases) {
      const { code, stderr } = await runMirrord(["replay", ...args]);
      assert.deepEqual([args, code], [args, expected], stderr);
      assert.match(stderr, said);
    }
  });
});
