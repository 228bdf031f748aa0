// One case for each call of layer/hooks.h: what an app sees of it that it would not see without that hook.
// hooks_test.ts runs every case twice: with the layer, where it passes, and with a layer that lacks the hook,
// where it must fail.

import assert from "node:assert/strict";
import { type Client, FakeSession } from "../support/fake_session.ts";
import { dnsHookCases } from "./dns_hook_cases.ts";
import { fileHookCases } from "./file_hook_cases.ts";
import type { HookCase } from "./hook_case.ts";
import { interfaceHookCases } from "./interface_hook_cases.ts";
import { App, appFor, Calls } from "../support/layer_app.ts";
import { outgoingHookCases } from "./outgoing_hook_cases.ts";

export const client: Client = {
  peer: { address: "203.0.113.7", port: 4711 },
  local: { address: "10.1.2.3", port: 80 },
};

/** A port that somebody else has, so that the app's listener must go elsewhere. */
export function busyPort(): Deno.TcpListener {
  return Deno.listen({ hostname: "0.0.0.0", port: 0 });
}

/** An app that listens on a busy port (descriptor 3) without knowing it. */
async function withListener(
  layer: string,
  body: (app: Calls, session: FakeSession, port: number) => Promise<void>,
): Promise<void> {
  using busy = busyPort();
  await using session = new FakeSession();
  await using app = await Calls.start(session, { layer });
  assert.equal(await app.do("socket 4"), "3");
  assert.equal(await app.do(`bind 3 0.0.0.0 ${busy.addr.port}`), "0");
  assert.equal(await app.do("listen 3 16"), "0");
  await body(app, session, busy.addr.port);
}

/** Makes the session receive something on the app's link: what was sent before has arrived then. */
async function drain(app: Calls, session: FakeSession): Promise<void> {
  const before = session.count("bind");
  const fd = await app.do("socket 4");
  assert.equal(await app.do(`bind ${fd} 127.0.0.1 ${100 + before}`), "0");
  assert.equal(session.count("bind"), before + 1);
}

async function accepts(layer: string, call: string): Promise<void> {
  await withListener(layer, async (app, session, port) => {
    const { actual } = await session.listener(port);
    assert.ok(actual !== undefined && actual.port !== port);
    using _conn = await session.dial(actual, client);
    assert.match(await app.do(`${call} 3`), /^\d+ 203\.0\.113\.7 4711 16$/);
  });
}

/** `call` makes descriptor `copy` of the listener: the listener lives until both are closed. */
async function copies(layer: string, call: string, copy: number): Promise<void> {
  await withListener(layer, async (app, session, port) => {
    assert.equal(await app.do(call), String(copy));
    assert.equal(await app.do("close 3"), "0");
    await drain(app, session);
    assert.equal(session.count("closed"), 0, "closed, though a descriptor is left");
    assert.equal(await app.do(`getsockname ${copy}`), `0.0.0.0 ${port}`);
    assert.equal(await app.do(`close ${copy}`), "0");
    await drain(app, session);
    assert.equal(session.count("closed"), 1);
  });
}

/** `call` ends the listener: the session is notified, on the link that it has. */
async function ends(layer: string, call: string): Promise<void> {
  await withListener(layer, async (app, session) => {
    assert.equal(await app.do(call), "0");
    await drain(app, session);
    assert.equal(session.count("closed"), 1);
    assert.equal(session.links, 1);
  });
}

/** A program started by `call` without an environment finds the session in its own. */
async function keepsChildren(layer: string, call: string): Promise<void> {
  await using session = new FakeSession();
  await using app = new App(session, [...await appFor("execs", layer), call, "/usr/bin/env"], { layer });
  await app.lineLike(/^MIRRORD_LAYER_SOCKET=\//);
}

const execCalls = [
  "execve",
  "execv",
  "execvp",
  "execvpe",
  "execl",
  "execlp",
  "execle",
  "fexecve",
  "execveat",
  "posix_spawn",
  "posix_spawnp",
];

const F_DUPFD = 0;
const F_DUPFD_CLOEXEC = 1030;

export const hookCases: Record<string, HookCase> = {
  ...dnsHookCases,
  ...Object.fromEntries(execCalls.map((call) => [call, (layer: string) => keepsChildren(layer, call)])),
  ...outgoingHookCases,
  ...interfaceHookCases,
  ...fileHookCases,
  bind: (layer) => withListener(layer, () => Promise.resolve()),
  listen: (layer) =>
    withListener(layer, (_app, session, port) => {
      assert.deepEqual(session.heard.map((heard) => heard.name), ["hello", "bind", "bound", "listen"]);
      assert.deepEqual(session.heard[3]?.asked, { address: "0.0.0.0", port });
      return Promise.resolve();
    }),
  accept: (layer) => accepts(layer, "accept"),
  accept4: (layer) => accepts(layer, "accept4"),
  getsockname: (layer) =>
    withListener(layer, async (app, session, port) => {
      assert.equal(await app.do("getsockname 3"), `0.0.0.0 ${port}`);
      const { actual } = await session.listener(port);
      assert.ok(actual !== undefined);
      using _conn = await session.dial(actual, client);
      const [fd] = (await app.do("accept 3 null")).split(" ");
      assert.equal(await app.do(`getsockname ${fd}`), "10.1.2.3 80");
    }),
  getpeername: (layer) =>
    withListener(layer, async (app, session, port) => {
      const { actual } = await session.listener(port);
      assert.ok(actual !== undefined);
      using _conn = await session.dial(actual, client);
      const [fd] = (await app.do("accept 3 null")).split(" ");
      assert.equal(await app.do(`getpeername ${fd}`), "203.0.113.7 4711");
    }),
  close: (layer) => ends(layer, "close 3"),
  __close: (layer) => ends(layer, "__close 3"),
  close_range: (layer) => ends(layer, "close_range 3 4294967295 0"),
  closefrom: (layer) => ends(layer, "closefrom 3"),
  dup: (layer) => copies(layer, "dup 3", 4),
  dup2: (layer) => copies(layer, "dup2 3 40", 40),
  __dup2: (layer) => copies(layer, "__dup2 3 40", 40),
  dup3: (layer) => copies(layer, "dup3 3 40 0", 40),
  fcntl: (layer) => copies(layer, `fcntl 3 ${F_DUPFD} 50`, 50),
  __fcntl: (layer) => copies(layer, `__fcntl 3 ${F_DUPFD} 50`, 50),
  fcntl64: (layer) => copies(layer, `fcntl64 3 ${F_DUPFD_CLOEXEC} 50`, 50),
};
