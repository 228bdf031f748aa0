// Incoming as the app's libc calls see it: what is managed, what is moved, whose address is returned. The
// app is tests/apps/calls.c; descriptor 3 is its first. Several processes: processes_test.ts; real servers:
// programs_test.ts.

import assert from "node:assert/strict";
import { type Client, type FakeAnswers, FakeSession, type Heard } from "../support/fake_session.ts";
import { Calls } from "../support/layer_app.ts";
import { freePort } from "../support/ports.ts";
import { busyPort, client } from "./hook_cases.ts";

type Body = (app: Calls, session: FakeSession) => Promise<void>;

async function withApp(answers: FakeAnswers, body: Body): Promise<void> {
  await using session = new FakeSession(answers);
  await using app = await Calls.start(session);
  await body(app, session);
}

/** Runs calls that must all print "0", but for the descriptor a socket call gives. */
async function doAll(app: Calls, calls: string[]): Promise<void> {
  for (const call of calls) {
    assert.match(await app.do(call), call.startsWith("socket") ? /^\d+$/ : /^0$/, call);
  }
}

/** Where the app's listener for `port` really is. */
async function actualOf(session: FakeSession, port: number): Promise<{ address: string; port: number }> {
  const { actual } = await session.listener(port);
  assert.ok(actual !== undefined);
  return actual;
}

function names(heard: Heard[]): string[] {
  return heard.map((one) => one.name);
}

Deno.test("a port that is free here is bound where the app asked", () =>
  withApp({}, async (app, session) => {
    const port = freePort();
    await doAll(app, ["socket 4", `bind 3 127.0.0.1 ${port}`, "listen 3 5"]);
    assert.deepEqual(await actualOf(session, port), { address: "127.0.0.1", port });
    assert.equal(await app.do("getsockname 3"), `127.0.0.1 ${port}`);
  }));

Deno.test("a taken port is bound where the session suggests", () =>
  withApp({}, async (app, session) => {
    using busy = busyPort();
    const port = freePort();
    session.answers = { suggested: () => port };
    await doAll(app, ["socket 4", `bind 3 0.0.0.0 ${busy.addr.port}`, "listen 3 5"]);
    assert.deepEqual(await actualOf(session, busy.addr.port), { address: "0.0.0.0", port });
  }));

Deno.test("a listener on the pod's own address is bound to the loopback and still says the pod's", () =>
  withApp({}, async (app, session) => {
    const port = freePort();
    await doAll(app, ["socket 4", `bind 3 192.0.2.9 ${port}`, "listen 3 5"]);
    assert.deepEqual(await actualOf(session, port), { address: "127.0.0.1", port });
    assert.equal(await app.do("getsockname 3"), `192.0.2.9 ${port}`);
  }));

Deno.test("the pod's own IPv6 address is bound to the IPv6 loopback", () =>
  withApp({}, async (app, session) => {
    const port = freePort();
    await doAll(app, ["socket 6", `bind 3 2001:db8::9 ${port}`, "listen 3 5"]);
    assert.deepEqual(await actualOf(session, port), { address: "::1", port });
    assert.equal(await app.do("getsockname 3"), `2001:db8::9 ${port}`);
  }));

Deno.test("a listener without an address of its own is asked about once it has one", () =>
  withApp({}, async (app, session) => {
    await doAll(app, ["socket 4", "listen 3 5"]);
    assert.deepEqual(names(session.heard), ["hello", "listen"]);
    const { asked, actual, anyPort } = session.heard[1] ?? {};
    assert.deepEqual([asked, anyPort], [actual, true]);
    assert.equal(await app.do("getsockname 3"), `0.0.0.0 ${actual?.port}`);
  }));

Deno.test("bind to port 0 is the kernel's affair until the socket listens", () =>
  withApp({}, async (app, session) => {
    await doAll(app, ["socket 4", "bind 3 127.0.0.1 0"]);
    assert.equal(session.links, 0);
    await doAll(app, ["listen 3 5"]);
    assert.deepEqual(session.heard.map(({ name, anyPort }) => [name, anyPort]), [
      ["hello", undefined],
      ["listen", true],
    ]);
  }));

Deno.test("the session learns whether a listener's port was named or left to the kernel", () =>
  withApp({}, async (app, session) => {
    const port = freePort();
    await doAll(app, ["socket 4", `bind 3 127.0.0.1 ${port}`, "listen 3 5"]);
    assert.equal((await session.listener(port)).anyPort, false);
    // The pod's own address, which is bound elsewhere at once.
    await doAll(app, ["socket 4", "bind 4 192.0.2.9 0", "listen 4 5"]);
    assert.equal(session.heard.at(-1)?.anyPort, true);
  }));

Deno.test("where no other port than the suggested one will do, the asked one is not tried", () =>
  withApp({}, async (app, session) => {
    const [asked, local] = [freePort(), freePort()];
    session.answers = { suggested: () => local, fixed: true };
    await doAll(app, ["socket 4", `bind 3 127.0.0.1 ${asked}`, "listen 3 5"]);
    assert.deepEqual(await actualOf(session, asked), { address: "127.0.0.1", port: local });
    assert.equal(await app.do("getsockname 3"), `127.0.0.1 ${asked}`);
    using busy = busyPort();
    session.answers = { suggested: () => busy.addr.port, fixed: true };
    await doAll(app, ["socket 4"]);
    assert.equal(await app.do(`bind 4 0.0.0.0 ${freePort()}`), "EADDRINUSE");
  }));

Deno.test("what the session does not manage stays local", () =>
  withApp({ managed: () => false }, async (app, session) => {
    using busy = busyPort();
    const port = freePort();
    assert.equal(await app.do("socket 4"), "3");
    assert.equal(await app.do(`bind 3 0.0.0.0 ${busy.addr.port}`), "EADDRINUSE");
    await doAll(app, [`bind 3 127.0.0.1 ${port}`, "listen 3 5"]);
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    assert.equal(await app.do("accept 3"), `4 127.0.0.1 ${conn.localAddr.port} 16`);
    assert.equal(await app.do("getpeername 4"), `127.0.0.1 ${conn.localAddr.port}`);
    assert.deepEqual(names(session.heard), ["hello", "bind", "bind"]);
  }));

Deno.test("a session without incoming gets no more than hello", () =>
  withApp({ incoming: false }, async (app, session) => {
    const port = freePort();
    await doAll(app, ["socket 4", `bind 3 127.0.0.1 ${port}`, "listen 3 5"]);
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    assert.equal(await app.do("accept 3"), `4 127.0.0.1 ${conn.localAddr.port} 16`);
    assert.deepEqual(names(session.heard), ["hello"]);
  }));

Deno.test("UDP sockets and Unix sockets are none of the session's business", () =>
  withApp({}, async (app, session) => {
    await doAll(app, ["socket udp4", `bind 3 127.0.0.1 ${freePort()}`]);
    assert.equal(session.links, 0);
  }));

Deno.test("the session's errno for bind reaches the app", () =>
  withApp({ bindErrno: () => 13 }, async (app) => {
    assert.equal(await app.do("socket 4"), "3");
    assert.equal(await app.do(`bind 3 127.0.0.1 ${freePort()}`), "EACCES");
  }));

Deno.test("a listener that the session refuses does not listen", () =>
  withApp({ listenErrno: () => 98 }, async (app, session) => {
    const port = freePort();
    await doAll(app, ["socket 4", `bind 3 127.0.0.1 ${port}`]);
    assert.equal(await app.do("listen 3 5"), "EADDRINUSE");
    await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
    session.answers = {};
    await doAll(app, ["listen 3 5"]);
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
  }));

Deno.test("a second listen on the same socket is not told", () =>
  withApp({}, async (app, session) => {
    await doAll(app, ["socket 4", `bind 3 127.0.0.1 ${freePort()}`, "listen 3 5", "listen 3 50"]);
    assert.equal(session.count("listen"), 1);
  }));

Deno.test("a port that the app itself has moved is taken for its second socket", () =>
  withApp({}, async (app) => {
    using busy = busyPort();
    const { port } = busy.addr;
    await doAll(app, ["socket 4", `bind 3 0.0.0.0 ${port}`, "listen 3 5"]);
    assert.equal(await app.do("socket 4"), "4");
    assert.equal(await app.do(`bind 4 127.0.0.1 ${port}`), "EADDRINUSE");
    assert.equal(await app.do("bind 3 127.0.0.1 1"), "EINVAL");
    assert.equal(await app.do("getsockname 3"), `0.0.0.0 ${port}`);
  }));

Deno.test("two sockets with SO_REUSEPORT share the port that their listener was moved to", () =>
  withApp({}, async (app, session) => {
    using busy = busyPort();
    const { port } = busy.addr;
    for (const fd of [3, 4]) {
      await doAll(app, ["socket 4reuseport", `bind ${fd} 0.0.0.0 ${port}`, `listen ${fd} 5`]);
    }
    const listens = session.heard.filter((heard) => heard.name === "listen");
    assert.equal(listens.length, 2);
    assert.deepEqual(listens[0]?.actual, listens[1]?.actual);
  }));

Deno.test("a connection that is none of the pod's keeps its real peer", () =>
  withApp({}, async (app, session) => {
    const port = freePort();
    await doAll(app, ["socket 4", `bind 3 127.0.0.1 ${port}`, "listen 3 5"]);
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    assert.equal(await app.do("accept 3"), `4 127.0.0.1 ${conn.localAddr.port} 16`);
    assert.equal(await app.do("getpeername 4"), `127.0.0.1 ${conn.localAddr.port}`);
    assert.equal(session.count("accepted"), 1);
  }));

Deno.test("a short buffer gets the beginning of the client's address and its whole length", () =>
  withApp({}, async (app, session) => {
    const port = freePort();
    await doAll(app, ["socket 4", `bind 3 127.0.0.1 ${port}`, "listen 3 5"]);
    using _conn = await session.dial(await actualOf(session, port), client);
    assert.equal(await app.do("accept 3 short"), "4 0.0.0.0 4711 16");
  }));

for (
  const [title, kind, peer, shown] of [
    ["a dual-stack listener sees an IPv4 client mapped", "6", "203.0.113.7", "::ffff:203.0.113.7"],
    ["a dual-stack listener sees an IPv6 client", "6", "2001:db8::7", "2001:db8::7"],
    ["an IPv6-only listener sees an IPv6 client", "6only", "2001:db8::7", "2001:db8::7"],
  ] as const
) {
  Deno.test(title, () =>
    withApp({}, async (app, session) => {
      using busy = Deno.listen({ hostname: "::", port: 0 });
      const { port } = busy.addr;
      const seen: Client = {
        peer: { address: peer, port: 4711 },
        local: { address: peer.includes(":") ? "2001:db8::1" : "10.1.2.3", port: 80 },
      };
      await doAll(app, [`socket ${kind}`, `bind 3 :: ${port}`, "listen 3 5"]);
      assert.equal(await app.do("getsockname 3"), `:: ${port}`);
      using _conn = await session.dial(await actualOf(session, port), seen);
      assert.equal(await app.do("accept4 3"), `4 ${shown} 4711 28`);
      const local = peer.includes(":") ? "2001:db8::1 80" : "::ffff:10.1.2.3 80";
      assert.equal(await app.do("getsockname 4"), local);
    }));
}

Deno.test("a client that an IPv4 socket cannot express leaves the local address", () =>
  withApp({}, async (app, session) => {
    const port = freePort();
    await doAll(app, ["socket 4", `bind 3 127.0.0.1 ${port}`, "listen 3 5"]);
    const v6: Client = {
      peer: { address: "2001:db8::7", port: 1 },
      local: { address: "2001:db8::1", port: 80 },
    };
    using conn = await session.dial(await actualOf(session, port), v6);
    assert.equal(await app.do("accept 3"), `4 127.0.0.1 ${conn.localAddr.port} 16`);
  }));

Deno.test("a non-blocking accept without a connection says EAGAIN", () =>
  withApp({}, async (app) => {
    await doAll(app, ["socket 4nonblock", `bind 3 127.0.0.1 ${freePort()}`, "listen 3 5"]);
    assert.equal(await app.do("accept 3"), "EAGAIN");
  }));

Deno.test("a bound socket that connects out says its own address", () =>
  withApp({}, async (app) => {
    using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const fd = await app.do(`connect 127.0.0.1 ${server.addr.port} ${freePort()}`);
    (await server.accept()).close();
    assert.match(await app.do(`getsockname ${fd}`), /^127\.0\.0\.1 \d+$/);
    assert.equal(await app.do(`getpeername ${fd}`), `127.0.0.1 ${server.addr.port}`);
  }));

for (const call of ["raw_close", "fclose"]) {
  Deno.test(`a number freed by ${call} does not keep the old connection's client`, () =>
    withApp({}, async (app, session) => {
      const port = freePort();
      using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      await doAll(app, ["socket 4", `bind 3 127.0.0.1 ${port}`, "listen 3 5"]);
      using _conn = await session.dial(await actualOf(session, port), client);
      assert.equal(await app.do("accept 3"), "4 203.0.113.7 4711 16");
      assert.equal(await app.do(`${call} 4`), "0");
      assert.equal(await app.do(`connect 127.0.0.1 ${server.addr.port}`), "4");
      (await server.accept()).close();
      assert.equal(await app.do("getpeername 4"), `127.0.0.1 ${server.addr.port}`);
    }));
}

Deno.test("a lost session is EIO, and what is not managed goes on", () =>
  withApp({ managed: (asked) => asked.port !== 0 }, async (app, session) => {
    const port = freePort();
    const localPort = freePort();
    session.answers = { managed: (asked) => asked.port === port };
    await doAll(app, ["socket 4", `bind 3 127.0.0.1 ${port}`, "listen 3 5"]);
    await doAll(app, ["socket 4", `bind 4 127.0.0.1 ${localPort}`, "listen 4 5"]);
    session.lose();
    using _first = await Deno.connect({ hostname: "127.0.0.1", port });
    assert.equal(await app.do("accept 3"), "EIO");
    using second = await Deno.connect({ hostname: "127.0.0.1", port: localPort });
    assert.equal(await app.do("accept 4"), `5 127.0.0.1 ${second.localAddr.port} 16`);
    assert.equal(await app.do("socket 4"), "6");
    assert.equal(await app.do(`bind 6 127.0.0.1 ${freePort()}`), "EIO");
    assert.equal(await app.do("getsockname 3"), `127.0.0.1 ${port}`);
  }));
