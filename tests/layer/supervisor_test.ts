// The layer's operations on another process's descriptors, through a door that is not preload/:
// tests/apps/supervisor.c. What a program without the layer gets is what it would get with it.

import assert from "node:assert/strict";
import { layerFlags, layerSources } from "../../scripts/build_layer.ts";
import { client } from "./hook_cases.ts";
import { FakeFiles } from "../support/fake_files.ts";
import { FakeSession } from "../support/fake_session.ts";
import { App, type AppSession, compileApp } from "../support/layer_app.ts";
import { OutgoingStage } from "../support/outgoing_stage.ts";
import { freePort } from "../support/ports.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** The layer's sources that match. */
function parts(wanted: RegExp): string[] {
  return layerSources().filter((path) => wanted.test(path)).map((path) => root + path);
}

/** Everything behind the doors: every operation is in a program without layer/preload. */
const everything = /^layer\/(ops|link|sys)\//;
const files = /^layer\/(link\/|sys\/|ops\/(fds\.c|files\/|sockets\/address\.c))/;

async function supervise(session: AppSession, args: string[], name = "supervisor"): Promise<App> {
  const sources = parts(name === "supervisor" ? everything : files);
  // gcc's -Wall has more to say of ask.h than clang's, with which the layer is built.
  const flags = [...layerFlags.filter((flag) => flag !== "-fPIC"), "-Wno-missing-braces", ...sources, "-ldl"];
  const program = await compileApp(name, { flags });
  // The operations without the layer: it is not preloaded.
  const { LD_PRELOAD: _, ...env } = session.env("");
  return new App(null, [program, ...args], { env });
}

async function lines(app: App, count: number): Promise<string[]> {
  const read: string[] = [];
  while (read.length < count) read.push(await app.line());
  return read;
}

Deno.test("a supervisor binds another process's socket as the pod would", async () => {
  await using session = new FakeSession();
  const port = freePort();
  await using app = await supervise(session, ["bind", "192.0.2.9", String(port)]);
  assert.deepEqual(await lines(app, 4), [
    "bind value 0",
    "listen value 0",
    "getsockname value 0",
    `named 192.0.2.9 ${port}`,
  ]);
  const { actual } = await session.listener(port);
  assert.deepEqual(actual, { address: "127.0.0.1", port });
  using dialled = await session.dial({ address: "127.0.0.1", port }, client);
  assert.deepEqual(await lines(app, 2), [
    "accepted libc 0",
    `from ${client.peer.address} ${client.peer.port}`,
  ]);
  await dialled.write(new TextEncoder().encode("hello"));
  assert.equal(await app.line(), "program hello");
  assert.equal((await app.status).code, 0);
});

Deno.test("a supervisor connects another process's socket to the target's network", async () => {
  await using stage = await OutgoingStage.create();
  await using app = await supervise(stage, ["connect", "203.0.113.9", "80"]);
  assert.deepEqual(await lines(app, 4), [
    "connect libc 0",
    "waited value 0",
    "getpeername value 0",
    "named 203.0.113.9 80",
  ]);
  assert.deepEqual(stage.asked, ["203.0.113.9 80"]);
  const { channel } = await stage.made();
  assert.equal(new TextDecoder().decode(await channel.read() ?? undefined), "question");
  await channel.write(new TextEncoder().encode("answer"));
  assert.equal(await app.line(), "program answer");
  assert.equal((await app.status).code, 0);
});

Deno.test("a supervisor opens, reads and writes a file of the target on another process's descriptor", async () => {
  await using target = new FakeFiles();
  target.fill();
  await using session = new FakeSession({ files: target });
  await using app = await supervise(session, ["/pod/big"], "file_supervisor");
  assert.deepEqual(await lines(app, 10), [
    "open descriptor",
    "pwrite value 6",
    "read value 6",
    "text target",
    "lseek value 588891",
    "flock error 37",
    "flags O_RDWR",
    "fstat value 0",
    "size 588895",
    "program EINVAL",
  ]);
  assert.equal((await app.status).code, 0);
});
