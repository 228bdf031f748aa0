// What a path means: the agent's answers against those of an ordinary process of the target
// (reference_calls.py), call by call: links, dots, slashes, open folders, mounts, procfs. Nothing may differ,
// and nothing may leave the target's root.

import assert from "node:assert/strict";
import { fileChanges, fileMoves } from "../../protocol-wasm/mod.ts";
import { FakeClient } from "../support/fake_client.ts";
import { FileTarget, type FileTargetOptions } from "../support/file_target.ts";
import { Netns } from "../support/netns.ts";
import { bytes, FileTalk, O, refusal, statusOf, text } from "./file_talk.ts";

/** [call, folder or "", path, second path] */
type Call = [string, string, string, string];

const reference = Deno.readTextFileSync(new URL("./reference_calls.py", import.meta.url));
const O_PATH = 0o10000000;
const [noFollow, follow, removesFolder] = [0x100, 0x400, 0x200];

/** Two equal trees below /data, `a` for the agent, `b` for the reference. */
const fill =
  ["a", "b"].map((tree) =>
    `mkdir -p data/${tree}/dir/sub/deep data/${tree}/locked data/${tree}/empty data/${tree}/over
(cd data/${tree}
printf file >file; printf inner >dir/inner; printf deep >dir/sub/deep/file; mkfifo pipe; printf no >locked/no; printf s >secret
ln -s /data/${tree}/dir absdir; ln -s dir reldir; ln -s /data/${tree}/file absfile; ln -s ../file dir/up; ln -s /etc/host dir/etc
ln -s loop loop; ln -s missing dangling; ln -s /data/${tree}/made absdangling; ln -s dir/ slashdir; ln -s file/ slashfile
ln -s / root; ln -s .. parent; ln -s /proc/1/root//data/${tree}/file magic; ln -s /proc/1/root magicroot; ln -s . dot
ln -s absdir/sub chain; ln -s ../../../../../../../../etc/host dir/sub/far
chmod 700 locked; chmod 600 secret)
mount -t tmpfs over data/${tree}/over; printf x >data/${tree}/over/x; touch data/${tree}/bound
mount --bind data/${tree}/file data/${tree}/bound; ln -s ../../a data/${tree}/over/back`
  ).join("\n") + "\nprintf host >etc/host; chmod 755 etc data";

const looks = "stat lstat readlink access open nofollow directory path enter".split(" ");
const paths =
  "file dir dir/ dir/. dir/.. . .. / // ./file dir//inner dir/../file file/ file/x absdir absdir/ absdir/inner reldir/inner absfile dir/up dir/etc loop loop/ dangling dangling/ absdangling slashdir slashdir/inner slashfile root root/ root/etc/host parent parent/b/file magic magic/ magicroot magicroot/etc/host dot dot/dot/dir chain chain/deep/file dir/sub/far dir/sub/../../../b/file ../../../../../etc/host over over/x over/.. over/../file over/back/file pipe locked locked/no secret missing missing/x dir/sub/deep/../../../absdir/sub/deep/file"
    .split(" ");

const old = new URL("./without_openat2.py", import.meta.url).pathname;
/** Users of the target, and kernels: before Linux 5.6 every path is walked by the agent. */
const kinds = [{ uid: 0 }, { uid: 4321 }, { uid: 4321, kernel: "old" as const }];
const named = ({ uid, kernel }: { uid: number; kernel?: "old" }) =>
  `${uid}${kernel === "old" ? ", on an old kernel," : ""}`;

async function stage(options: FileTargetOptions & { kernel?: "old" }) {
  const stack = new AsyncDisposableStack();
  const netns = stack.use(await Netns.create());
  const target = stack.use(await FileTarget.create({ fill, ...options }));
  const start = options.kernel === "old" ? { prefix: netns.inside(["python3", old]) } : {};
  const client = stack.use(await FakeClient.start(netns, { ...start, options: { targetPid: target.pid } }));
  return { target, files: new FileTalk(client.link), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** The calls made by a process of the target, in one go. */
async function byTarget(target: FileTarget, calls: Call[], uid: number): Promise<string[]> {
  const as = uid === 0 ? "" : `setpriv --reuid=${uid} --regid=${uid} --clear-groups `;
  await Deno.writeTextFile(`/proc/${target.pid}/root//tmp/calls.py`, reference);
  await Deno.writeTextFile(`/proc/${target.pid}/root//tmp/calls.json`, JSON.stringify(calls));
  return JSON.parse(await target.run(`${as}python3 /tmp/calls.py </tmp/calls.json`));
}

/** One of them asked of the agent; its outcome as the reference writes it. */
async function byAgent(files: FileTalk, [call, folder, path, second]: Call): Promise<string> {
  let said = "";
  const work = async () => {
    const dir = folder === "" ? 0 : (await files.open(folder, { flags: O_PATH | O.DIRECTORY })).file;
    try {
      said = await asked(files, { call, dir, path, second });
    } finally {
      if (dir !== 0) await files.close(dir);
    }
  };
  const refused = await refusal(work());
  return refused === "no error" ? said : refused;
}

async function asked(
  files: FileTalk,
  { call, dir, path, second }: { call: string; dir: number; path: string; second: string },
): Promise<string> {
  const at = { dir, path: bytes(path) };
  const status = async (flags: number) => {
    const { status } = await files.ask("stat", { ...at, flags }, "statReply");
    return identity(status);
  };
  const opened = async (flags: number) => {
    const { file, status, content } = await files.open(path, { dir, flags: flags | O.NONBLOCK, mode: 0o644 });
    if (file !== 0) await files.close(file);
    const { mode, size } = statusOf(status);
    if (file === 0 && size > 0) assert.equal(content.length, size);
    return `${identity(status)}:${(mode & 0o170000) === 0o100000 ? size : ""}`;
  };
  const change = (what: number, numbers: number[] = [], flags = 0) =>
    files.change(what as typeof fileChanges.mkdir, path, numbers, { dir, flags }).then(() => "");
  const move = (what: number, from: Uint8Array, to: Uint8Array, flags = 0) => {
    const [fromDir, toDir] = what === fileMoves.symlink ? [0, dir] : [dir, 0];
    return files.ask("move", { what, fromDir, toDir, flags, from, to }, "moveReply").then(() => "");
  };
  switch (call) {
    case "stat":
      return await status(0);
    case "lstat":
      return await status(noFollow);
    case "readlink":
      return text((await files.ask("readLink", at, "readLinkReply")).target);
    case "access": {
      await files.ask("access", { ...at, mode: 0, flags: 0 }, "accessReply");
      const refused = await refusal(files.ask("access", { ...at, mode: 2, flags: 0 }, "accessReply"));
      return refused === "no error" ? "True" : "False";
    }
    case "open":
      return await opened(0);
    case "nofollow":
      return await opened(O.NOFOLLOW);
    case "directory":
      return await opened(O.DIRECTORY);
    case "path":
      return await opened(O_PATH);
    case "enter":
      return await files.enter(path, dir);
    case "create":
      return (await opened(O.CREAT | O.WRONLY)).split(":")[2] ?? "";
    case "exclusive":
      return (await opened(O.CREAT | O.EXCL | O.WRONLY)).split(":")[2] ?? "";
    case "truncate":
      return await change(fileChanges.truncate, [1]);
    case "mkdir":
      return await change(fileChanges.mkdir, [0o755]);
    case "rmdir":
      return await change(fileChanges.remove, [], removesFolder);
    case "unlink":
      return await change(fileChanges.remove);
    case "mkfifo":
      return await change(fileChanges.mknod, [0o10600, 0]);
    case "chmod":
      return await change(fileChanges.chmod, [0o711]);
    case "utimens":
      return await change(fileChanges.utimens, [1, 0, 2, 0]);
    case "chown":
      return await change(fileChanges.chown, [7, 8], second === "nofollow" ? noFollow : 0);
    case "rename":
      return await move(fileMoves.rename, bytes(path), bytes(second));
    case "link":
      return await move(fileMoves.link, bytes(path), bytes(second));
    case "linkfollow":
      return await move(fileMoves.link, bytes(path), bytes(second), follow);
    case "symlink":
      return await move(fileMoves.symlink, bytes(second), bytes(path));
  }
  throw new Error(`no call "${call}"`);
}

/** As the reference writes it: device, inode, mode. */
function identity(status: Uint8Array): string {
  const view = new DataView(status.buffer, status.byteOffset);
  const [major, minor] = [view.getUint32(136, true), view.getUint32(140, true)];
  const device = (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12); // makedev(3)
  return `${device}:${view.getBigUint64(32, true)}:${view.getUint16(28, true).toString(8)}`;
}

/** Every look at every path, from the root and from folders. */
function allLooks(tree: string): Call[] {
  return looks.flatMap((call) => [
    ...paths.map((path): Call => [call, "", path.startsWith("/") ? path : `/data/${tree}/${path}`, ""]),
    ...paths.map((path): Call => [call, `/data/${tree}`, path, ""]),
    ...[
      "inner",
      "..",
      "../file",
      "sub/../../file",
      "up",
      "etc",
      "sub/far",
      "../absdir/inner",
      "../magic",
      "sub/..",
    ]
      .map((path): Call => [call, `/data/${tree}/dir`, path, ""]),
    ...["..", "../etc/host", "../../proc/1/status", "1/root//etc/host", "1/cwd/etc/host", "1/exe"]
      .map((path): Call => [call, "/proc", path, ""]),
  ]);
}

for (const kind of kinds) {
  Deno.test(`a path of user ${named(kind)} means what it means to the target's process`, async () => {
    await using at = await stage(kind);
    const calls = allLooks("a");
    const expected = await byTarget(at.target, calls, kind.uid);
    const differ: string[] = [];
    for (const [index, call] of calls.entries()) {
      const said = await byAgent(at.files, call);
      if (said !== expected[index]) {
        differ.push(`${call.join(" ")}: the agent ${said}, the target ${expected[index]}`);
      }
    }
    assert.equal(differ.join("\n"), "");
    assert.ok(calls.length > 1000);
  });
}

/** Changes, in this order, of one tree. */
function changes(tree: string): Call[] {
  const top = `/data/${tree}`;
  const one = (call: string, path: string, second = ""): Call[] => [
    [call, "", path.startsWith("/") ? path : `${top}/${path}`, second],
  ];
  const both = (call: string, path: string, second = ""): Call[] => [
    ...one(call, path, second),
    [call, top, path, second],
  ];
  return [
    ...[
      "file",
      "dir",
      "new1",
      "dangling",
      "absdangling",
      "loop",
      "absfile",
      "file/",
      "new2/",
      "dir/../new3",
      "magic",
    ]
      .flatMap((path) => [...both("exclusive", path), ...both("create", path)]),
    ...[
      "/",
      "..",
      ".",
      "dir/..",
      "made/",
      "mkdir1",
      "mkdir2/",
      "absdir/mk",
      "absdangling/x",
      "dangling2",
      "root",
      "dir/sub/.",
    ]
      .flatMap((path) => both("mkdir", path)),
    ...["file", "absfile", "dir/up", "dir", "pipe", "secret", "loop", "missing"].flatMap((path) =>
      both("truncate", path)
    ),
    ...["file", "absfile", "absdir", "absdir/", "dir/..", "loop", "missing", "secret"].flatMap((
      path,
    ) => [
      ...both("chmod", path),
      ...both("utimens", path),
      ...both("chown", path),
      ...both("chown", path, "nofollow"),
    ]),
    ...["soft1", "soft1", "absdir/soft", "soft2/", "dir/..", "/"].flatMap((path) =>
      both("symlink", path, "any text")
    ),
    ...["fifo1", "fifo2/", "absdir/fifo", ".", "/"].flatMap((path) => both("mkfifo", path)),
    ...both("link", "file", `${top}/hard1`),
    ...both("link", "absfile", `${top}/hard2`),
    ...both("linkfollow", "absfile", `${top}/hard3`),
    ...both("linkfollow", "magic", `${top}/hard4`),
    ...both("link", "dir", `${top}/hard5`),
    ...both("link", "over/x", `${top}/hard6`),
    ...both("linkfollow", "loop", `${top}/hard7`),
    ...both("rename", "hard1", `${top}/moved`),
    ...both("rename", "absfile", `${top}/absdir/movedlink`),
    ...both("rename", "empty/", `${top}/emptier/`),
    ...both("rename", "file/", `${top}/x`),
    ...both("rename", "dir/..", `${top}/x`),
    ...both("rename", "over/x", `${top}/x`),
    ...both("rename", "over", `${top}/x`),
    ...both("rename", "bound", `${top}/x`),
    ...both("rename", "moved", `${top}/bound`),
    ...both("rename", "dir", `${top}/dir/sub/x`),
    ...both("rename", "/", `${top}/x`),
    ...[
      "dir",
      "emptier",
      "emptier/",
      "absdir/",
      "reldir",
      "dir/sub/deep/.",
      "dir/..",
      "/",
      "over",
      "file",
      "file/",
    ]
      .flatMap((path) => both("rmdir", path)),
    ...[
      "file",
      "file/",
      "reldir/",
      "reldir",
      "dir",
      "absdir/inner",
      "loop",
      "dir/..",
      "/",
      "missing",
      "bound",
    ]
      .flatMap((path) => both("unlink", path)),
  ];
}

for (const kind of kinds) {
  Deno.test(`what user ${named(kind)} changes by a path is what the target's process would change`, async () => {
    const { uid } = kind;
    const owned = uid === 0
      ? ""
      : `\nchown -R ${uid}:${uid} data/a data/b; chown 0:0 data/?/locked data/?/secret`;
    await using at = await stage({ ...kind, fill: fill + owned });
    const expected = await byTarget(at.target, changes("b"), uid);
    const differ: string[] = [];
    for (const [index, call] of changes("a").entries()) {
      const said = await byAgent(at.files, call);
      if (said !== expected[index]) {
        differ.push(`${call.join(" ")}: the agent ${said}, the target ${expected[index]}`);
      }
    }
    assert.equal(differ.join("\n"), "");
    const tree = (name: string) =>
      at.target.run(
        `cd /data/${name}; find . -printf '%P %y %m %u:%g %s %n %l\\n' | sed 's,/data/[ab]/,/data/_/,' | sort`,
      );
    assert.equal(await tree("a"), await tree("b"));
  });
}
