// Outgoing TCP as the app's libc calls see it, with the real session between the layer and an agent of the
// test's own. The app is tests/apps/dials.c; descriptor 3 is its first. UDP: outgoing_datagrams_test.ts.

import assert from "node:assert/strict";
import { E } from "../../core/net/system_error.ts";
import type { Calls } from "../support/layer_app.ts";
import { OutgoingStage, type OutgoingStageOptions } from "../support/outgoing_stage.ts";

const EHOSTUNREACH = 113;
const text = (bytes: Uint8Array | null) => bytes === null ? null : new TextDecoder().decode(bytes);
const bytes = (content: string) => new TextEncoder().encode(content);

async function withApp(
  options: OutgoingStageOptions,
  body: (app: Calls, stage: OutgoingStage) => Promise<void>,
): Promise<void> {
  await using stage = await OutgoingStage.create(options);
  await using app = await stage.app();
  await body(app, stage);
}

/** An errno that comes when the test says. */
function held(): { decide: () => Promise<number>; say: (errno: number) => void } {
  const { promise, resolve } = Promise.withResolvers<number>();
  return { decide: () => promise, say: resolve };
}

const families = [
  { kind: "4", host: "203.0.113.9", asked: "203.0.113.9", local: "10.1.2.3" },
  { kind: "6", host: "2001:db8::9", asked: "2001:db8::9", local: "10.1.2.3" },
  { kind: "6", host: "::ffff:203.0.113.9", asked: "203.0.113.9", local: "::ffff:10.1.2.3" },
];

for (const { kind, host, asked, local } of families) {
  Deno.test(`a blocking connect to ${host} gives the target's connection with its names`, () =>
    withApp({}, async (app, stage) => {
      assert.equal(await app.do(`socket ${kind}`), "3");
      assert.equal(await app.do(`connect 3 ${host} 80`), "0");
      assert.deepEqual(stage.asked, [`${asked} 80`]);
      assert.equal(await app.do("getpeername 3"), `${host} 80`);
      if (kind === "4" || local.startsWith("::ffff")) {
        assert.equal(await app.do("getsockname 3"), `${local} 40000`);
      }
      const { channel } = await stage.made();
      assert.equal(await app.do("send 3 question"), "8");
      assert.equal(text(await channel.read()), "question");
      await channel.write(bytes("answer"));
      assert.equal(await app.do("recv 3"), "6 answer");
      assert.equal(await app.do("connect 3 203.0.113.9 80"), "EISCONN");
    }));
}

const failures = ["ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"] as const;
for (const name of failures) {
  Deno.test(`a blocking connect fails with the target's ${name}`, () =>
    withApp({ decide: () => E[name] }, async (app) => {
      await app.do("socket 4");
      assert.equal(await app.do("connect 3 203.0.113.9 80"), name);
      assert.equal(await app.do("getpeername 3"), "ENOTCONN");
    }));

  Deno.test(`a non-blocking connect fails with the target's ${name}, told once`, () =>
    withApp({ decide: () => E[name] }, async (app) => {
      await app.do("socket 4now");
      assert.equal(await app.do("connect 3 203.0.113.9 80"), "EINPROGRESS");
      assert.match(await app.do("poll 3 20000"), /out/);
      assert.equal(await app.do("error 3"), name);
      assert.equal(await app.do("error 3"), "0");
    }));
}

Deno.test("a socket whose connect failed can connect again", () =>
  withApp({ decide: ({ port }) => port === 81 ? E.ECONNREFUSED : 0 }, async (app) => {
    await app.do("socket 4");
    assert.equal(await app.do("connect 3 203.0.113.9 81"), "ECONNREFUSED");
    assert.equal(await app.do("connect 3 203.0.113.9 80"), "0");
    assert.equal(await app.do("getpeername 3"), "203.0.113.9 80");
  }));

Deno.test("a non-blocking connect is under way until the target's is over", async () => {
  const { decide, say } = held();
  await withApp({ decide }, async (app, stage) => {
    await app.do("socket 4now");
    assert.equal(await app.do("connect 3 203.0.113.9 80"), "EINPROGRESS");
    assert.equal(await app.do("connect 3 203.0.113.9 80"), "EALREADY");
    assert.equal(await app.do("poll 3 0"), ".");
    assert.equal(await app.do("error 3"), "0");
    assert.equal(await app.do("getpeername 3"), "ENOTCONN");
    assert.equal(await app.do("send 3 early"), "EAGAIN");
    say(0);
    assert.equal(await app.do("poll 3 20000"), "out .");
    assert.equal(await app.do("error 3"), "0");
    assert.equal(await app.do("getpeername 3"), "203.0.113.9 80");
    assert.equal(await app.do("connect 3 203.0.113.9 80"), "0");
    assert.equal(await app.do("connect 3 203.0.113.9 80"), "EISCONN");
    await app.do("send 3 question");
    assert.equal(text(await (await stage.made()).channel.read()), "question");
  });
});

Deno.test("edge-triggered epoll, told of the socket before its connect, sees it become writable once", async () => {
  const { decide, say } = held();
  await withApp({ decide }, async (app) => {
    await app.do("socket 4now");
    assert.equal(await app.do("edge 3 0"), "0");
    assert.equal(await app.do("edge 3 0"), "out"); // as the kernel says of every socket that is not connected
    assert.equal(await app.do("connect 3 203.0.113.9 80"), "EINPROGRESS");
    assert.equal(await app.do("edge 3 0"), "none");
    say(0);
    assert.equal(await app.do("edge 3 20000"), "out");
    assert.equal(await app.do("edge 3 0"), "none");
  });
});

Deno.test("connect asked again tells the failure, as SO_ERROR would", () =>
  withApp({ decide: () => EHOSTUNREACH }, async (app) => {
    await app.do("socket 4now");
    assert.equal(await app.do("connect 3 203.0.113.9 80"), "EINPROGRESS");
    assert.match(await app.do("poll 3 20000"), /out/);
    assert.equal(await app.do("connect 3 203.0.113.9 80"), "EHOSTUNREACH");
  }));

Deno.test("SO_SNDTIMEO ends a blocking connect as the kernel would, and the agent's with the socket", async () => {
  const { decide } = held();
  await withApp({ decide }, async (app, stage) => {
    await app.do("socket 4limited");
    assert.equal(await app.do("connect 3 203.0.113.9 80"), "EINPROGRESS");
    assert.equal(await app.do("connect 3 203.0.113.9 80"), "EALREADY");
    assert.equal(await app.do("close 3"), "0");
    await stage.givenUp();
  });
});

Deno.test("a fork child that closes its copy takes nothing from its parent, before and after the connection is made", async () => {
  const { decide: later, say } = held();
  const decide = ({ port }: { port: number }) => port === 80 ? later() : E.ECONNREFUSED;
  await withApp({ decide }, async (app, stage) => {
    await app.do("socket 4now");
    assert.equal(await app.do("connect 3 203.0.113.9 80"), "EINPROGRESS");
    assert.equal(await app.do("child 3 203.0.113.9 81"), "0");
    say(0);
    assert.equal(await app.do("poll 3 20000"), "out .");
    assert.equal(await app.do("child 3 203.0.113.9 81"), "0");
    assert.equal(await app.do("error 3"), "0");
    assert.equal(await app.do("send 3 question"), "8");
    assert.equal(text(await (await stage.made()).channel.read()), "question");
    assert.deepEqual(stage.asked, ["203.0.113.9 80", "203.0.113.9 81", "203.0.113.9 81"]);
  });
});

Deno.test("a connect that AF_UNSPEC lets go of is given up by the agent", async () => {
  const { decide } = held();
  await withApp({ decide }, async (app, stage) => {
    await app.do("socket 4now");
    assert.equal(await app.do("connect 3 203.0.113.9 80"), "EINPROGRESS");
    assert.equal(await app.do("connect 3 - 0"), "0");
    await stage.givenUp();
  });
});

Deno.test("a signal's handler interrupts a blocking connect, unless it restarts", async () => {
  const { decide, say } = held();
  await withApp({ decide }, async (app) => {
    await app.do("socket 4");
    await app.do("alarm 50");
    assert.equal(await app.do("connect 3 203.0.113.9 80"), "EINTR");
    assert.equal(await app.do("alarm 50 restart"), "0");
    await app.begin("connect 3 203.0.113.9 80");
    // The first may have come before the call.
    for (let alarms = 0; alarms < 2; alarms++) assert.equal(await app.result(), "alarm");
    say(0);
    let result = await app.result();
    while (result === "alarm") result = await app.result();
    assert.equal(result, "0");
  });
});

Deno.test("half-closes go both ways", () =>
  withApp({}, async (app, stage) => {
    await app.do("socket 4");
    await app.do("connect 3 203.0.113.9 80");
    const { channel } = await stage.made();
    await app.do("send 3 question");
    await app.do("shutdown 3");
    assert.equal(text(await channel.read()), "question");
    assert.equal(await channel.read(), null);
    await channel.write(bytes("answer"));
    assert.equal(await app.do("recv 3"), "6 answer");
    await channel.closeWrite();
    assert.equal(await app.do("recv 3"), "0 ");
  }));

Deno.test("resets go both ways", () =>
  withApp({}, async (app, stage) => {
    await app.do("socket 4");
    await app.do("connect 3 203.0.113.9 80");
    (await stage.made()).channel.reset();
    assert.equal(await app.do("recv 3"), "ECONNRESET");
    await app.do("close 3");
    await app.do("socket 4");
    await app.do("connect 3 203.0.113.9 80");
    const { channel } = await stage.made();
    await app.do("reset 3");
    await assert.rejects(channel.read(), { name: "RemoteError" });
  }));

Deno.test("a connection that nobody reads stops no other", () =>
  withApp({}, async (app, stage) => {
    await app.do("socket 4");
    await app.do("connect 3 203.0.113.9 80");
    const stalled = await stage.made();
    const flood = stalled.channel.write(new Uint8Array(32 << 20)).then(() => "taken", () => "dropped");
    await app.do("socket 4");
    assert.equal(await app.do("connect 4 203.0.113.9 81"), "0");
    const { channel } = await stage.made();
    await channel.write(bytes("flows"));
    assert.equal(await app.do("recv 4"), "5 flows");
    assert.equal(await Promise.race([flood, Promise.resolve("waits")]), "waits");
    await app.do("reset 3");
    assert.equal(await flood, "dropped");
  }));

Deno.test("names survive dup and exec", () =>
  withApp({}, async (app) => {
    await app.do("socket 4");
    await app.do("connect 3 203.0.113.9 80");
    assert.equal(await app.do("dup 3"), "4");
    assert.equal(await app.do("close 3"), "0");
    assert.equal(await app.do("getpeername 4"), "203.0.113.9 80");
    assert.equal(await app.do("exec"), "0");
    assert.equal(await app.do("getpeername 4"), "203.0.113.9 80");
    assert.equal(await app.do("getsockname 4"), "10.1.2.3 40000");
  }));

Deno.test("a socket bound before connects from there", () =>
  withApp({}, async (app, stage) => {
    await app.do("socket 4");
    assert.equal(await app.do("bind 3 0.0.0.0 0"), "0");
    assert.equal(await app.do("connect 3 203.0.113.9 80"), "0");
    assert.deepEqual(stage.asked, ["203.0.113.9 80"]);
    assert.equal(await app.do("getsockname 3"), "10.1.2.3 40000");
  }));

Deno.test("connect to AF_UNSPEC lets go of the connection, and the socket connects again", () =>
  withApp({}, async (app, stage) => {
    await app.do("socket 4");
    await app.do("connect 3 203.0.113.9 80");
    assert.equal(await app.do("connect 3 - 0"), "0");
    assert.equal(await app.do("getpeername 3"), "ENOTCONN");
    assert.equal(await app.do("connect 3 203.0.113.9 81"), "0");
    assert.equal(await app.do("getpeername 3"), "203.0.113.9 81");
    assert.deepEqual(stage.asked, ["203.0.113.9 80", "203.0.113.9 81"]);
  }));

Deno.test("MSG_FASTOPEN connects, then sends", () =>
  withApp({}, async (app, stage) => {
    await app.do("socket 4");
    assert.equal(await app.do("fastopen 3 203.0.113.9 80 question"), "8");
    assert.equal(text(await (await stage.made()).channel.read()), "question");
  }));

Deno.test("a port that the app listens on itself stays with it, others of loopback are the target's", () =>
  withApp({}, async (app, stage) => {
    await app.do("socket 4");
    await app.do("bind 3 127.0.0.1 0");
    await app.do("listen 3");
    const [, port] = (await app.do("getsockname 3")).split(" ");
    await app.do("socket 4");
    assert.equal(await app.do(`connect 4 127.0.0.1 ${port}`), "0");
    assert.equal(await app.do("getpeername 4"), `127.0.0.1 ${port}`);
    await app.do("socket 4");
    assert.equal(await app.do("connect 5 127.0.0.1 9"), "0");
    assert.deepEqual(stage.asked, ["127.0.0.1 9"]);
  }));

Deno.test("with ignore_localhost loopback stays on this machine", () =>
  withApp({ config: { ignoreLocalhost: true } }, async (app, stage) => {
    await app.do("socket 4");
    assert.equal(await app.do("connect 3 127.0.0.1 9"), "ECONNREFUSED");
    assert.deepEqual(stage.asked, []);
  }));

Deno.test("a filter of remote rules sends only those to the target, one of local rules all others", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  for (const side of ["remote", "local"] as const) {
    const rules = side === "remote" ? ["10.0.0.0/8:80"] : [`tcp://127.0.0.1:${port}`];
    await withApp({ config: { filter: { side, rules } } }, async (app, stage) => {
      await app.do("socket 4");
      assert.equal(await app.do("connect 3 10.9.8.7 80"), "0");
      await app.do("socket 4");
      assert.equal(await app.do(`connect 4 127.0.0.1 ${port}`), "0");
      using conn = await listener.accept();
      assert.equal(await app.do("getsockname 4"), `127.0.0.1 ${(conn.remoteAddr as Deno.NetAddr).port}`);
      assert.deepEqual(stage.asked, ["10.9.8.7 80"]);
    });
  }
});

Deno.test("without tcp in the config connections stay on this machine", () =>
  withApp({ config: { tcp: false } }, async (app, stage) => {
    await app.do("socket 4");
    assert.equal(await app.do("connect 3 127.0.0.1 9"), "ECONNREFUSED");
    assert.deepEqual(stage.asked, []);
  }));

Deno.test("a lost session is EIO, never this machine's network", () =>
  withApp({}, async (app, stage) => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await app.do("socket 4");
    await app.do("connect 3 203.0.113.9 80");
    await stage.session[Symbol.asyncDispose]();
    await app.do("socket 4");
    assert.equal(await app.do(`connect 4 127.0.0.1 ${listener.addr.port}`), "EIO");
  }));

Deno.test("a lost agent fails what is under way", async () => {
  const { decide } = held();
  await withApp({ decide }, async (app, stage) => {
    await app.do("socket 4");
    await app.begin("connect 3 203.0.113.9 80");
    await stage.heard();
    stage.agent.agent.close();
    assert.equal(await app.result(), "EIO");
  });
});
