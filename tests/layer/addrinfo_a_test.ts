// The layer's getaddrinfo_a and what belongs to it, with a session that the test makes up: many at a time,
// waited for in every way that libc has, called off, and never looked up here.

import assert from "node:assert/strict";
import { FakeNames, type FakeNamesOptions } from "../support/fake_names.ts";
import { App, compileApp } from "../support/layer_app.ts";

const [inProgress, canceled, notCanceled, allDone, again] = ["-100", "-101", "-102", "-103", "-3"];

async function withRequests(
  options: FakeNamesOptions,
  body: (order: (order: string) => Promise<string>, session: FakeNames) => Promise<void>,
): Promise<void> {
  await using session = new FakeNames(options);
  await using app = new App(session, [await compileApp("addrinfo_a")]);
  await body(async (order) => {
    await app.write(order);
    return await app.line();
  }, session);
}

const known = {
  "a.test": { addresses: ["192.0.2.1"] },
  "b.test": { addresses: ["192.0.2.2", "192.0.2.3"] },
  "busy.test": { ending: 2 },
};

Deno.test("each way to wait ends when all requests have their answers", async () => {
  await withRequests({ hosts: known }, async (order) => {
    const names = "a.test b.test = none.test busy.test 192.0.2.9";
    const found =
      " a.test 0 192.0.2.1 b.test 0 192.0.2.2 192.0.2.3 none.test -2 busy.test -3 192.0.2.9 0 192.0.2.9";
    assert.equal(await order(`wait ${names}`), `0${found}`);
    assert.equal(await order(`suspend ${names}`), `0 ${allDone}${found}`);
    assert.equal(await order(`signal ${names}`), `0 told 4711 -60 by itself${found}`);
    assert.match(await order(`thread ${names}`), new RegExp(`^0 told 4711 0( by itself)?${found}$`));
    assert.match(await order("thread ="), /^0 told 4711 0/); // nothing to wait for
  });
});

Deno.test("arguments that make no sense end as libc ends them", async () => {
  await withRequests({}, async (order) => {
    assert.equal(await order("argue"), `-11 Invalid argument 0 0 ${allDone} ${allDone} ${allDone}`);
  });
});

Deno.test("requests that hang hold up others only when they are many, and can be called off while they wait", async () => {
  const held = Promise.withResolvers<void>();
  const slow = Array.from({ length: 20 }, (_, index) => `slow${index}.test`);
  const host = { addresses: ["192.0.2.5"], before: () => held.promise };
  const hosts = { ...known, ...Object.fromEntries(slow.map((name) => [name, host])) };
  await withRequests({ hosts }, async (order) => {
    try {
      assert.equal(await order(`begin ${slow.slice(1).join(" ")}`), "0");
      assert.equal(await order("wait a.test"), "0 a.test 0 192.0.2.1");
    } finally {
      held.resolve();
    }
  });
  const again2 = Promise.withResolvers<void>();
  host.before = () => again2.promise;
  await withRequests({ hosts }, async (order) => {
    try {
      assert.equal(await order(`begin ${slow.join(" ")} a.test b.test`), "0");
      assert.equal(await order("status 0"), inProgress);
      assert.equal(await order("status 21"), inProgress);
      assert.equal(await order("cancel 0"), notCanceled);
      assert.equal(await order("cancel 21"), canceled);
      assert.equal(await order("status 21"), canceled);
      assert.equal(await order("cancel 21"), allDone);
      assert.equal(await order("hold 0 1"), again);
    } finally {
      again2.resolve();
    }
    assert.equal(await order("end 0"), " slow0.test 0 192.0.2.5");
    assert.equal(await order("end 20"), " a.test 0 192.0.2.1");
    assert.equal(await order("hold 0 1000"), allDone);
  });
});

Deno.test("a fork child looks up by itself while its parent waits", async () => {
  const held = Promise.withResolvers<void>();
  const hosts = { ...known, "held.test": { addresses: ["192.0.2.6"], before: () => held.promise } };
  await withRequests({ hosts }, async (order) => {
    try {
      assert.equal(await order("begin held.test"), "0");
      assert.equal(await order("fork a.test"), "child 0 a.test 0 192.0.2.1");
    } finally {
      held.resolve();
    }
    assert.equal(await order("end 0"), " held.test 0 192.0.2.6");
  });
});

Deno.test("with the session lost requests fail, and are not libc's", async () => {
  await withRequests({ hosts: known }, async (order, session) => {
    assert.equal(await order("wait a.test"), "0 a.test 0 192.0.2.1");
    session.lose();
    assert.equal(await order("wait localhost"), "0 localhost -11");
  });
});

Deno.test("a floor that is off leaves requests to libc", async () => {
  await withRequests({ dns: false }, async (order, session) => {
    assert.equal(await order("wait localhost"), "0 localhost 0 127.0.0.1");
    assert.equal(await order("suspend localhost"), `0 ${allDone} localhost 0 127.0.0.1`);
    assert.deepEqual(session.asked, []);
  });
});
