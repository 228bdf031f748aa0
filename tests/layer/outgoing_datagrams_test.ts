// Outgoing UDP as the app's libc calls see it, with the real session between the layer and an agent of the
// test's own, which sends every datagram back. The app is tests/apps/dials.c; descriptor 3 is its first.

import assert from "node:assert/strict";
import { DatagramSocket } from "../../core/net/linux/datagram.ts";
import { deadline } from "../support/deadline.ts";
import type { Calls } from "../support/layer_app.ts";
import { OutgoingStage, type OutgoingStageOptions } from "../support/outgoing_stage.ts";

const ENETUNREACH = 101;

async function withApp(
  options: OutgoingStageOptions,
  body: (app: Calls, stage: OutgoingStage) => Promise<void>,
): Promise<void> {
  await using stage = await OutgoingStage.create(options);
  await using app = await stage.app();
  await body(app, stage);
}

const families = [
  { kind: "udp4", host: "203.0.113.9", asked: "203.0.113.9", own: "10.1.2.3" },
  { kind: "udp6", host: "2001:db8::9", asked: "2001:db8::9", own: "" },
  { kind: "udp6", host: "::ffff:203.0.113.9", asked: "203.0.113.9", own: "::ffff:10.1.2.3" },
];

for (const { kind, host, asked, own } of families) {
  Deno.test(`a UDP socket connected to ${host} speaks to it, with the target's names`, () =>
    withApp({}, async (app, stage) => {
      await app.do(`socket ${kind}`);
      assert.equal(await app.do(`connect 3 ${host} 53`), "0");
      assert.equal(await app.do("send 3 question"), "8");
      assert.equal(await app.do("recvfrom 3"), `8 question ${host} 53`);
      assert.equal(await app.do("getpeername 3"), `${host} 53`);
      if (own !== "") assert.equal(await app.do("getsockname 3"), `${own} 40000`);
      assert.deepEqual(stage.asked, [`udp ${asked} 53`]);
    }));

  Deno.test(`one UDP socket speaks to ${host} and to others, each answer with its sender`, () =>
    withApp({}, async (app, stage) => {
      await app.do(`socket ${kind}`);
      const other = kind === "udp4" ? "198.51.100.7" : "::ffff:198.51.100.7";
      assert.equal(await app.do(`sendto 3 ${host} 53 first`), "5");
      assert.equal(await app.do("recvfrom 3"), `5 first ${host} 53`);
      assert.equal(await app.do(`sendmsg 3 ${other} 5353 second`), "6");
      assert.equal(await app.do("recvmsg 3"), `6 second ${other} 5353`);
      assert.equal(await app.do(`sendto 3 ${host} 53 third`), "5");
      assert.equal(await app.do("recvmmsg 3"), `5 third ${host} 53`);
      assert.equal(stage.asked.length, 2);
    }));
}

Deno.test("datagrams keep their size and their boundaries", () =>
  withApp({}, async (app) => {
    await app.do("socket udp4");
    await app.do("connect 3 203.0.113.9 53");
    for (const size of [65507, 1, 1472, 0]) {
      assert.equal(await app.do(`sendto 3 203.0.113.9 53 *${size}`), `${size}`);
    }
    for (const size of [65507, 1, 1472, 0]) {
      assert.match(await app.do("recvfrom 3"), new RegExp(`^${size} `));
    }
  }));

Deno.test("a UDP socket connects to one after the other", () =>
  withApp({}, async (app, stage) => {
    await app.do("socket udp4");
    assert.equal(await app.do("connect 3 203.0.113.9 53"), "0");
    assert.equal(await app.do("connect 3 203.0.113.10 53"), "0");
    await app.do("send 3 question");
    assert.equal(await app.do("recvfrom 3"), "8 question 203.0.113.10 53");
    assert.equal(await app.do("getpeername 3"), "203.0.113.10 53");
    assert.equal(await app.do("connect 3 - 0"), "0");
    assert.equal(await app.do("getpeername 3"), "ENOTCONN");
    assert.equal(stage.asked.length, 2);
  }));

Deno.test("no way to a host is reported at once, by connect and by sendto, and asked for again", () => {
  let errno = ENETUNREACH;
  return withApp({ decide: () => errno }, async (app, stage) => {
    await app.do("socket udp4");
    assert.equal(await app.do("connect 3 203.0.113.9 53"), "ENETUNREACH");
    assert.equal(await app.do("getpeername 3"), "ENOTCONN");
    assert.equal(await app.do("sendto 3 203.0.113.9 53 one"), "ENETUNREACH");
    errno = 0;
    assert.equal(await app.do("connect 3 203.0.113.9 53"), "0");
    assert.equal(await app.do("send 3 two"), "3");
    assert.equal(await app.do("recvfrom 3"), "3 two 203.0.113.9 53");
    assert.equal(stage.asked.length, 3);
  });
});

Deno.test("a host that was reached is not waited for again", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  let reached: number | Promise<number> = 0;
  await withApp({ decide: () => reached }, async (app, stage) => {
    await app.do("socket udp4");
    assert.equal(await app.do("connect 3 203.0.113.9 53"), "0");
    reached = promise;
    await app.do("socket udp4");
    assert.equal(await app.do("connect 4 203.0.113.9 54"), "0");
    assert.equal(await app.do("send 4 early"), "5");
    resolve(0);
    assert.equal(await app.do("recvfrom 4"), "5 early 203.0.113.9 54");
    assert.equal(stage.asked.length, 2);
  });
});

Deno.test("a closed UDP socket ends its sockets in the target", () =>
  withApp({}, async (app, stage) => {
    await app.do("socket udp4");
    await app.do("sendto 3 203.0.113.9 53 one");
    await app.do("recvfrom 3");
    await app.do("sendto 3 203.0.113.10 53 two");
    await app.do("recvfrom 3");
    assert.equal(stage.associations, 2);
    assert.equal(await app.do("close 3"), "0");
    await stage.associationsEnd();
    assert.equal(stage.associations, 0);
  }));

Deno.test("a UDP socket of the app's own, multicast and broadcast stay on this machine", () =>
  withApp({}, async (app, stage) => {
    await app.do("socket udp4");
    await app.do("bind 3 127.0.0.1 0");
    const [, port] = (await app.do("getsockname 3")).split(" ");
    await app.do("socket udp4");
    assert.equal(await app.do(`sendto 4 127.0.0.1 ${port} mine`), "4");
    assert.match(await app.do("recvfrom 3"), /^4 mine 127\.0\.0\.1 /);
    await app.do("sendto 4 239.1.2.3 9 all");
    await app.do("sendto 4 255.255.255.255 9 all");
    assert.deepEqual(stage.asked, []);
  }));

Deno.test("without udp in the config datagrams stay on this machine", () =>
  withApp({ config: { udp: false } }, async (app, stage) => {
    const socket = DatagramSocket.bind("127.0.0.1");
    try {
      await app.do("socket udp4");
      assert.equal(await app.do(`sendto 3 127.0.0.1 ${socket.localAddress.port} here`), "4");
      assert.equal(new TextDecoder().decode(await deadline(socket.receive(), "the datagram")), "here");
    } finally {
      socket.close();
    }
    assert.deepEqual(stage.asked, []);
  }));

Deno.test("a lost session is EIO for datagrams too", () =>
  withApp({}, async (app, stage) => {
    await app.do("socket udp4");
    await app.do("sendto 3 203.0.113.9 53 one");
    await stage.session[Symbol.asyncDispose]();
    await app.do("socket udp4");
    assert.equal(await app.do("sendto 4 203.0.113.9 53 one"), "EIO");
    assert.equal(await app.do("connect 4 203.0.113.9 53"), "EIO");
  }));
