// `scan` on the real kernel: a folder's names with the attributes that lstat of each gives, and what it must
// not say.

import assert from "node:assert/strict";
import {
  agentMessages,
  type Body,
  fileChanges,
  folderEntries,
  wholeStatus,
} from "../../protocol-wasm/mod.ts";
import { until } from "../cluster/command.ts";
import { FakeClient } from "../support/fake_client.ts";
import { FileTarget, type FileTargetOptions } from "../support/file_target.ts";
import { Netns } from "../support/netns.ts";
import { bytes, FileTalk, O, refusal, text } from "./file_talk.ts";

const AT_SYMLINK_NOFOLLOW = 0x100;
type Scanned = Body<typeof agentMessages.scanReply>;

async function stage(options: FileTargetOptions = {}) {
  const stack = new AsyncDisposableStack();
  const netns = stack.use(await Netns.create());
  const target = stack.use(await FileTarget.create(options));
  const client = stack.use(await FakeClient.start(netns, { options: { targetPid: target.pid } }));
  const files = new FileTalk(client.link);
  const scan = (path: string, more: { dir?: number; most?: number; cursor?: bigint } = {}) =>
    files.ask("scan", { dir: 0, most: 1000, cursor: 0n, path: bytes(path), ...more }, "scanReply");
  /** Once its last change is older than a tick of the kernel's clock. */
  const certain = async (path: string, more: { most?: number } = {}) => {
    let found: Scanned | undefined;
    await until("the folder is certain", async () => {
      found = await scan(path, more);
      return found.certain || "not certain";
    }, 20);
    assert.ok(found !== undefined);
    return found;
  };
  return { target, files, scan, certain, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Names, and the hexadecimal digits of their attributes; "": not told. */
function told({ entries }: Scanned): Map<string, string> {
  const each = [...folderEntries(entries)];
  return new Map(
    each.map(({ name, status }) => [text(name), status.length === 0 ? "" : wholeStatus(status).toHex()]),
  );
}

Deno.test("a scan has what lstat of each name gives, in one answer", async () => {
  const fill = "mkdir data/sub; printf hello >data/file; chmod 640 data/file; chown 7:8 data/file; " +
    "ln -s file data/link; ln data/file data/twin; touch -d 2001-02-03 data/old";
  await using at = await stage({ fill });
  const found = await at.certain("/data");
  const names = told(found);
  assert.deepEqual([...names.keys()].sort(), ["file", "link", "old", "sub", "twin"]);
  for (const [name, status] of names) {
    const asked = { dir: 0, flags: AT_SYMLINK_NOFOLLOW, path: bytes(`/data/${name}`) };
    assert.equal(status, (await at.files.ask("stat", asked, "statReply")).status.toHex(), name);
  }
  assert.equal(found.end, true);
  const folder = await at.files.ask("stat", { dir: 0, flags: 0, path: bytes("/data") }, "statReply");
  assert.equal(found.folder.toHex(), folder.status.toHex());
  const { file } = await at.files.open("/data", { flags: O.DIRECTORY });
  assert.deepEqual(told(await at.scan("", { dir: file })), names);
  assert.deepEqual([...told(await at.scan("sub", { dir: file }))], []);
});

Deno.test("a scan goes on where it was, and only a whole one is certain", async () => {
  await using at = await stage({ fill: "for i in $(seq 0 99); do : >data/n$i; done" });
  const names: string[] = [];
  for (let cursor = 0n;;) {
    const part = await at.scan("/data", { most: 40, cursor });
    names.push(...told(part).keys());
    assert.equal(part.certain, false);
    if (part.end) break;
    assert.equal(told(part).size, 40);
    cursor = part.cursor;
  }
  assert.deepEqual(names.sort(), Array.from({ length: 100 }, (_, index) => `n${index}`).sort());
  await at.certain("/data", { most: 100 });
});

Deno.test("a folder that has just changed is not certain", async () => {
  await using at = await stage();
  for (let tries = 0;; tries++) {
    await at.files.change(fileChanges.mkdir, `/data/d${tries}`, [0o755]);
    const { certain, folder } = await at.scan("/data");
    const view = new DataView(folder.buffer, folder.byteOffset);
    const age = Date.now() - Number(view.getBigInt64(96, true)) * 1000 - view.getUint32(104, true) / 1e6;
    if (age > 25) continue; // this machine was too busy to answer within a tick of the clock
    assert.equal(certain, false);
    break;
  }
});

Deno.test("procfs, sysfs, devices and mounts are not told", async () => {
  const fill = "mkdir data/mounted sys; mount -t sysfs sys sys; mount -t tmpfs other data/mounted; " +
    "mkfifo data/pipe; mknod data/zero c 1 5; : >data/plain;";
  await using at = await stage({ fill });
  for (const path of ["/proc", "/proc/self", "/sys"]) {
    const { end, certain, entries } = await at.scan(path);
    assert.deepEqual([end, certain, entries.length], [false, false, 0], path);
  }
  const names = told(await at.scan("/data"));
  const without = [...names].filter(([, status]) => status === "").map(([name]) => name);
  assert.deepEqual(without.sort(), ["mounted", "pipe", "zero"]);
  assert.equal(names.size, 4);
  assert.equal(told(await at.scan("/")).get("proc"), "");
});

Deno.test("a scan is refused, or without attributes, where the target's user may not look", async () => {
  const fill = "mkdir data/closed data/blind; : >data/closed/a; : >data/blind/a; " +
    "chmod 711 data/closed; chmod 744 data/blind; : >data/none;";
  await using at = await stage({ fill, uid: 1234 });
  assert.equal(await refusal(at.scan("/data/closed")), "EACCES");
  assert.equal(await refusal(at.scan("/data/none")), "ENOTDIR");
  assert.equal(await refusal(at.scan("/data/missing")), "ENOENT");
  const blind = await at.scan("/data/blind");
  assert.deepEqual([...told(blind)], [["a", ""]]);
  assert.equal(blind.certain, false);
});
