// The agent's floor "files" on the real kernel: a target with a root of its own, asked over a real link.

import assert from "node:assert/strict";
import { fileChanges, fileMoves } from "../../protocol-wasm/mod.ts";
import { deadline } from "../support/deadline.ts";
import { FakeClient } from "../support/fake_client.ts";
import { FileTarget, type FileTargetOptions } from "../support/file_target.ts";
import { Netns } from "../support/netns.ts";
import { bytes, entriesOf, FileTalk, O, refusal, statusOf, text } from "./file_talk.ts";

/** A client of an agent whose target has the files of `options`. */
async function stage(options: FileTargetOptions = {}) {
  const stack = new AsyncDisposableStack();
  const netns = stack.use(await Netns.create());
  const target = stack.use(await FileTarget.create(options));
  const client = stack.use(await FakeClient.start(netns, { options: { targetPid: target.pid } }));
  const files = new FileTalk(client.link);
  return { target, files, client, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

Deno.test("a small file comes whole, with its status, in one answer", async () => {
  await using at = await stage({
    fill: "printf hello >data/small; chmod 640 data/small; chown 7:8 data/small",
  });
  const { file, content, status } = await at.files.open("/data/small");
  assert.equal(file, 0);
  assert.equal(text(content), "hello");
  const { mode, uid, gid, size } = statusOf(status);
  assert.deepEqual({ mode, uid, gid, size }, { mode: 0o100640, uid: 7, gid: 8, size: 5 });
  assert.deepEqual(statusOf(status), await at.files.stat("/data/small"));
});

Deno.test("a longer file stays open and is read where it is asked", async () => {
  await using at = await stage({ fill: "seq 1 100000 >data/long" });
  const opened = await at.files.open("/data/long", { ahead: 10 });
  assert.notEqual(opened.file, 0);
  assert.equal(text(opened.content), "1\n2\n3\n4\n5\n");
  assert.equal(text(await at.files.read(opened.file, 4, 4n)), "3\n4\n");
  const { size } = statusOf(opened.status);
  assert.equal(text(await at.files.read(opened.file, 100, BigInt(size - 7))), "100000\n");
  assert.equal((await at.files.read(opened.file, 100, BigInt(size))).length, 0);
  await at.files.close(opened.file);
  assert.equal(await refusal(at.files.read(opened.file, 1, 0n)), "EBADF");
});

Deno.test("no more is read than an answer holds, however much is asked for", async () => {
  const limit = (1 << 20) - 512;
  const fill = `truncate -s ${limit} data/fits; truncate -s ${
    limit + 1
  } data/longer; truncate -s 1T data/huge`;
  await using at = await stage({ fill });
  const most = { whole: 2 ** 32 - 1, ahead: 2 ** 32 - 1 };
  const fits = await at.files.open("/data/fits", most);
  assert.deepEqual([fits.file, fits.content.length], [0, limit]);
  for (const path of ["/data/longer", "/data/huge"]) {
    const { file, content } = await at.files.open(path, most);
    assert.notEqual(file, 0, path);
    assert.equal(content.length, limit, path);
    assert.equal((await at.files.read(file, 2 ** 32 - 1, 0n)).length, limit, path);
    await at.files.close(file);
  }
});

Deno.test("links and dots resolve in the target's root and never leave it", async () => {
  const fill = "printf inside >etc/hostname; mkdir data/deep; ln -s /etc/hostname data/absolute; " +
    "ln -s ../../../../../../etc/hostname data/deep/dots; ln -s /proc/1/root data/top; ln -s loop data/loop";
  await using at = await stage({ fill });
  for (
    const path of [
      "/data/absolute",
      "/data/deep/dots",
      "/../../etc/hostname",
      "/data/top/etc/hostname",
      "/proc/self/" + "root/etc/hostname",
      "/data/deep/../absolute",
    ]
  ) assert.equal(await at.files.content(path), "inside", path);
  assert.equal(await refusal(at.files.open("/data/loop")), "ELOOP");
  assert.equal(await refusal(at.files.open("/data/absolute", { flags: O.NOFOLLOW })), "ELOOP");
  const target = await at.files.ask("readLink", { dir: 0, path: bytes("/data/absolute") }, "readLinkReply");
  assert.equal(text(target.target), "/etc/hostname");
});

Deno.test("files of procfs come whole although they have no size, and are the target's", async () => {
  await using at = await stage();
  assert.match(await at.files.content("/proc/self/status"), /^Name:\tsleep\n[^]*\nNSpid:\t1\n/);
  assert.match(await at.files.content("/proc/self/cmdline"), /^\/usr\/bin\/sleep\0infinity\0$/);
});

Deno.test("a link to the agent's own files of procfs leads to the target's", async () => {
  await using netns = await Netns.create();
  const root = await Deno.makeTempDir();
  try {
    // A target that numbers processes as the agent does, as in a pod.
    const [program = "", ...args] = netns.inside(["sleep", "infinity"]);
    const target = new Deno.Command(program, { args, stdin: "null" }).spawn();
    try {
      await using client = await FakeClient.start(netns, { options: { targetPid: target.pid } });
      const files = new FileTalk(client.link);
      const { pid } = client.agent;
      const thread = [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name).find((id) =>
        id !== `${pid}`
      );
      for (
        const [name, leads] of Object.entries({
          own: "self",
          thread: "thread-self",
          agent: pid,
          other: thread,
        })
      ) {
        await Deno.symlink(`/proc/${leads}`, `${root}/${name}`);
        assert.match(
          await files.content(`${root}/${name}/status`),
          new RegExp(`^Pid:\\t${target.pid}$`, "m"),
          name,
        );
        assert.match(await files.content(`${root}/${name}/comm`), /^sleep$/m);
        const seen = name === "thread" ? `${target.pid}/task/${target.pid}` : `${target.pid}`;
        assert.equal((await files.stat(`${root}/${name}`)).inode, (await files.stat(`/proc/${seen}`)).inode);
      }
      for (const place of ["root/etc/hostname", "cwd", "fd/0"]) {
        assert.equal(await refusal(files.open(`${root}/agent/${place}`)), "EACCES", place);
      }
    } finally {
      target.kill("SIGKILL");
      await target.status;
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("what the target's user may not do is refused, and new files are its own", async () => {
  const fill =
    "printf no >data/secret; chmod 600 data/secret; printf yes >data/group; chmod 640 data/group; " +
    "chown 0:55 data/group; mkdir data/own; chown 1234:1234 data/own";
  await using at = await stage({ fill, uid: 1234, groups: [1234, 55] });
  assert.equal(await refusal(at.files.open("/data/secret")), "EACCES");
  assert.equal(await at.files.content("/data/group"), "yes");
  assert.equal(await refusal(at.files.open("/data/new", { flags: O.CREAT | O.WRONLY })), "EACCES");
  const { file } = await at.files.open("/data/own/new", { flags: O.CREAT | O.WRONLY, mode: 0o666 });
  await at.files.write(file, "mine");
  await at.files.close(file);
  assert.equal(await at.target.run("stat -c %u:%g:%a:%s /data/own/new"), "1234:1234:666:4\n");
  assert.equal(
    await refusal(
      at.files.ask("access", { dir: 0, mode: 2, flags: 0, path: bytes("/data/group") }, "accessReply"),
    ),
    "EACCES",
  );
  assert.equal(await refusal(at.files.change(fileChanges.chown, "/data/own/new", [0, 0])), "EPERM");
  assert.equal(await refusal(at.files.open("/proc/1/environ", { flags: O.WRONLY })), "EACCES");
});

Deno.test("the usual errors are the kernel's", async () => {
  await using at = await stage({ fill: "mkdir data/full; printf x >data/file; mkfifo data/pipe" });
  assert.equal(await refusal(at.files.open("/data/missing")), "ENOENT");
  assert.equal(await refusal(at.files.open("/data/file/below")), "ENOTDIR");
  assert.equal(await refusal(at.files.open("/data/file/")), "ENOTDIR");
  assert.equal(await refusal(at.files.open("/data/full", { flags: O.WRONLY })), "EISDIR");
  assert.equal(await refusal(at.files.open("/data/file", { flags: O.CREAT | O.EXCL | O.WRONLY })), "EEXIST");
  assert.equal(await refusal(at.files.open(`/${"x".repeat(300)}`)), "ENAMETOOLONG");
  assert.equal(await refusal(at.files.open(`/${"x/".repeat(2100)}`)), "ENAMETOOLONG");
  assert.equal(await refusal(at.files.read(1, 1, 0n)), "EBADF");
  assert.equal(await refusal(at.files.open("data", { dir: 77 })), "EBADF");
  const { file } = await at.files.open("/data/full", { flags: O.DIRECTORY });
  assert.equal(await refusal(at.files.read(file, 1, 0n)), "EISDIR");
  assert.equal(text((await at.files.open("../file", { dir: file })).content), "x");
});

Deno.test("a directory is entered as the target's process may, and has the name that it would see", async () => {
  const fill =
    "mkdir -p data/a/b data/locked; ln -s a/b data/link; ln -s ../../.. data/a/out; echo x >data/file; " +
    "chmod 700 data/locked; mkdir data/a/gone";
  await using at = await stage({ fill, uid: 4321 });
  const { files, target } = at;
  assert.equal(await files.enter("/data/link"), "/data/a/b");
  assert.equal(await files.enter("/data/a/out"), "/");
  assert.equal(await files.enter("/data/a/b/"), "/data/a/b");
  assert.equal(await refusal(files.enter("/data/none")), "ENOENT");
  assert.equal(await refusal(files.enter("/data/file")), "ENOTDIR");
  assert.equal(await refusal(files.enter("/data/locked")), "EACCES");
  const { file } = await files.open("/data/link", { flags: O.DIRECTORY });
  const gone = await files.open("/data/a/gone", { flags: O.DIRECTORY });
  await target.run("mv /data/a /data/moved; rmdir /data/moved/gone");
  assert.equal(await files.enter("", file), "/data/moved/b");
  assert.equal(await refusal(files.enter("", gone.file)), "ENOENT");
});

Deno.test("a tree is changed as by the target itself", async () => {
  await using at = await stage({ fill: "printf 0123456789 >data/ten" });
  const { files, target } = at;
  await files.change(fileChanges.mkdir, "/data/tree", [0o750]);
  const { file } = await files.open("/data/tree/one", { flags: O.CREAT | O.RDWR, whole: 0 });
  assert.deepEqual(await files.write(file, "abcdef", 0n), { count: 6, offset: 6n });
  await files.write(file, "XY", 2n);
  assert.equal(text(await files.read(file, 10, 0n)), "abXYef");
  await files.change(fileChanges.truncate, "", [3], { dir: file });
  await files.change(fileChanges.sync, "", [0], { dir: file });
  await files.change(fileChanges.chmod, "", [0o600], { dir: file });
  await files.change(fileChanges.utimens, "/data/tree/one", [1000, 5, 2000, 0]);
  await files.change(fileChanges.chown, "/data/tree/one", [3, 4]);
  assert.equal(await target.run("stat -c %a:%u:%g:%s:%X:%Y /data/tree/one"), "600:3:4:3:1000:2000\n");
  await files.change(fileChanges.allocate, "", [0, 0, 100], { dir: file });
  assert.equal((await files.stat("", 0, file)).size, 100);
  await files.close(file);
  await files.move(fileMoves.rename, "/data/tree/one", "/data/tree/two");
  await files.move(fileMoves.link, "/data/tree/two", "/data/tree/hard");
  await files.move(fileMoves.symlink, "any text", "/data/tree/soft");
  await files.change(fileChanges.mknod, "/data/tree/pipe", [0o10644, 0]);
  assert.equal(await refusal(files.move(fileMoves.rename, "/data/tree/two", "/data/ten", 1)), "EEXIST");
  assert.equal(
    await refusal(files.change(fileChanges.remove, "/data/tree", [], { flags: 0x200 })),
    "ENOTEMPTY",
  );
  assert.equal(
    await target.run("cd /data/tree; find . -printf '%P:%y:%n:%l ' | xargs -n1 | sort"),
    ":d:2:\nhard:f:2:\npipe:p:1:\nsoft:l:1:any\ntext\ntwo:f:2:\n",
  );
  for (const name of ["two", "hard", "soft", "pipe"]) {
    await files.change(fileChanges.remove, `/data/tree/${name}`);
  }
  await files.change(fileChanges.remove, "/data/tree", [], { flags: 0x200 });
  await files.change(fileChanges.truncate, "/data/ten", [4]);
  assert.equal(await files.content("/data/ten"), "0123");
  const appending = await files.open("/data/ten", { flags: O.WRONLY | O.APPEND });
  assert.deepEqual(await files.write(appending.file, "end"), { count: 3, offset: 7n });
  assert.equal(await files.content("/data/ten"), "0123end");
});

Deno.test("a full disk is reported, and what fitted is there", async () => {
  await using at = await stage({ size: "256k" });
  const { file } = await at.files.open("/data/big", { flags: O.CREAT | O.WRONLY });
  const { count } = await at.files.write(file, "x".repeat(900_000), 0n);
  assert.ok(count > 100_000 && count <= 1 << 18, `${count}`);
  assert.equal(await refusal(at.files.write(file, "more", BigInt(count))), "ENOSPC");
  assert.equal((await at.files.stat("/data/big")).size, count);
});

Deno.test("ten thousand entries are listed in pages, each once", async () => {
  await using at = await stage({
    fill: "mkdir data/many; cd data/many; seq 1 10000 | xargs touch; cd ../..",
  });
  const { names, pages } = await at.files.names("/data/many");
  assert.equal(names.length, 10_002);
  assert.equal(new Set(names).size, 10_002);
  assert.ok(pages <= 3, `${pages}`);
  const small = await at.files.open("/data", { flags: O.DIRECTORY });
  assert.equal(small.end, true);
  assert.deepEqual(entriesOf(small.content).map(({ name, type }) => [name, type]).sort(), [
    [".", 4],
    ["..", 4],
    ["many", 4],
  ]);
});

Deno.test("a pipe waits for its other end and holds up nothing", async () => {
  await using at = await stage({ fill: "mkfifo data/in data/out; printf other >data/other" });
  const reading = at.files.open("/data/in").then(({ file }) => at.files.read(file, 100));
  const writing = at.files.open("/data/out", { flags: O.WRONLY }).then(({ file }) =>
    at.files.write(file, "there")
  );
  assert.equal(await at.files.content("/data/other"), "other");
  await at.target.run("printf here >/data/in");
  assert.equal(text(await deadline(reading, "a pipe is read")), "here");
  assert.equal(await at.target.run("head -c 5 /data/out"), "there");
  await deadline(writing, "a pipe is written");
  assert.equal(await refusal(at.files.open("/data/out", { flags: O.WRONLY | O.NONBLOCK })), "ENXIO");
});

Deno.test("a file is streamed whole while others are asked for", async () => {
  await using at = await stage({
    fill: "head -c 50000000 /dev/urandom >data/large; printf small >data/small",
  });
  const { file } = await at.files.open("/data/large");
  const { link } = at.client;
  const id = link.nextId();
  const channel = link.openChannel(id);
  await link.request("stream", { file, offset: 1000n }, { id });
  const parts: Uint8Array[] = [];
  for (let part = await channel.read(); part !== null; part = await channel.read()) {
    parts.push(part);
    if (parts.length === 10) assert.equal(await at.files.content("/data/small"), "small");
  }
  await channel.closeWrite();
  const whole = new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", whole)).toHex();
  assert.equal(await at.target.run("tail -c +1001 /data/large | sha256sum"), `${hash}  -\n`);
});

Deno.test("file system figures are those of the target's mount", async () => {
  await using at = await stage({ size: "1m" });
  const { status } = await at.files.ask("statfs", { dir: 0, path: bytes("/data") }, "statfsReply");
  const view = new DataView(status.buffer, status.byteOffset);
  assert.equal(view.getBigUint64(0, true), 0x01021994n); // TMPFS_MAGIC
  assert.equal(view.getBigUint64(8, true) * view.getBigUint64(16, true), 1n << 20n);
});

Deno.test("files can be read with the documented capabilities alone", async () => {
  await using netns = await Netns.create();
  await using target = await FileTarget.create({
    fill: "printf yes >data/open; chmod 600 data/open; chown 9 data/open",
    uid: 9,
  });
  const kept = "+sys_ptrace,+setuid,+setgid";
  const prefix = [
    ...netns.inside(["setpriv"]),
    `--bounding-set=-all,${kept},+bpf,+net_admin`,
    `--inh-caps=-all`,
  ];
  await using client = await FakeClient.start(netns, { prefix, options: { targetPid: target.pid } });
  assert.equal(await new FileTalk(client.link).content("/data/open"), "yes");
});

Deno.test("a missing capability is named", async () => {
  await using netns = await Netns.create();
  await using target = await FileTarget.create({ uid: 9 });
  for (
    const [lacks, step] of [["setuid", "setfsuid"], ["setgid", "set(groups|fsgid)"], ["sys_ptrace", "open"]]
  ) {
    const prefix = [...netns.inside(["setpriv"]), `--bounding-set=-${lacks}`, "--inh-caps=-all"];
    await using client = await FakeClient.start(netns, { prefix, options: { targetPid: target.pid } });
    await assert.rejects(
      new FileTalk(client.link).open("/data"),
      new RegExp(`${step}: E(PERM|ACCES); the agent needs the capabilities SYS_PTRACE, SETUID and SETGID`),
    );
  }
});

Deno.test("a target that is gone is named", async () => {
  await using netns = await Netns.create();
  await using client = await FakeClient.start(netns, { options: { targetPid: 2 ** 22 - 1 } });
  await assert.rejects(new FileTalk(client.link).open("/data"), /there is no such process/);
});
