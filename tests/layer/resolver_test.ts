// The layer's res_query(3) and similar calls, with a session that the test makes up: replies become what
// libc's callers expect, whatever their size; failures are libc's own; nothing is asked here, not even when
// the session is lost.

import assert from "node:assert/strict";
import { DnsStage } from "../support/dns_stage.ts";
import { FakeNames, type FakeNamesOptions, type FakeReply } from "../support/fake_names.ts";
import { App, compileApp } from "../support/layer_app.ts";
import { res } from "../support/resolver_agent.ts";

async function withReplies(
  options: FakeNamesOptions,
  body: (ask: (question: string) => Promise<string>, session: FakeNames) => Promise<void>,
): Promise<void> {
  await using session = new FakeNames(options);
  await using app = new App(session, [await compileApp("resolver")]);
  const ask = async (question: string) => {
    await app.write(question);
    return await app.line();
  };
  await body(ask, session);
}

/** A reply of `length` bytes with response code `code`. */
function reply(length: number, code = 0): Uint8Array {
  const bytes = new Uint8Array(length).fill(5);
  bytes.set([0, 0, 0x81, 0x80 | code].slice(0, length));
  return bytes;
}

const hex = (bytes: Uint8Array) => [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
const calls = ["res_query", "res_nquery", "res_search", "res_nsearch"];

Deno.test("each ending is the failure that libc has for it, with the reply that came", async () => {
  const replies: Record<string, FakeReply> = Object.fromEntries(
    [1, 2, 3, 4].map((ending) => [`ending${ending}.test`, { ending, reply: reply(20, ending) }]),
  );
  replies["silent.test"] = { ending: 2, errno: 110 };
  replies["refused.test"] = { refused: 13 };
  await withReplies({ replies }, async (ask) => {
    for (const call of calls) {
      for (const ending of [1, 2, 3, 4]) {
        assert.equal(
          await ask(`${call} ending${ending}.test 33 512`),
          `error -1 ${ending} ${ending} rcode ${ending}`,
        );
      }
      assert.equal(await ask(`${call} silent.test 33 512`), "error -1 2 2 rcode 0");
      assert.equal(await ask(`${call} refused.test 33 512`), "error -1 2 2 rcode 0");
    }
  });
  await withReplies({ replies: { "": { ending: 2, errno: 111 } } }, async (ask) => {
    assert.equal(await ask("res_send a.test 33 512"), "error -1 Connection refused");
    assert.equal(await ask("res_nsend a.test 33 512"), "error -1 Connection refused");
  });
});

Deno.test("a reply that is larger than the caller's room is cut as libc cuts it", async () => {
  const long = reply(65535);
  const replies = {
    "udp.test": { reply: long },
    "tcp.test": { reply: long, stream: true },
    "": { reply: long, stream: true },
  };
  await withReplies({ replies }, async (ask) => {
    assert.equal(await ask("res_nquery udp.test 16 65535"), `found 65535 ${hex(long)}`);
    for (const room of [12, 13, 512, 65534]) {
      assert.equal(
        await ask(`res_nquery udp.test 16 ${room}`),
        `found ${room} ${hex(long.subarray(0, room))}`,
      );
      const cut = Uint8Array.from(long.subarray(0, room));
      cut[2] = 0x83;
      assert.equal(await ask(`res_nquery tcp.test 16 ${room}`), `found 65535 ${hex(cut)}`);
      assert.equal(await ask(`res_nsend tcp.test 16 ${room}`), `found 65535 ${hex(cut)}`);
    }
  });
});

Deno.test("what libc refuses is not asked", async () => {
  await withReplies({}, async (ask, session) => {
    for (const call of calls) {
      const refused = `error -1 3 3 rcode ${call.includes("search") ? 13 : 0}`; // 13: what stood there
      assert.equal(await ask(`${call} a.test 70000 512`), refused);
      assert.equal(await ask(`${call} ${"x".repeat(1100)} 16 512`), refused);
      assert.match(await ask(`${call} a.test 16 11`), /^error -1 2 2/);
      assert.match(await ask(`${call} a.test 16 0`), /^error -1 2 2/);
    }
    assert.equal(await ask("res_nsearch = 16 512"), "error -1 3 3 rcode 13");
    const long = "x".repeat(600);
    assert.equal(await ask(`res_nquerydomain ${long} 16 512 0 0 ${long}`), "error -1 3 3 rcode 13");
    assert.equal(await ask("res_nsend a.test 16 11"), "error -1 Invalid argument");
    assert.deepEqual(session.asked, []);
  });
});

Deno.test("the question carries type, room and what the program set in its state", async () => {
  await withReplies({}, async (ask, session) => {
    await ask("res_query a.test 33 512");
    await ask("res_querydomain a 16 900 0 0 b.test");
    await ask("res_nsearch a 16 70000");
    await ask(
      `res_nquery a.test 16 900 ${res.dnssec | res.edns | res.trustAd | res.useTcp | res.ignoreTruncation}`,
    );
    await ask(`res_query a.test 16 900 0 ${res.recurse | res.defNames | res.dnsSearch}`);
    await ask("res_nsend a.test 16 900");
    assert.deepEqual(session.asked, [
      "resolve a.test 1 33 0 512",
      "resolve a.b.test 1 16 0 900",
      "resolve a 1 16 1 65535",
      "resolve a.test 1 16 62 900",
      "resolve a.test 1 16 448 900",
      "resolve 24 0",
    ]);
  });
});

Deno.test("a local question is libc's, its failures too", async () => {
  const local = { local: true };
  // Whether or not this machine has a name server, one that cannot be sent at all ends at once.
  await withReplies({ replies: { "a..b": local } }, async (ask, session) => {
    for (const call of calls) assert.equal(await ask(`${call} a..b 16 512`), "error -1 3 3 rcode 0");
    assert.deepEqual(session.asked.filter((one) => one.startsWith("resolved")), []);
  });
});

Deno.test("what libc found for a local question is reported, with the name as the app wrote it", async () => {
  const zone = { "host.test": { A: ["192.0.2.1"] } };
  const resolvConf = "nameserver 127.0.0.1\nsearch test\noptions timeout:1 attempts:1\n";
  await using stage = await DnsStage.create({ zone, files: { resolvConf } });
  const local = { local: true };
  await using session = new FakeNames({ replies: { "host.test": local, "host": local, "": local } });
  await using app = new App(session, stage.inside([await compileApp("resolver")]));
  const names = { query: "host.test", search: "host", send: "host.test" };
  for (const [call, name] of Object.entries(names)) {
    for (const prefix of ["res_", "res_n"]) {
      await app.write(`${prefix}${call} ${name} 1 512`);
      assert.match(await app.line() ?? "", /^found \d+ .*c0000201$/);
      assert.match(session.asked.at(-1) ?? "", new RegExp(`^resolved ${call === "send" ? "" : name} \\d+$`));
    }
  }
  assert.equal(session.asked.length, 12);
});

Deno.test("a floor that is off asks nothing", async () => {
  await withReplies({ dns: false }, async (ask, session) => {
    assert.equal(await ask("res_nquery a..b 16 512"), "error -1 3 3 rcode 0");
    assert.deepEqual(session.asked, []);
  });
});

Deno.test("told to ask again, the layer does until it has the reply", async () => {
  const replies = { "a.test": { reply: reply(12), pending: 2 } };
  await withReplies({ replies }, async (ask, session) => {
    assert.match(await ask("res_nquery a.test 16 512"), /^found 12 /);
    const first = "resolve a.test 1 16 0 512";
    assert.deepEqual(session.asked, [first, `${first} again`, `${first} again`]);
  });
});

Deno.test("with the session lost, every raw question fails as one that nobody answers", async () => {
  await withReplies({ replies: { "a.test": { reply: reply(12) } } }, async (ask, session) => {
    assert.match(await ask("res_nquery a.test 16 512"), /^found/);
    session.lose();
    for (const call of calls) assert.match(await ask(`${call} localhost 1 512`), /^error -1 2 2/);
    for (const call of ["res_send", "res_nsend"]) {
      assert.equal(await ask(`${call} localhost 1 512`), "error -1 Input/output error");
    }
  });
});

Deno.test("replies that make no sense end no app", async () => {
  const replies = { "none.test": {}, "short.test": { reply: reply(3) }, "high.test": { ending: 200 } };
  await withReplies({ replies }, async (ask) => {
    for (const name of Object.keys(replies)) {
      assert.match(await ask(`res_nquery ${name} 16 512`), /^(found|error)/);
    }
  });
});
