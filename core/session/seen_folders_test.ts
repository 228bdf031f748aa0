// What spares a walk its questions: folders in memory in the agent's place, and a clock that the test moves.

import assert from "node:assert/strict";
import { E } from "../../protocol-wasm/mod.ts";
import { bytes, files, type Folder, stage, status } from "../../tests/support/scanned_folders.ts";
import { lifeMs, quietMs } from "./seen_folders.ts";

const O_CREAT = 0o100;
const link = 0o120777;

const folder: Folder = {
  status: status(2, 0o040755),
  names: new Map([["a", status(11)], ["b", status(12)], ["l", status(13, link)], [
    "null",
    new Uint8Array(0),
  ]]),
};

Deno.test("a listed folder is scanned once, and answers for each of its names", async () => {
  const at = stage({ "9:": folder });
  at.list("/d", 9, folder.status);
  assert.deepEqual([await at.lstat("/d/a"), await at.lstat("/d/b"), await at.lstat("/d/l")], [11, 12, 13]);
  // By the open folder, too, as programs do that walk by descriptors.
  assert.deepEqual([await at.lstat("a", 9), await at.ask("stat", "b", { dir: 9 })], [11, 12]);
  assert.deepEqual(at.scans(), ["9:"]);
});

Deno.test("what is answered is what the agent would", async () => {
  const at = stage({ "9:": folder });
  at.list("/d", 9, folder.status);
  assert.equal(await at.lstat("/d/a"), 11);
  assert.equal(await at.ask("stat", "/d/l"), "asked"); // where a link leads is the agent's to know
  assert.equal(await at.ask("stat", "/d/b"), 12);
  assert.equal(await at.ask("stat", "/d/b", { flags: 0x2000 }), "asked"); // AT_STATX_FORCE_SYNC
  assert.equal(await at.lstat("/d/null"), "asked"); // a device has no attributes that stay
  assert.equal(await at.ask("access", "/d/a", { mode: 0 }), "yes");
  assert.equal(await at.ask("access", "/d/a", { mode: 4 }), "asked");
  assert.equal(await at.ask("access", "/d/l", { mode: 0 }), "asked");
  assert.equal(await at.ask("readLink", "/d/a"), `errno ${E.EINVAL}`);
  assert.equal(await at.ask("readLink", "/d/l"), "asked");
  assert.equal(await at.ask("statfs", "/d/a"), "asked");
  assert.equal(await at.ask("stat", "/d"), 2);
  assert.equal(await at.lstat("/d"), "asked"); // it might be a link
  for (const path of ["/d/", "/d/.", "/d/..", `/d/${"x".repeat(256)}`]) {
    assert.equal(await at.lstat(path), "asked", path);
  }
  assert.deepEqual(at.scans(), ["9:"]);
});

Deno.test("a name that a certain folder has not is ENOENT, and all below it", async () => {
  const other = { ...folder, status: status(3, 0o040755), certain: false };
  const at = stage({ "9:": folder, "0:/e": other });
  at.list("/d", 9, folder.status);
  assert.equal(await at.lstat("/d/none"), `errno ${E.ENOENT}`);
  assert.equal(await at.ask("stat", "/d/none"), `errno ${E.ENOENT}`);
  assert.equal(await at.ask("access", "/d/none", { mode: 4 }), `errno ${E.ENOENT}`);
  assert.equal(await at.ask("open", "/d/none"), `errno ${E.ENOENT}`);
  assert.equal(await at.ask("readLink", "/d/none"), `errno ${E.ENOENT}`);
  assert.equal(await at.lstat("/d/none/below"), `errno ${E.ENOENT}`);
  assert.equal(await at.ask("open", "/d/none", { flags: O_CREAT }), "asked");
  assert.equal(await at.ask("open", "/d/a"), "asked");
  assert.equal(await at.lstat("/d/null/below"), "asked");
  at.list("/e", 8, status(3, 0o040755));
  assert.equal(await at.lstat("/e/none"), "asked");
  assert.equal(await at.lstat("/e/a"), 11);
});

Deno.test("a folder that was not listed is scanned at the third name", async () => {
  const at = stage({ "0:/d": folder });
  assert.deepEqual(
    [await at.lstat("/d/a"), await at.lstat("/d/a"), await at.lstat("/d/b")],
    Array(3).fill("asked"),
  );
  assert.deepEqual(at.scans(), []);
  assert.equal(await at.lstat("/d/l"), 13);
  assert.deepEqual(at.scans(), ["0:/d"]);
  // A program that asks for one name again and again waits for a change.
  const waiting = stage({ "0:/d": folder });
  for (let times = 0; times < 20; times++) assert.equal(await waiting.lstat("/d/none"), "asked");
  assert.deepEqual(waiting.scans(), []);
});

Deno.test("answers live a second at most, and no longer than the walk", async () => {
  const at = stage({ "9:": folder });
  at.list("/d", 9, folder.status);
  assert.equal(await at.lstat("/d/a"), 11);
  for (let age = 0; age < lifeMs; age += 50) {
    assert.equal(await at.lstat("/d/a"), 11, `${age}`);
    at.pass(50);
  }
  assert.deepEqual(at.scans(), ["9:"]);
  at.pass(1);
  assert.equal(await at.lstat("/d/a"), 11);
  assert.deepEqual(at.scans(), ["9:"], "it is read again, since it was used");
  at.pass(quietMs);
  assert.equal(await at.lstat("/d/a"), 11);
  assert.deepEqual(at.scans(), []);
  at.pass(quietMs + 1);
  assert.equal(await at.lstat("/d/a"), 11);
  assert.deepEqual(at.scans(), ["9:"]);
});

Deno.test("a change drops everything, and nothing is kept before it has ended", async () => {
  const at = stage({ "9:": folder, "0:/d": folder });
  for (let times = 0; times < 2; times++) {
    at.list("/d", 9, folder.status);
    assert.equal(await at.lstat("/d/a"), 11);
    assert.deepEqual(at.scans(), ["9:"]);
    const changing = at.seen.changing();
    assert.equal(await at.lstat("/d/a"), "asked");
    assert.equal(await at.lstat("/d/none"), "asked");
    assert.equal(await at.ask("stat", "/d"), "asked");
    assert.deepEqual(at.scans(), []);
    changing[Symbol.dispose]();
  }
  const changed = { ...folder, names: new Map([["a", status(77)]]) };
  const after = stage({ "9:": changed });
  after.list("/d", 9, folder.status);
  assert.equal(await after.lstat("/d/a"), 77);
  changed.names.set("a", status(78)).set("new", status(79));
  after.seen.changing()[Symbol.dispose]();
  assert.deepEqual([await after.lstat("/d/a"), await after.lstat("/d/new")], [78, 79]);
});

Deno.test("a scan that a change overtook is not kept", async () => {
  const at = stage({ "9:": folder });
  at.list("/d", 9, folder.status);
  const held = Promise.withResolvers<void>();
  at.hold(held.promise);
  const asked = at.lstat("/d/a");
  at.seen.changing()[Symbol.dispose]();
  at.hold(null);
  held.resolve();
  assert.equal(await asked, "asked");
  assert.equal(at.scans().length, 1);
  assert.equal(await at.lstat("/d/a"), "asked");
});

Deno.test("several questions at once wait for one scan", async () => {
  const at = stage({ "9:": folder });
  at.list("/d", 9, folder.status);
  const answers = await Promise.all([at.lstat("/d/a"), at.lstat("/d/b"), at.lstat("/d/none")]);
  assert.deepEqual(answers, [11, 12, `errno ${E.ENOENT}`]);
  assert.deepEqual(at.scans(), ["9:"]);
});

Deno.test("a large folder is read on as the walk goes on, in longer and longer parts", async () => {
  const at = stage({ "9:": { ...folder, names: files(20_000) } });
  at.list("/d", 9, folder.status);
  let asked = 0;
  for (let index = 0; index < 20_000; index++) {
    const inode = await at.lstat(`/d/f${index}`);
    if (inode === "asked") asked++;
    else assert.equal(inode, 1000 + index);
    if (index % 100 === 0) at.pass(20); // four seconds for all of it
  }
  assert.ok(asked < 10, `${asked} were asked for`);
  const scans = at.scans();
  assert.deepEqual(scans.slice(0, 4), ["9:", "9: from 128", "9: from 384", "9: from 896"]);
  assert.ok(scans.length < 40, `${scans.length} scans`);
  assert.equal(await at.lstat("/d/none"), "asked", "a folder read in parts is not certain");
});

Deno.test("a folder that is read on has the attributes of its last scan", async () => {
  const large = { ...folder, names: files(1000) };
  const at = stage({ "9:": large });
  const mode = async () => {
    const { status } = await at.seen.answer("stat", { dir: 0, path: bytes("/d") }) ?? {};
    return status === undefined ? "asked" : new DataView(status.buffer).getUint16(28, true);
  };
  at.list("/d", 9, folder.status);
  for (let index = 0; index <= lifeMs / 20; index++) {
    assert.equal(await at.lstat(`/d/f${index}`), 1000 + index);
    at.pass(20);
  }
  assert.equal(await mode(), "asked");
  large.status = status(2, 0o040700);
  assert.equal(await at.lstat("/d/f128"), 1128);
  assert.equal(await mode(), 0o040700);
  assert.deepEqual(at.scans(), ["9:", "9: from 128"]);
});

Deno.test("a folder of which little is used is not read again and again", async () => {
  const at = stage({ "0:/d": { ...folder, names: files(1000) } });
  for (let round = 0; round < 300; round++) {
    await at.lstat(`/d/f${(round * 7) % 1000}`);
    at.seen.changing()[Symbol.dispose]();
  }
  assert.ok(at.scans().length <= 100, "each scan needs several names");
});

Deno.test("procfs is asked one question more, and then no other on its device", async () => {
  const proc = { status: status(1, 0o040555, 9), names: new Map(), refused: true };
  const at = stage({ "4:": proc, "5:": { ...proc, status: status(2, 0o040555, 9) } });
  at.list("/mnt/proc", 4, proc.status);
  for (const name of ["a", "b", "c", "d"]) assert.equal(await at.lstat(`/mnt/proc/${name}`), "asked");
  assert.equal(await at.ask("stat", "/mnt/proc/x"), "asked");
  at.list("/mnt/proc/1", 5, status(2, 0o040555, 9));
  for (const name of ["a", "b", "c", "d"]) assert.equal(await at.lstat(`/mnt/proc/1/${name}`), "asked");
  assert.deepEqual(at.scans(), ["4:"]);
});

Deno.test("in a walk the next folder is scanned as it is opened", async () => {
  const sub = { status: status(20, 0o040755), names: files(3) };
  const names = new Map([...folder.names, ["sub", sub.status]]);
  const at = stage({ "9:": { ...folder, names }, "9:sub": sub, "0:/other": folder });
  at.list("/d", 9, folder.status);
  assert.equal(await at.lstat("sub", 9), 20);
  assert.deepEqual(at.scans(), ["9:"]);
  at.list("sub", 10, sub.status, 9);
  assert.deepEqual(at.scans(), ["9:sub"]);
  assert.equal(await at.ask("stat", "", { dir: 10 }), 20);
  assert.equal(await at.lstat("f1", 10), 1001);
  assert.deepEqual(at.scans(), []);
  assert.equal(await at.lstat("sub", 9), 20);
  // Another folder than the one that was opened: what is open is asked for.
  at.list("/other", 11, status(99, 0o040755));
  assert.equal(await at.lstat("a", 11), "asked");
});

Deno.test("what a new list has is looked at", async () => {
  const changed = { ...folder, names: new Map(folder.names) };
  const at = stage({ "9:": changed, "10:": changed, "0:/d": changed });
  at.list("/d", 9, folder.status);
  assert.equal(await at.lstat("/d/new"), `errno ${E.ENOENT}`);
  changed.names.set("new", status(90)).set("newer", status(91));
  at.pass(1);
  assert.equal(await at.lstat("/d/new"), `errno ${E.ENOENT}`);
  at.list("/d", 10, folder.status);
  assert.deepEqual([await at.lstat("/d/new"), await at.lstat("new", 9)], [90, 90]);
  changed.names.set("newest", status(92));
  at.pass(1);
  assert.notEqual(at.seen.firstPage(10), null);
  assert.equal(await at.lstat("/d/newest"), `errno ${E.ENOENT}`);
  assert.equal(at.seen.firstPage(10), null, "the agent is asked for the list");
  assert.equal(await at.lstat("/d/newest"), 92);
});

Deno.test("the beginning of a list is handed out once, to who opened the folder", async () => {
  const at = stage({ "9:": folder, "0:/d": folder });
  const page = { end: true, entries: bytes("page") };
  at.list("/d", 9, folder.status);
  assert.deepEqual([at.seen.firstPage(8), at.seen.firstPage(9), at.seen.firstPage(9)], [null, page, null]);
  at.list("/d", 10, folder.status);
  assert.equal(at.seen.firstPage(9), null);
  at.seen.changing()[Symbol.dispose]();
  assert.equal(at.seen.firstPage(10), null);
  at.list("/d", 11, folder.status);
  at.pass(lifeMs + 1);
  assert.equal(at.seen.firstPage(11), null);
  const since = at.seen.opens({ dir: 0, path: bytes("/d") }, 0);
  at.seen.opened({ dir: 0, path: bytes("/d") }, {
    file: 12,
    status: folder.status,
    page: { end: true, entries: new Uint8Array(1 << 15) },
  }, since);
  assert.equal(at.seen.firstPage(12), null, "a long one is not kept");
  assert.notEqual(await at.seen.answer("stat", { dir: 12, path: bytes("") }), null);
});

Deno.test("what is opened is looked at again: reading sets a time", async () => {
  const names = new Map([...folder.names, ["sub", status(20, 0o040755)]]);
  const at = stage({ "9:": { ...folder, names }, "0:/d/sub": folder, "0:/d/l": folder });
  at.list("/d", 9, folder.status);
  assert.deepEqual([await at.lstat("/d/a"), await at.lstat("/d/l"), await at.lstat("/d/sub")], [11, 13, 20]);
  at.seen.opens({ dir: 0, path: bytes("/d/a") }, 0);
  at.list("/d/l", 10, status(20, 0o040755)); // a link to the folder
  at.list("/d/sub", 11, status(20, 0o040700));
  assert.deepEqual([await at.lstat("/d/a"), await at.lstat("/d/l"), await at.lstat("/d/sub")], [
    "asked",
    "asked",
    20,
  ]);
  assert.equal(await at.lstat("/d/b"), 12);
});

Deno.test("a folder that was put in the place of an open one does not answer for it", async () => {
  const at = stage({ "9:": folder, "10:": { status: status(30, 0o040755), names: files(2) } });
  at.list("/d", 9, folder.status);
  assert.equal(await at.lstat("a", 9), 11);
  at.list("/d", 10, status(30, 0o040755));
  assert.equal(await at.lstat("f1", 10), 1001);
  assert.equal(await at.lstat("a", 9), 11);
  assert.equal(await at.lstat("/d/a"), `errno ${E.ENOENT}`);
  at.seen.closed(9);
  assert.equal(await at.lstat("a", 9), "asked");
});

Deno.test("only so many folders and bytes are kept", async () => {
  const folders: Record<string, Folder> = {};
  for (let index = 1; index <= 300; index++) {
    const one = { status: status(index, 0o040755), names: new Map([["a", status(5000 + index)]]) };
    folders[`${index}:`] = folders[`0:/d${index}`] = one;
  }
  const at = stage(folders);
  for (let index = 1; index <= 300; index++) {
    at.list(`/d${index}`, index, status(index, 0o040755));
    assert.equal(await at.lstat(`/d${index}/a`), 5000 + index);
  }
  at.scans();
  assert.equal(await at.lstat("/d300/a"), 5300);
  assert.deepEqual(at.scans(), []);
  assert.equal(await at.lstat("/d1/a"), "asked", "the oldest are forgotten");
  const large: Record<string, Folder> = {};
  for (let index = 1; index <= 8; index++) {
    const names = new Map([...files(4000)].map(([name, found]) => [name.padEnd(200, "x"), found]));
    large[`${index}:`] = large[`0:/d${index}`] = { status: status(index, 0o040755), names };
  }
  const heavy = stage(large);
  for (let index = 1; index <= 8; index++) {
    heavy.list(`/d${index}`, index, status(index, 0o040755));
    for (let name = 0; name < 4000; name += 3) await heavy.lstat(`/d${index}/${`f${name}`.padEnd(200, "x")}`);
  }
  heavy.scans();
  await heavy.lstat(`/d8/${"f3999".padEnd(200, "x")}`);
  assert.deepEqual(heavy.scans(), []);
  await heavy.lstat(`/d1/${"f3".padEnd(200, "x")}`);
  assert.deepEqual(heavy.scans(), ["1:"]);
});

Deno.test("switched off, everything is asked", async () => {
  const at = stage({ "9:": folder, "0:/d": folder }, { isOn: false });
  at.list("/d", 9, folder.status);
  for (const name of ["a", "b", "l", "none"]) assert.equal(await at.lstat(`/d/${name}`), "asked");
  assert.equal(await at.ask("stat", "/d"), "asked");
  assert.deepEqual(at.scans(), []);
});
