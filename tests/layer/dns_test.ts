// The layer's calls about names, with a session that the test makes up: answers become what libc's callers
// expect, whatever is in them; failures are libc's own; and a look-up that hangs, a fork or a lost session
// stops nobody else.

import assert from "node:assert/strict";
import { type FakeHost, FakeNames, type FakeNamesOptions } from "../support/fake_names.ts";
import { App, compileApp } from "../support/layer_app.ts";

const AI_CANONNAME = 2;

async function withNames(
  options: FakeNamesOptions,
  body: (ask: (question: string) => Promise<string>, session: FakeNames, app: App) => Promise<void>,
): Promise<void> {
  await using session = new FakeNames(options);
  await using app = new App(session, [await compileApp("names")]);
  const ask = async (question: string) => {
    await app.write(question);
    return await app.line();
  };
  await body(ask, session, app);
}

Deno.test("each ending is the failure that libc has for it", async () => {
  const hosts: Record<string, FakeHost> = Object.fromEntries(
    [1, 2, 3, 4].map((ending) => [`ending${ending}.test`, { ending }]),
  );
  hosts["192.0.2.1"] = { ending: 1 };
  hosts["192.0.2.2"] = { ending: 2 };
  await withNames({ hosts: { ...hosts, "refused.test": { errno: 13 } } }, async (ask) => {
    const codes = ["-2 Name or service not known", "-3 Temporary failure in name resolution"];
    assert.equal(await ask("addrinfo ending1.test 80 0 1 0"), `error ${codes[0]}`);
    assert.equal(await ask("addrinfo ending2.test 80 0 1 0"), `error ${codes[1]}`);
    assert.equal(await ask("addrinfo ending3.test 80 0 1 0"), `error ${codes[0]}`);
    assert.equal(await ask("addrinfo ending4.test 80 0 1 0"), "error -5 No address associated with hostname");
    assert.equal(await ask("addrinfo refused.test 80 0 1 0"), "error -11 Permission denied");
    for (const ending of [1, 2, 3, 4]) {
      assert.equal(await ask(`byname ending${ending}.test 4`), `error ${ending}`);
      const status = ending === 2 ? 11 : 0;
      assert.equal(await ask(`byname_r ending${ending}.test 4 1000`), `error ${status} ${ending}`);
    }
    assert.equal(await ask("byname refused.test 4"), "error -1Permission denied");
    assert.equal(await ask("byname_r refused.test 4 1000"), "error 13 -1");
    assert.equal(await ask("nameinfo 192.0.2.1 80 2 100"), "found 192.0.2.1 80");
    assert.equal(await ask("nameinfo 192.0.2.1 80 10 100"), `error ${codes[0]}`);
    assert.equal(await ask("nameinfo 192.0.2.2 80 2 100"), `error ${codes[1]}`);
  });
});

Deno.test("what needs no look-up is not asked", async () => {
  await withNames({}, async (ask, session) => {
    assert.match(await ask("addrinfo 192.0.2.1 80 0 1 0"), /^found 192\.0\.2\.1/);
    assert.match(await ask("addrinfo 2001:db8::1 80 0 1 0"), /^found 2001:db8::1/);
    assert.match(await ask("addrinfo - 80 0 1 1"), /^found/);
    assert.match(await ask("addrinfo = 80 0 1 0"), /^error -2/);
    assert.match(await ask("addrinfo name.test 80 0 1 4"), /^error -2/); // AI_NUMERICHOST
    assert.match(await ask("addrinfo name.test nonsense 0 1 0"), /^error -8/);
    assert.match(await ask("addrinfo name.test 80 99 1 0"), /^error -6/);
    assert.match(await ask("addrinfo name.test 80 0 1 1048576"), /^error -1/);
    assert.match(await ask("old 192.0.2.1"), /^found 192\.0\.2\.1/);
    assert.match(await ask("nameinfo 192.0.2.1 80 3 100"), /^found 192\.0\.2\.1 80/);
    assert.match(await ask(`addrinfo ${"x".repeat(1200)} 80 0 1 0`), /^error -2/);
    assert.deepEqual(session.asked, []);
  });
});

Deno.test("a floor that is off asks nothing", async () => {
  await withNames({ dns: false, hostName: "elsewhere" }, async (ask, session) => {
    assert.match(await ask("addrinfo localhost 80 4 1 0"), /^found 127\.0\.0\.1/);
    assert.equal(await ask("hostname 200"), `found ${Deno.hostname()}`);
    assert.deepEqual(session.asked, []);
  });
});

Deno.test("the question carries family, flags and port", async () => {
  await withNames({}, async (ask, session) => {
    await ask("addrinfo a.test 443 4 1 2");
    await ask("addrinfo a.test http 6 1 24");
    await ask("addrinfo a.test - 0 1 32");
    await ask("addrinfo a.test - 0 1 -");
    await ask("byname a.test 6");
    assert.deepEqual(session.asked, [
      "lookup a.test 4 17 443",
      "lookup a.test 6 13 0",
      "lookup a.test 0 3 0",
      "lookup a.test 0 7 0",
      "lookup a.test 6 0 0",
    ]);
  });
});

Deno.test("a local name is libc's, and what it found is reported", async () => {
  const local = { local: true };
  await withNames({ hosts: { "localhost": local, "127.0.0.1": local } }, async (ask, session) => {
    assert.match(await ask("addrinfo localhost 80 4 1 0"), /^found 127\.0\.0\.1\/80/);
    assert.match(await ask("old localhost"), /^found localhost .*127\.0\.0\.1/);
    assert.match(await ask("byname_r localhost 4 1000"), /^found localhost .*127\.0\.0\.1/);
    assert.equal(await ask("nameinfo 127.0.0.1 80 2 100"), "found localhost 80");
    assert.match(await ask("byaddr 127.0.0.1"), /^found localhost/);
    assert.equal(session.asked.filter((one) => one === "found localhost 127.0.0.1").length, 3);
  });
});

Deno.test("thousands of addresses arrive whole", async () => {
  const addresses = Array.from({ length: 3000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  await withNames({ hosts: { "crowd.test": { addresses } } }, async (ask) => {
    const list = await ask("addrinfo crowd.test 80 4 1 0");
    assert.equal(list, "found" + addresses.map((one) => ` ${one}/80/1/6/16/0`).join(""));
    const host = `found crowd.test () 2/4 ${addresses.join(" ")}`;
    assert.equal(await ask("old crowd.test"), host);
    assert.equal(await ask("byname_r crowd.test 4 200000"), host);
    assert.equal(await ask("byname_r crowd.test 4 20000"), "error 34 -1");
  });
});

Deno.test("the caller's room is never overrun, and used when it is enough", async () => {
  const host = {
    name: "canonical.test",
    aliases: ["a.test", "other.test"],
    addresses: ["192.0.2.1", "192.0.2.2"],
  };
  await withNames({ hosts: { "a.test": host, "192.0.2.1": host } }, async (ask) => {
    const found = "found canonical.test (a.test other.test) 2/4 192.0.2.1 192.0.2.2";
    const lines: string[] = [];
    for (let bytes = 0; bytes <= 160; bytes++) lines.push(await ask(`byname_r a.test 4 ${bytes}`));
    const enough = lines.indexOf(found);
    assert.ok(enough > 60 && enough < 130, String(enough));
    assert.deepEqual(new Set(lines.slice(0, enough)), new Set(["error 34 -1"]));
    assert.deepEqual(new Set(lines.slice(enough)), new Set([found]));
    assert.match(await ask("nameinfo 192.0.2.1 80 2 14"), /^error -12 /);
    assert.equal(await ask("nameinfo 192.0.2.1 80 2 15"), "found canonical.test 80");
  });
});

Deno.test("answers that make no sense end no app", async () => {
  const odd = (aliases: number[], addresses: number[]): FakeHost => ({
    raw: { aliases: Uint8Array.from(aliases), addresses: Uint8Array.from(addresses) },
  });
  const hosts: Record<string, FakeHost> = {
    "none.test": {},
    "unended.test": odd([97, 98], []),
    "zeros.test": odd([0, 0, 0], []),
    "cut.test": odd([], [4, 192, 0, 2]),
    "family.test": odd([], [9, ...new Array(16).fill(1)]),
    "mixed.test": { addresses: ["192.0.2.1", "2001:db8::1"] },
    "nameless.test": { name: "", addresses: ["192.0.2.1"] },
    "high.test": { ending: 200 },
  };
  await withNames({ hosts }, async (ask) => {
    for (const name of Object.keys(hosts)) {
      for (const family of [0, 4, 6]) {
        assert.match(await ask(`addrinfo ${name} 80 ${family} 1 ${AI_CANONNAME}`), /^(found|error)/);
      }
      assert.match(await ask(`old ${name}`), /^(found|error)/);
      assert.match(await ask(`byname_r ${name} 6 1000`), /^(found|error)/);
    }
    assert.match(await ask("addrinfo none.test 80 0 1 0"), /^error -2/);
    assert.equal(await ask("old mixed.test"), "error 4");
  });
});

Deno.test("a static result stands until the next call of the same function", async () => {
  const hosts = { "a.test": { addresses: ["192.0.2.1"] }, "192.0.2.1": { name: "b.test" } };
  await withNames({ hosts }, async (ask) => {
    const kept = "found a.test () 2/4 192.0.2.1";
    assert.equal(await ask("keep a.test"), `${kept}; found b.test () 2/4 192.0.2.1; ${kept}; child ${kept}`);
  });
});

Deno.test("with the session lost, every look-up fails with EIO", async () => {
  await withNames(
    { hosts: { "a.test": { addresses: ["192.0.2.1"] } }, hostName: "pod" },
    async (ask, session) => {
      assert.match(await ask("addrinfo a.test 80 0 1 0"), /^found/);
      session.lose();
      assert.equal(await ask("addrinfo localhost 80 0 1 0"), "error -11 Input/output error");
      assert.equal(await ask("old localhost"), "error -1Input/output error");
      assert.equal(await ask("byname_r localhost 4 1000"), "error 5 -1");
      assert.equal(await ask("nameinfo 127.0.0.1 80 0 100"), "error -11 Input/output error");
      assert.equal(await ask("hostname 100"), "error Input/output error");
      assert.match(await ask("addrinfo 127.0.0.1 80 0 1 0"), /^found/);
    },
  );
});

Deno.test("a look-up that hangs holds up no other thread, nor a child", async () => {
  const slow = Promise.withResolvers<void>();
  const hosts = {
    "slow.test": { addresses: ["192.0.2.9"], before: () => slow.promise },
    "fast.test": { addresses: ["192.0.2.1"] },
  };
  await withNames({ hosts }, async (ask, _session, app) => {
    await app.write("beside slow.test fast.test");
    // The other thread, then a child made while the first waits.
    assert.equal(await app.line(), "beside 0");
    assert.equal(await app.line(), "child 0");
    slow.resolve();
    assert.equal(await app.line(), "slow 0");
    assert.equal(await ask("crowd 64 fast.test"), "0 of 64 failed");
  });
});

Deno.test("told to ask again, the layer does until it has the answer", async () => {
  const hosts = {
    "a.test": { addresses: ["192.0.2.9"], pending: 3 },
    "192.0.2.9": { name: "b.test", pending: 2 },
  };
  await withNames({ hosts }, async (ask, session) => {
    assert.equal(await ask("addrinfo a.test 80 0 1 0"), "found 192.0.2.9/80/1/6/16/0");
    const first = "lookup a.test 0 1 80";
    assert.deepEqual(session.asked, [first, ...new Array(3).fill(`${first} again`)]);
    assert.equal(await ask("nameinfo 192.0.2.9 80 2 100"), "found b.test 80");
    assert.equal(session.asked.length, 7);
  });
});

Deno.test("a signal's handler does not end a look-up", async () => {
  let interrupt = (): void => {};
  // Not for ever: an interrupted call asks again, and would be interrupted again.
  let left = 3;
  const host = { addresses: ["192.0.2.9"], before: () => left-- > 0 ? interrupt() : undefined };
  await withNames({ hosts: { "slow.test": host } }, async (ask, session, app) => {
    interrupt = () => app.kill("SIGUSR1");
    assert.equal(await ask("addrinfo slow.test 80 0 1 0"), "found 192.0.2.9/80/1/6/16/0");
    assert.ok(session.asked.length > 0);
  });
});

Deno.test("the host's own name is asked for once, and cut as libc cuts it", async () => {
  await withNames({ hostName: "the-pod" }, async (ask, session) => {
    assert.equal(await ask("uname"), "the-pod");
    assert.equal(await ask("hostname 200"), "found the-pod");
    assert.equal(await ask("hostname 8"), "found the-pod");
    assert.equal(await ask("hostname 7"), "error File name too long");
    assert.deepEqual(session.asked, ["hostName"]);
  });
  await withNames({ hostName: "x".repeat(300) }, async (ask) => {
    assert.equal(await ask("uname"), "x".repeat(64));
  });
  await withNames({ hostName: null }, async (ask, session) => {
    assert.equal(await ask("uname"), Deno.hostname());
    assert.equal(await ask("hostname 200"), `found ${Deno.hostname()}`);
    assert.deepEqual(session.asked, ["hostName"]);
  });
});
