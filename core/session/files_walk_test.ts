// What the floor "files" keeps of a walk, and when it drops it: a layer and an agent that both speak real
// frames. The agent has one folder, whose every file is of a size that tells how many changes came before.

import assert from "node:assert/strict";
import { deadline } from "../../tests/support/deadline.ts";
import { agentPair } from "../../tests/support/fake_agent.ts";
import { filesConfig } from "../../tests/support/files_config.ts";
import {
  agentMessages,
  type Body,
  connStream,
  decode,
  fileChanges,
  fileMoves,
  folderEntryBytes,
  layerMessages,
  Link,
  packFolderEntry,
  tableHash,
} from "../../protocol-wasm/mod.ts";
import { Session } from "./session.ts";

type Table = typeof layerMessages;
type Layer = Link<Table>;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const nothing = new Uint8Array(0);
const AT_SYMLINK_NOFOLLOW = 0x100;
const O = { WRONLY: 1, CREAT: 0o100, TRUNC: 0o1000, DIRECTORY: 0o200000 };

/** struct statx. */
function status(inode: number, size: number, mode = 0o100644): Uint8Array {
  const into = new Uint8Array(256);
  const view = new DataView(into.buffer);
  view.setUint16(28, mode, true);
  view.setBigUint64(32, BigInt(inode), true);
  view.setBigUint64(40, BigInt(size), true);
  return into;
}

async function openStage(cache: "off" | "walk", version = Number.MAX_SAFE_INTEGER) {
  const stack = new AsyncDisposableStack();
  const folder = stack.adopt(Deno.makeTempDirSync(), (path) => Deno.removeSync(path, { recursive: true }));
  const pair = stack.use(await agentPair());
  pair.client.version = version;
  const session = stack.use(
    new Session({
      agent: pair.client,
      incoming: null,
      files: {
        config: filesConfig({ mode: "write", cache, local: ["\\.local$"], notFound: ["\\.absent$"] }),
        places: { temporary: "/tmp", workingDirectory: "/srv/app", home: undefined },
      },
      socketPath: `${folder}/layer.sock`,
    }),
  );
  const seen: string[] = [];
  void serve(pair.agent, seen);
  const openLayer = async (process: bigint) => {
    const conn = await Deno.connect({ transport: "unix", path: session.socketPath });
    const layer: Layer = new Link(connStream(conn), layerMessages, { side: "client" });
    stack.defer(() => layer.close());
    const tables = tableHash(layerMessages);
    await layer.request("hello", { tables, process, pid: 1, parent: 0, executable: bytes("/data/bin/app") });
    return layer;
  };
  return {
    layer: await openLayer(5n),
    other: await openLayer(6n),
    /** What the agent was asked about since the last look, but for what is asked once for each program. */
    asked: () => seen.splice(0).filter((one) => one !== "stat /" && one !== "stat /data"),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function serve(agent: Link<typeof agentMessages>, seen: string[]): Promise<void> {
  let changes = 0;
  const names = () => {
    const into = new Uint8Array(9 * folderEntryBytes);
    let length = 0;
    for (const name of ["a", "b", "c.local", "d.absent"]) {
      length = packFolderEntry({ name: bytes(name), status: status(10, changes) }, into, length);
    }
    return into.slice(0, length);
  };
  for await (const frame of agent.received()) {
    const own = status(2, 0, 0o040755);
    switch (frame.name) {
      case "open": {
        const { path, flags } = decode(agentMessages.open, frame.body);
        seen.push(`open ${text(path)}`);
        if ((flags & (O.CREAT | O.TRUNC)) !== 0) changes++;
        const isFolder = text(path) === "/data/d";
        const found = isFolder ? own : status(10, changes);
        void agent.reply(frame, "openReply", { file: 7, end: true, status: found, content: nothing });
        break;
      }
      case "scan":
        seen.push("scan");
        void agent.reply(frame, "scanReply", {
          end: true,
          certain: true,
          cursor: 0n,
          folder: own,
          entries: names(),
        });
        break;
      case "stat":
        seen.push(`stat ${text(decode(agentMessages.stat, frame.body).path)}`);
        void agent.reply(frame, "statReply", { status: status(10, changes) });
        break;
      case "write":
        changes++;
        void agent.reply(frame, "writeReply", { count: 1, offset: 1n });
        break;
      case "change":
        changes++;
        void agent.reply(frame, "changeReply", {});
        break;
      case "move":
        changes++;
        void agent.reply(frame, "moveReply", {});
        break;
      case "close":
        void agent.reply(frame, "closeReply", {});
    }
  }
}

async function ask<K extends keyof Table & string, R extends keyof Table & string>(
  layer: Layer,
  kind: K,
  body: Body<Table[K]>,
  reply: R,
): Promise<Body<Table[R]>> {
  const [frame] = await deadline(layer.request(kind, body), `${kind} is answered`);
  return decode(layerMessages[reply], frame?.body ?? nothing) as Body<Table[R]>;
}

/** The size that lstat of a file shows; null: libc is to look. */
async function lstat(layer: Layer, path: string): Promise<number | null> {
  const asked = { dir: 0, flags: AT_SYMLINK_NOFOLLOW, path: bytes(path) };
  const { status, where } = await ask(layer, "stat", asked, "statReply");
  return where === 0 ? null : status[40] ?? null;
}

async function open(layer: Layer, path: string, flags: number): Promise<number> {
  return (await ask(layer, "open", { dir: 0, flags, mode: 0o644, path: bytes(path) }, "openReply")).file;
}

const list = (layer: Layer) => open(layer, "/data/d", O.DIRECTORY);
const change = (what: number, path = "/data/way/a") => (layer: Layer, dir: number) => {
  const numbers = { flags: 0, first: 1n, second: 1n, third: 1n, fourth: 1n };
  return ask(layer, "change", { what, dir, ...numbers, path: bytes(path) }, "changeReply");
};
const move = (what: number) => (layer: Layer) => {
  const paths = { fromDir: 0, toDir: 0, flags: 0, from: bytes("/data/x"), to: bytes("/data/y") };
  return ask(layer, "move", { what, ...paths }, "moveReply");
};

const changes: Record<string, (layer: Layer, file: number) => Promise<unknown>> = {
  write: (layer, file) => ask(layer, "write", { file, offset: 0n, content: bytes("x") }, "writeReply"),
  create: (layer) => open(layer, "/data/new", O.WRONLY | O.CREAT),
  "truncate as it opens": (layer) => open(layer, "/data/old", O.WRONLY | O.TRUNC),
  ...Object.fromEntries(
    Object.entries(fileChanges).filter(([name]) => name !== "sync" && name !== "flags")
      .map(([name, what]) => [name, change(what)]),
  ),
  ...Object.fromEntries(Object.entries(fileMoves).map(([name, what]) => [name, move(what)])),
};

/** Walks until that is answered from a scan: a pause of this machine's ends a walk. */
async function walk(at: Awaited<ReturnType<typeof openStage>>, look: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    at.asked();
    await list(at.layer);
    await look();
    if (at.asked().join() === "open /data/d,scan") return;
  }
  assert.fail("it was never answered from a scan");
}

for (const [name, make] of Object.entries(changes)) {
  Deno.test(`${name}: what was kept of a walk is dropped, for every process and whatever the path`, async () => {
    await using at = await openStage("walk");
    const file = await open(at.layer, "/data/file", O.WRONLY);
    await walk(at, async () => {
      assert.deepEqual([await lstat(at.layer, "/data/d/a"), await lstat(at.other, "/data/d/b")], [0, 0]);
    });
    await make(at.layer, file);
    assert.deepEqual([await lstat(at.other, "/data/d/a"), await lstat(at.layer, "/data/d/b")], [1, 1]);
  });
}

Deno.test("rules for paths come first", async () => {
  await using at = await openStage("walk");
  await walk(at, async () => {
    assert.equal(await lstat(at.layer, "/data/d/a"), 0);
    assert.equal(await lstat(at.layer, "/data/d/c.local"), null);
    await assert.rejects(lstat(at.layer, "/data/d/d.absent"), { errno: 2 });
  });
});

Deno.test("a name that its folder has not is not asked for", async () => {
  await using at = await openStage("walk");
  // The agent here would say that there is such a file.
  await walk(at, async () => {
    await Promise.allSettled([lstat(at.layer, "/data/d/none"), open(at.layer, "/data/d/none", 0)]);
  });
});

Deno.test("nothing is kept where that is switched off, nor by an agent that cannot scan", async () => {
  for (const at of [await openStage("off"), await openStage("walk", agentMessages.scan.since - 1)]) {
    await using _at = at;
    await list(at.layer);
    for (const name of ["a", "b", "none", "a"]) assert.equal(await lstat(at.layer, `/data/d/${name}`), 0);
    assert.equal(at.asked().length, 5);
  }
});
