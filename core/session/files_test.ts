// The floor "files" of a session between a layer and an agent that both speak real frames; the agent's one
// file is numbers in memory, and every request of it is counted.

import assert from "node:assert/strict";
import { deadline } from "../../tests/support/deadline.ts";
import { agentPair } from "../../tests/support/fake_agent.ts";
import { entry, large, serveFile } from "../../tests/support/fake_file_agent.ts";
import {
  type Body,
  connStream,
  decode,
  fileChanges,
  fileMoves,
  holdsSuffix,
  layerMessages,
  Link,
  ownPosition,
  RemoteError,
  tableHash,
} from "../../protocol-wasm/mod.ts";
import type { FilesConfig } from "../config/config.ts";
import type { SessionEvent } from "./events.ts";
import { Session } from "./session.ts";

type Layer = Link<typeof layerMessages>;
type Table = typeof layerMessages;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const nothing = new Uint8Array(0);

async function openStage(rules: Partial<FilesConfig> = {}) {
  const stack = new AsyncDisposableStack();
  const folder = stack.adopt(Deno.makeTempDirSync(), (path) => Deno.removeSync(path, { recursive: true }));
  const pair = stack.use(await agentPair());
  const config: FilesConfig = {
    mode: "read",
    readWrite: ["^/data/rw"],
    readOnly: [],
    local: [],
    notFound: ["^/data/absent"],
    mapping: [["^/from/(.*)", "/data/$1"], ["^/here/", "/opt/"]],
    readAhead: 128_000,
    cache: "off",
    autoMount: true,
    ...rules,
  };
  const events: SessionEvent[] = [];
  const session = stack.use(
    new Session({
      agent: pair.client,
      incoming: null,
      files: { config, places: { temporary: "/tmp", workingDirectory: "/srv/app", home: "/users/me" } },
      socketPath: `${folder}/layer.sock`,
      emit: (event) => events.push(event),
    }),
  );
  const seen: string[] = [];
  const closed = Promise.withResolvers<number>();
  void serveFile(pair.agent, seen, closed.resolve);
  const layers: Layer[] = [];
  stack.defer(() => layers.forEach((layer) => layer.close()));
  const openLayer = async (process = 5n) => {
    const conn = await Deno.connect({ transport: "unix", path: session.socketPath });
    const layer: Layer = new Link(connStream(conn), layerMessages, { side: "client" });
    layers.push(layer);
    const hello = {
      tables: tableHash(layerMessages),
      process,
      pid: 1,
      parent: 0,
      executable: new TextEncoder().encode("/data/bin/app"),
    };
    const [reply] = await layer.request("hello", hello);
    return { layer, hello: decode(layerMessages.helloReply, reply?.body ?? nothing) };
  };
  const first = await openLayer();
  return {
    ...first,
    openLayer,
    pair,
    events,
    /**
     * What the agent was asked since the last look, but for what is asked once: its root, and the program's
     * folder.
     */
    asked: () => seen.splice(0).filter((one) => one !== "stat /" && one !== "stat /data"),
    closed: closed.promise,
    holdsPath: session.socketPath + holdsSuffix,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

type Stage = Awaited<ReturnType<typeof openStage>>;

async function ask<K extends keyof Table & string, R extends keyof Table & string>(
  layer: Layer,
  kind: K,
  body: Body<Table[K]>,
  reply: R,
): Promise<Body<Table[R]>> {
  const [frame] = await deadline(layer.request(kind, body), `${kind} is answered`);
  return decode(layerMessages[reply], frame?.body ?? nothing) as Body<Table[R]>;
}

function open(
  { layer }: { layer: Layer },
  path: string,
  flags = 0,
  dir = 0,
): Promise<Body<Table["openReply"]>> {
  return ask(layer, "open", { dir, flags, mode: 0o644, path: bytes(path) }, "openReply");
}

async function read(
  { layer }: { layer: Layer },
  file: number,
  count: number,
  offset = ownPosition,
): Promise<string> {
  return text((await ask(layer, "read", { file, offset, count }, "readReply")).content);
}

async function errnoOf(work: Promise<unknown>): Promise<number> {
  try {
    await work;
    return 0;
  } catch (error) {
    if (error instanceof RemoteError) return error.errno;
    throw error;
  }
}

const O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0o100, O_APPEND = 0o2000;

Deno.test("hello tells that files are caught, and what need not be asked about", async () => {
  await using at = await openStage();
  assert.equal(at.hello.files, true);
  assert.match(new TextDecoder().decode(at.hello.paths), /^A\/data\/absent\nA\/data\/rw\n[^]*^L\/usr\n/m);
  await using off = await openStage({ mode: "read", notFound: ["anything"] });
  assert.equal(off.hello.paths.length, 0);
});

Deno.test("a small file costs one question to the agent", async () => {
  await using at = await openStage();
  const { where, file, content, status } = await open(at, "/data/small");
  assert.deepEqual({ where, file, content: text(content), size: status[40] }, {
    where: 1,
    file: 0,
    content: "small",
    size: 5,
  });
  assert.deepEqual(at.asked(), ["open /data/small 262144 128000"]);
});

Deno.test("what is local is answered so, with the path that a rule made of it", async () => {
  await using at = await openStage();
  for (
    const [path, expected] of [["/usr/lib/x", ""], ["/data/x.py", ""], ["/here/x", "/opt/x"], [
      "/data/bin/app",
      "",
    ]] as const
  ) {
    const answer = await open(at, path);
    assert.deepEqual([answer.where, text(answer.path)], [0, expected], path);
  }
  assert.equal((await open(at, "/data/new", O_CREAT | O_WRONLY)).where, 0);
  assert.deepEqual(at.asked(), []);
  assert.equal(text((await open(at, "/from/small")).content), "small");
  assert.deepEqual(at.asked(), ["open /data/small 262144 128000"]);
});

Deno.test("what is absent by configuration, or refused by the target, keeps its errno", async () => {
  await using at = await openStage();
  assert.equal(await errnoOf(open(at, "/data/absent/x")), 2);
  assert.equal(await errnoOf(open(at, "/users/me/.kube/config")), 2);
  assert.deepEqual(at.asked(), []);
  assert.equal(await errnoOf(open(at, "/data/missing")), 2);
  assert.equal(await errnoOf(read(at, 1234, 1)), 9);
});

Deno.test("a large file is read on by one stream, whatever the pieces", async () => {
  await using at = await openStage();
  const { where, file } = await open(at, "/data/large");
  assert.equal(where, 2);
  let whole = "";
  for (let size = 1000;; size = size * 3 % 100_003) {
    const piece = await read(at, file, size);
    if (piece === "") break;
    assert.ok(
      piece.length === size || whole.length + piece.length === large.length,
      "no piece is short but the last",
    );
    whole += piece;
  }
  assert.equal(whole.length, large.length);
  assert.ok(whole === text(large));
  const [opened, streamed, ...rest] = at.asked();
  assert.deepEqual([opened, streamed], ["open /data/large 262144 128000", "stream 128000"]);
  assert.ok(rest.every((one) => /^stream 1000000$|^read 1000000 /.test(one)), rest.join());
});

Deno.test("reads here and there ask for just their bytes, and positions are the app's own", async () => {
  await using at = await openStage();
  const { file } = await open(at, "/data/large");
  at.asked();
  const seek = async (offset: number, whence: number) =>
    Number(
      (await ask(at.layer, "seek", { file, offset: BigInt.asUintN(64, BigInt(offset)), whence }, "seekReply"))
        .offset,
    );
  assert.equal(await read(at, file, 8, 800_000n), "0100000\n");
  assert.equal(await read(at, file, 8, 160_000n), "0020000\n");
  assert.deepEqual(at.asked(), ["read 800000 8", "read 160000 8"]);
  assert.equal(await read(at, file, 8), "0000000\n");
  assert.equal(await seek(8, 1), 16);
  assert.equal(await read(at, file, 8), "0000002\n");
  assert.equal(await seek(-8, 2), large.length - 8);
  assert.equal(await read(at, file, 100), "0124999\n");
  assert.equal(await seek(0, 1), large.length);
  assert.equal(await errnoOf(seek(-1, 0)), 22);
});

Deno.test("a directory's position is where the app is, not where the agent's list is", async () => {
  await using at = await openStage();
  const { file } = await open(at, "/data/dir");
  at.asked();
  const seek = async (offset: bigint, whence: number) =>
    (await ask(at.layer, "seek", { file, offset, whence }, "seekReply")).offset;
  assert.equal(await seek(0n, 1), 0n);
  assert.equal(await seek(0x7fff_ffff_ffff_ffffn, 0), 0x7fff_ffff_ffff_ffffn);
  assert.equal(await seek(0n, 1), 0x7fff_ffff_ffff_ffffn);
  assert.deepEqual(at.asked(), []);
});

Deno.test("two processes share an open file's position", async () => {
  await using at = await openStage();
  const { file } = await open(at, "/data/large");
  const other = await at.openLayer(6n);
  assert.equal(await read(at, file, 8), "0000000\n");
  assert.equal(await read(other, file, 8), "0000001\n");
  assert.equal(await read(at, file, 8), "0000002\n");
});

Deno.test("writes go where the position is, and what was read ahead is forgotten", async () => {
  await using at = await openStage();
  const { file } = await open(at, "/data/rw/x", O_RDWR);
  const reader = await open(at, "/data/rw/x");
  assert.equal(reader.where, 2);
  assert.deepEqual(at.asked(), ["open /data/rw/x 0 0", "open /data/rw/x 0 128000"]);
  const write = async (content: string, offset = ownPosition, to = file) =>
    (await ask(at.layer, "write", { file: to, offset, content: bytes(content) }, "writeReply")).count;
  assert.equal(await write("abc"), 3);
  assert.equal(await write("de"), 2);
  assert.equal(await write("xyz", 100n), 3);
  assert.equal(await read(at, file, 3), text(large.slice(5, 8)));
  assert.equal(await read(at, reader.file, 8), "0000000\n");
  assert.deepEqual(at.asked(), ["write 0 3", "write 3 2", "write 100 3", "read 5 3", "stream 0"]);
  const log = await open(at, "/data/rw/log", O_WRONLY | O_APPEND);
  assert.equal(await write("end", ownPosition, log.file), 3);
  const { offset } = await ask(at.layer, "seek", { file: log.file, offset: 0n, whence: 1 }, "seekReply");
  assert.equal(offset, 1_000_003n);
});

Deno.test("a file is closed when its last holder is gone", async () => {
  await using at = await openStage();
  const { file } = await open(at, "/data/large");
  const hold = await Deno.connect({ transport: "unix", path: at.holdsPath });
  await hold.write(new Uint8Array(new Uint32Array([file]).buffer));
  assert.equal(await read(at, file, 8), "0000000\n");
  await hold.write(bytes("past the layer"));
  hold.close();
  assert.equal(await deadline(at.closed, "the agent's file is closed"), 9);
  assert.deepEqual(at.events, [{ type: "bytesLost", path: "/data/large", bytes: 14 }]);
  assert.equal(await errnoOf(read(at, file, 8)), 9);
});

Deno.test("a watch of the target's files is refused aloud, once", async () => {
  await using at = await openStage();
  for (const path of ["/data/conf", "/data/more"]) {
    await at.layer.send("unwatched", at.layer.nextId(), { path: bytes(path) });
  }
  // Answered after the messages before it.
  await errnoOf(read(at, 4711, 8));
  assert.deepEqual(at.events, [{ type: "unwatchable", executable: "/data/bin/app", path: "/data/conf" }]);
});

Deno.test("a file that nobody holds is closed with its process, or when it is let go", async () => {
  for (const lets of [true, false]) {
    await using at = await openStage();
    const { file } = await open(at, "/data/large");
    if (lets) await at.layer.send("release", at.layer.nextId(), { file });
    else at.layer.close();
    assert.equal(await deadline(at.closed, "the agent's file is closed"), 9);
  }
});

Deno.test("a path beside a remote directory stays there", async () => {
  await using at = await openStage({ readWrite: ["^/data/dir/rw"] });
  const { file, content, end } = await open(at, "/data/dir");
  assert.deepEqual([content, end], [entry("file"), true]);
  at.asked();
  const stat = (path: string) =>
    ask(at.layer, "stat", { dir: file, flags: 0, path: bytes(path) }, "statReply");
  assert.equal((await stat("x.py")).where, 2);
  assert.equal((await stat("")).where, 2);
  assert.equal(await errnoOf(stat("../absent")), 2);
  assert.deepEqual(at.asked(), ["stat 9:x.py", "stat 9:"]);
  const change = (path: string) =>
    ask(at.layer, "change", {
      what: fileChanges.mkdir,
      dir: file,
      flags: 0,
      first: 0o755n,
      second: 0n,
      third: 0n,
      fourth: 0n,
      path: bytes(path),
    }, "changeReply");
  const here = await change("missing/new");
  assert.deepEqual([here.where, text(here.path)], [0, "/data/dir/missing/new"]);
  at.asked();
  assert.equal((await change("rw")).where, 2);
  assert.equal(await errnoOf(change("")), 30);
  assert.deepEqual(at.asked(), ["change 1 9:rw 493"]);
});

Deno.test("a directory is entered where its path belongs, and told as the target sees it", async () => {
  await using at = await openStage();
  const enter = async (path: string, dir = 0) => {
    const reply = await ask(at.layer, "enter", { dir, path: bytes(path) }, "enterReply");
    return [reply.where, text(reply.path), text(reply.physical)];
  };
  assert.deepEqual(await enter("/data/dir"), [2, "/data/dir", "/physical"]);
  assert.deepEqual(await enter("/from/dir"), [2, "/data/dir", "/physical"]);
  assert.deepEqual(await enter("/here/x"), [0, "/opt/x", ""]);
  assert.deepEqual(await enter("/usr"), [0, "", ""]);
  assert.equal(await errnoOf(enter("/data/missing")), 2);
  assert.equal(await errnoOf(enter("/data/absent")), 2);
  const { file } = await open(at, "/data/dir");
  assert.deepEqual(await enter("", file), [2, "/data/dir", "/physical"]);
  const asked = at.asked().filter((one) => one.startsWith("enter"));
  assert.deepEqual(asked, ["enter 0:/data/dir", "enter 0:/data/dir", "enter 0:/data/missing", "enter 9:"]);
});

Deno.test("a directory that only this machine has is not entered, and named once", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/missing`);
    await using at = await openStage({ readOnly: [`^${folder}`] });
    const enter = (name: string) =>
      errnoOf(ask(at.layer, "enter", { dir: 0, path: bytes(`${folder}/${name}`) }, "enterReply"));
    assert.equal(await enter("nowhere/missing"), 2);
    assert.equal(await enter("missing"), 2);
    const told = [{ type: "missingFolder", path: `${folder}/missing` }];
    assert.deepEqual(at.events, told);
    assert.equal(await enter("missing"), 2);
    assert.equal(await enter("nowhere/missing"), 2);
    assert.deepEqual(at.events, told);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a move within one side is done there, across it is another file system", async () => {
  await using at = await openStage({ mode: "write" });
  const move = (what: number, from: string, to: string) =>
    ask(
      at.layer,
      "move",
      { what, fromDir: 0, toDir: 0, flags: 0, from: bytes(from), to: bytes(to) },
      "moveReply",
    );
  assert.equal((await move(fileMoves.rename, "/data/a", "/data/b")).where, 2);
  assert.equal((await move(fileMoves.symlink, "/usr/any text", "/data/link")).where, 2);
  const here = await move(fileMoves.rename, "/here/a", "/usr/b");
  assert.deepEqual([here.where, text(here.from), text(here.to)], [0, "/opt/a", ""]);
  assert.equal((await move(fileMoves.symlink, "/data/x", "/tmp/link")).where, 0);
  assert.equal(await errnoOf(move(fileMoves.rename, "/data/a", "/tmp/b")), 18);
  assert.equal(await errnoOf(move(fileMoves.link, "/tmp/a", "/data/b")), 18);
  assert.deepEqual(at.asked(), ["move 1 /data/a /data/b", "move 3 /usr/any text /data/link"]);
});

Deno.test("without the agent there is EIO, and nothing becomes local", async () => {
  await using at: Stage = await openStage();
  const { file } = await open(at, "/data/large");
  at.pair.agent.close();
  assert.equal(await errnoOf(open(at, "/data/small")), 5);
  assert.equal(await errnoOf(read(at, file, 200_000, 500_000n)), 5);
  assert.equal((await open(at, "/usr/lib/x")).where, 0);
});
