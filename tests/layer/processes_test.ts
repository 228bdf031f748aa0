// The layer in more than one process, and the link's own descriptor: fork, vfork, exec, descriptors that are
// handed over, apps that close numbers which are not theirs, and processes that are none of the session's
// business.

import { linkDescriptor } from "../../protocol-wasm/mod.ts";
import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { FakeSession } from "../support/fake_session.ts";
import { App, builtLayer, Calls, compileApp } from "../support/layer_app.ts";
import { freePort } from "../support/ports.ts";
import { busyPort, client } from "./hook_cases.ts";

/** The number at which the layer keeps its link; before it root keeps layer/link/way.c's. */
const linkFd = linkDescriptor + (Deno.uid() === 0 ? 1 : 0);

type Address = { address: string; port: number };

/** An app with a moved listener at descriptor 3. */
async function withListener(
  body: (app: Calls, session: FakeSession, actual: Address, port: number) => Promise<void>,
): Promise<void> {
  using busy = busyPort();
  await using session = new FakeSession();
  await using app = await Calls.start(session);
  const { port } = busy.addr;
  assert.equal(await app.do("socket 4"), "3");
  assert.equal(await app.do(`bind 3 0.0.0.0 ${port}`), "0");
  assert.equal(await app.do("listen 3 5"), "0");
  const { actual } = await session.listener(port);
  assert.ok(actual !== undefined);
  await body(app, session, actual, port);
}

Deno.test("a fork child accepts over a link of its own", () =>
  withListener(async (app, session, actual, port) => {
    assert.equal(await app.do("fork"), "0");
    using _conn = await session.dial(actual, client);
    assert.equal(await app.do("accept 3"), "4 203.0.113.7 4711 16");
    assert.equal(await app.do("getsockname 3"), `0.0.0.0 ${port}`);
    assert.equal(session.links, 2);
    const [first, second] = session.heard.filter((heard) => heard.name === "hello");
    assert.notEqual(first?.pid, second?.pid);
    assert.equal(session.count("end"), 0, "the parent's link ended");
  }));

Deno.test("a vfork child that closes everything leaves the parent's link and listener", () =>
  withListener(async (app, session, actual, port) => {
    assert.equal(await app.do("vfork"), "0");
    using _conn = await session.dial(actual, client);
    assert.equal(await app.do("accept 3"), "4 203.0.113.7 4711 16");
    assert.equal(await app.do("getsockname 3"), `0.0.0.0 ${port}`);
    assert.equal(session.links, 1);
    assert.equal(session.count("closed"), 0);
  }));

Deno.test("a listener kept over exec is asked about once", () =>
  withListener(async (app, session, actual, port) => {
    assert.equal(await app.do("exec"), "1");
    assert.equal(await app.do("getsockname 3"), `0.0.0.0 ${port}`);
    for (const fd of [4, 5]) {
      using _conn = await session.dial(actual, client);
      assert.equal(await app.do("accept 3"), `${fd} 203.0.113.7 4711 16`);
    }
    assert.equal(session.count("listener"), 1);
  }));

Deno.test("a connection handed to another program keeps its client", () =>
  withListener(async (app, session, actual) => {
    using _conn = await session.dial(actual, client);
    assert.equal(await app.do("accept 3"), "4 203.0.113.7 4711 16");
    const fd = await app.do("pass 4");
    assert.equal(await app.do(`getpeername ${fd}`), "203.0.113.7 4711");
    assert.equal(await app.do(`getsockname ${fd}`), "10.1.2.3 80");
  }));

Deno.test("a listener handed to another program is the pod's there too", () =>
  withListener(async (app, session, actual) => {
    const fd = await app.do("pass 3");
    using _conn = await session.dial(actual, client);
    assert.match(await app.do(`accept ${fd}`), / 203\.0\.113\.7 4711 16$/);
  }));

for (const [call, again] of [["pass 3", /^\d+$/], ["exec", /^1$/]] as const) {
  Deno.test(`a socket bound here listens as asked after "${call}"`, async () => {
    using busy = busyPort();
    await using session = new FakeSession();
    await using app = await Calls.start(session);
    const { port } = busy.addr;
    assert.equal(await app.do("socket 4"), "3");
    assert.equal(await app.do(`bind 3 0.0.0.0 ${port}`), "0");
    const result = await app.do(call);
    assert.match(result, again);
    const fd = call === "exec" ? "3" : result;
    assert.equal(await app.do(`getsockname ${fd}`), `0.0.0.0 ${port}`);
    assert.equal(await app.do(`listen ${fd} 5`), "0");
    const { actual, link } = await session.listener(port);
    assert.ok(actual !== undefined && link > 1);
    using _conn = await session.dial(actual, client);
    assert.match(await app.do(`accept ${fd}`), / 203\.0\.113\.7 4711 16$/);
  });
}

for (const call of ["getsockname 3", "exec"]) {
  Deno.test(`a port that another took between bind and listen is no reason not to listen, after "${call}"`, async () => {
    await using session = new FakeSession();
    await using app = await Calls.start(session);
    const port = freePort();
    assert.equal(await app.do("socket 4reuseaddr"), "3");
    assert.equal(await app.do(`bind 3 0.0.0.0 ${port}`), "0");
    using other = Deno.listen({ hostname: "0.0.0.0", port }); // Deno sets SO_REUSEADDR too
    await app.do(call);
    assert.equal(await app.do("listen 3 5"), "0");
    assert.equal(await app.do("getsockname 3"), `0.0.0.0 ${port}`);
    const { actual } = await session.listener(port);
    assert.ok(actual !== undefined && actual.port !== port);
    using _conn = await session.dial(actual, client);
    assert.match(await app.do("accept 3"), / 203\.0\.113\.7 4711 16$/);
    assert.equal(await app.do("close 3"), "0");
    await assert.rejects(session.dial(actual, client), Deno.errors.ConnectionRefused);
    assert.equal(other.addr.port, port);
  });
}

Deno.test("a parent accepts on what its fork child made a listener", async () => {
  using busy = busyPort();
  await using session = new FakeSession();
  const script = [
    "import os, socket",
    "s = socket.socket()",
    `s.bind(("0.0.0.0", ${busy.addr.port}))`,
    "child = os.fork()",
    "if child == 0:",
    "    s.listen(5); print('listens', flush=True); os._exit(0)",
    "os.waitpid(child, 0)",
    "print(s.accept()[1])",
  ];
  await using app = new App(session, ["python3", "-c", script.join("\n")]);
  assert.equal(await app.line(), "listens");
  const { actual } = await session.listener(busy.addr.port);
  assert.ok(actual !== undefined);
  using _conn = await session.dial(actual, client);
  assert.equal(await app.line(), "('203.0.113.7', 4711)");
});

Deno.test("the link takes no number that the app would have got", () =>
  withListener(async (app) => {
    assert.equal(await app.do("socket 4"), "4");
    assert.equal(await app.do(`fcntl ${linkFd} 1`), "1", "the link is close-on-exec");
  }));

for (
  const [title, before] of [["without standard input", "exec 0<&-"], [
    "with 64 descriptors at most",
    "ulimit -n 64",
  ]]
) {
  Deno.test(`${title} the app's numbers are the same with the layer as without`, async () => {
    const program = "import socket; a = socket.socket(); a.bind(('127.0.0.1', 61235)); a.listen(); " +
      "print(a.fileno(), socket.socket().fileno(), a.getsockname()[1])";
    const argv = ["sh", "-c", `${before}; exec python3 -c "${program}"`];
    await using session = new FakeSession();
    await using plain = new App(null, argv);
    const expected = await plain.line();
    await plain.status;
    await using hooked = new App(session, argv);
    assert.equal(await hooked.line(), expected);
    await session.listener(61235);
  });
}

for (const call of [`close ${linkFd}`, "close_range 4 4294967295 0", "closefrom 4", `fcntl ${linkFd} 2 0`]) {
  Deno.test(`"${call}" leaves the link as it is`, () =>
    withListener(async (app, session, actual) => {
      assert.equal(await app.do(call), "0");
      assert.equal(await app.do(`fcntl ${linkFd} 1`), "1");
      using _conn = await session.dial(actual, client);
      assert.equal(await app.do("accept 3"), "4 203.0.113.7 4711 16");
      assert.equal(session.links, 1);
    }));
}

for (const call of [`dup2 0 ${linkFd}`, `dup3 0 ${linkFd} 0`]) {
  Deno.test(`"${call}" gets the number and the link moves on`, () =>
    withListener(async (app, session, actual) => {
      assert.equal(await app.do(call), String(linkFd));
      using _conn = await session.dial(actual, client);
      assert.equal(await app.do("accept 3"), "4 203.0.113.7 4711 16");
      assert.equal(session.links, 1);
      assert.equal(await app.do(`fcntl ${linkFd} 1`), "0", "the number is the app's");
    }));
}

Deno.test("a link that the app closed unseen is opened again, and its number is not written to", () =>
  withListener(async (app, session, actual) => {
    assert.equal(await app.do(`raw_close ${linkFd}`), "0");
    await session.hear("the end of link 1", (heard) => heard.name === "end");
    assert.equal(await app.do(`fcntl 3 0 ${linkFd}`), String(linkFd));
    using _conn = await session.dial(actual, client);
    assert.equal(await app.do("accept 3"), "4 203.0.113.7 4711 16");
    assert.equal(session.links, 2);
  }));

Deno.test("processes that never bind, listen or accept open no link", async () => {
  await using session = new FakeSession();
  await using app = new App(session, ["sh", "-c", "for i in $(seq 1000); do /bin/true; done; echo done"]);
  assert.equal(await app.line(), "done");
  assert.equal(session.links, 0);
});

Deno.test("without a session the layer does nothing", async () => {
  using busy = busyPort();
  await using app = await Calls.start(null, { env: { LD_PRELOAD: builtLayer } });
  assert.equal(await app.do("socket 4"), "3");
  assert.equal(await app.do(`bind 3 0.0.0.0 ${busy.addr.port}`), "EADDRINUSE");
  assert.equal(await app.do("listen 3 5"), "0");
});

Deno.test("the app ends with a session that was killed", async () => {
  // A shell stands for the session: it names itself, starts the app and waits. Both hold the pipe that is
  // read.
  const app = "echo; exec sleep 1000";
  const script = `MIRRORD_SESSION_PID=$$ MIRRORD_LAYER_SOCKET=/nowhere LD_PRELOAD=$1 sh -c '${app}' & wait`;
  const shell = new Deno.Command("sh", { args: ["-c", script, "sh", builtLayer], stdout: "piped" }).spawn();
  const reader = shell.stdout.getReader();
  const first = await deadline(reader.read(), "the app runs");
  assert.equal(first.value?.length, 1);
  shell.kill("SIGKILL");
  const { done } = await deadline(reader.read(), "the app ends");
  assert.ok(done);
  await shell.status;
});

Deno.test("a fork child of root that gives up its rights goes on asking", {
  ignore: Deno.uid() !== 0,
}, async () => {
  await using session = new FakeSession();
  const script = [
    "import os, socket",
    "def ask(port): socket.socket().bind(('127.0.0.1', port))",
    "ask(61241)",
    "if os.fork() == 0:",
    "    os.setgid(65534); os.setuid(65534); ask(61242); print('asked', flush=True); os._exit(0)",
    "os.wait()",
  ];
  await using app = new App(session, ["/usr/bin/python3", "-c", script.join("\n")]);
  assert.equal(await app.line(), "asked");
  assert.equal(session.count("bind"), 2);
});

Deno.test("sixteen threads that ask, fork and run programs do not block each other", async () => {
  await using session = new FakeSession();
  await using app = new App(session, [await compileApp("forks"), "40"]);
  assert.equal(await app.line(), "done");
  assert.equal(await app.status.then(({ code }) => code), 0);
  const pids = session.heard.filter((heard) => heard.name === "hello").map(({ pid }) => pid);
  assert.equal(new Set(pids).size, 1 + 16 * 40, "each process asked for itself");
});

Deno.test("a slow answer keeps only the thread that asked", async () => {
  const slow = Promise.withResolvers<void>();
  await using session = new FakeSession({ before: ({ port }) => port === 61237 ? slow.promise : undefined });
  const script = [
    "import socket, threading",
    "def bind(port):",
    "    s = socket.socket(); s.bind(('127.0.0.1', port)); print(port, flush=True)",
    "thread = threading.Thread(target=bind, args=[61237]); thread.start()",
    "input(); bind(61238); thread.join()",
  ];
  await using app = new App(session, ["python3", "-c", script.join("\n")]);
  await session.hear("the slow question", (heard) => heard.name === "bind");
  await app.write("");
  assert.equal(await app.line(), "61238");
  slow.resolve();
  assert.equal(await app.line(), "61237");
  const asked = session.heard.filter((heard) => heard.name === "bind");
  assert.equal(new Set(asked.map(({ link }) => link)).size, 2, "by a link of its own");
  assert.equal(new Set(asked.map(({ process }) => process)).size, 1, "both are of one process");
});

Deno.test("threads accept side by side while a signal handler makes the same calls", async () => {
  await using session = new FakeSession();
  await using app = new App(session, [await compileApp("threads")]);
  const port = Number(await app.line());
  const { actual } = await session.listener(port);
  assert.ok(actual !== undefined);
  const expected: string[] = [];
  for (let i = 0; i < 400; i++) {
    const peer = { address: `203.0.113.${i % 250}`, port: 10_000 + i };
    using conn = await session.dial(actual, { peer, local: { address: "10.1.2.3", port: 80 } });
    const said = new Uint8Array(64);
    const length = await deadline(conn.read(said), `the app says who client ${i} is`);
    expected.push(`${peer.address} ${peer.port}`);
    assert.equal(new TextDecoder().decode(said.subarray(0, length ?? 0)), expected[i]);
  }
  assert.match(await app.line(), /^signals [1-9]\d*$/);
});
