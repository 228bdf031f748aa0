// The cases of layer/hooks_files.h: for each name the calls an app makes and what it sees of them. "/pod" is
// the folder of a fake target, which this machine has not: without the hook a call fails, or meets a socket.

import assert from "node:assert/strict";
import { App, appFor } from "../support/layer_app.ts";
import { FakeFiles } from "../support/fake_files.ts";
import { FakeSession } from "../support/fake_session.ts";

/** A call of tests/apps/file_calls.c and what it prints. */
export type Step = [call: string, expected: string | RegExp];

const rdwr = 2;
const creat = 0o100;
const big = `i open s:/pod/big ${rdwr}`;
const folder = `i open s:/pod/d 0x10000`;
const here = -100;

const looks = "12 100640 74d 981158400 0";
const statxNumber = Deno.build.arch === "x86_64" ? 332 : 291;
const readsIt: Step[] = [["l read $0 b 100", "12"], ["text", "hello target"]];
const opened = (call: string): Step[] => [[call, /^\d+$/], ...readsIt];
/** A call on the descriptor of a file that the session keeps open. */
const onBig = (...steps: Step[]): Step[] => [[big, /^\d+$/], ...steps];
const filled = (call: string, text: string): Step[] => onBig([call, String(text.length)], ["text", text]);
const written = (call: string): Step[] =>
  onBig(["put 0xABCDEF", "ok"], [call, "8"], ["text", /./], ["l pread $0 b 8 0", "8"], ["text", "0xABCDEF"]);
const stats = (call: string): Step[] => [[call, "0"], ["stat", looks]];
const statsBig = (call: string): Step[] => onBig([call, "0"], ["stat", /^588895 100644 74d /]);
const changed = (call: string, then: Step[]): Step[] => [[call, "0"], ...then];
const times = (call: string): Step[] =>
  changed(call, [["i stat s:/pod/small b", "0"], ["stat", /640 74d 2 0$/]]);
const gone: Step[] = [["i access s:/pod/small 0", "ENOENT"]];
const refusedLock: Step[] = onBig(["i flock $0 2", "ENOLCK"]);
const noAttributes = (call: string): Step[] => [[call, "EOPNOTSUPP"]];
const fifo: Step[] = [["i stat s:/pod/fifo b", "0"], ["stat", /^0 10/]];
const unwatched: Step[] = [["i inotify_init1 0", /^\d+$/], [
  "i inotify_add_watch $0 s:/pod/small 2",
  "ENOSPC",
]];
/** A stream over a folder with one file, at that folder; logical. */
const stream = (name: string, ...steps: Step[]): Step[] => [
  [`p ${name} a:/pod/d 2 0`, "ok"],
  ["p fts_read $0", "ok"],
  ["fts $1", "1 d"],
  ...steps,
];
const entered: Step = ["i chdir s:/pod/d", "0"];
const temporary = (call: string): Step[] => [[call, /^\d+$/], ["l write $0 s:x 1", "1"]];

/** A function of one file that exists under a second name, or several. */
function each(names: string[], steps: (name: string) => Step[]): Record<string, Step[]> {
  return Object.fromEntries(names.map((name) => [name, steps(name)]));
}

/** By hooked name. */
export const fileSteps: Record<string, Step[]> = {
  ...each(["open", "open64", "__open", "__open64"], (name) => opened(`i ${name} s:/pod/small 0`)),
  ...each(["__open_2", "__open64_2"], (name) => opened(`i ${name} s:/pod/small 0`)),
  ...each(["openat", "openat64"], (name) => opened(`i ${name} ${here} s:/pod/small 0 0`)),
  ...each(["__openat_2", "__openat64_2"], (name) => opened(`i ${name} ${here} s:/pod/small 0`)),
  ...each(
    ["creat", "creat64"],
    (name) => [[`i ${name} s:/pod/new 0600`, /^\d+$/], ["l write $0 s:x 1", "1"]],
  ),
  ...each(["read", "__read"], (name) => filled(`l ${name} $0 b 4`, "1\n2\n")),
  __read_chk: filled("l __read_chk $0 b 4 100", "1\n2\n"),
  ...each(["pread", "pread64", "__pread64"], (name) => filled(`l ${name} $0 b 3 2`, "2\n3")),
  ...each(["__pread_chk", "__pread64_chk"], (name) => filled(`l ${name} $0 b 3 2 100`, "2\n3")),
  readv: onBig(["l readv $0 v 2", "103"]),
  ...each(["preadv", "preadv64"], (name) => onBig([`l ${name} $0 v 2 2`, "103"])),
  ...each(["preadv2", "preadv64v2"], (name) => onBig([`l ${name} $0 v 2 2 0`, "103"])),
  ...each(["write", "__write"], (name) => written(`l ${name} $0 b 8`)),
  ...each(["pwrite", "pwrite64", "__pwrite64"], (name) => written(`l ${name} $0 b 8 0`)),
  writev: onBig(["put ABCDEF", "ok"], ["l writev $0 v 2", "103"], ["text", /./], ["l pread $0 b 6 0", "6"], [
    "text",
    "ABCDEF",
  ]),
  ...each(["pwritev", "pwritev64"], (name) => onBig([`l ${name} $0 v 2 0`, "103"])),
  ...each(["pwritev2", "pwritev64v2"], (name) => onBig([`l ${name} $0 v 2 0 0`, "103"])),
  ...each(["lseek", "lseek64", "__lseek"], (name) => onBig([`l ${name} $0 -5 2`, "588890"])),
  ...each(["stat", "stat64", "lstat", "lstat64"], (name) => stats(`i ${name} s:/pod/small b`)),
  ...each(["fstat", "fstat64"], (name) => statsBig(`i ${name} $0 b`)),
  ...each(["fstatat", "fstatat64"], (name) => stats(`i ${name} ${here} s:/pod/small b 0`)),
  ...each(["__xstat", "__xstat64", "__lxstat", "__lxstat64"], (name) => stats(`i ${name} 1 s:/pod/small b`)),
  ...each(["__fxstat", "__fxstat64"], (name) => statsBig(`i ${name} 1 $0 b`)),
  ...each(["__fxstatat", "__fxstatat64"], (name) => stats(`i ${name} 1 ${here} s:/pod/small b 0`)),
  statx: [[`i statx ${here} s:/pod/small 0 0xfff b`, "0"], ["statx", "12 100640 981158400"]],
  syscall: [[`l syscall ${statxNumber} ${here} s:/pod/small 0 0xfff b`, "0"], [
    "statx",
    "12 100640 981158400",
  ]],
  ...each(["access", "eaccess", "euidaccess"], (name) => [[`i ${name} s:/pod/small 4`, "0"]]),
  faccessat: [[`i faccessat ${here} s:/pod/small 4 0`, "0"]],
  readlink: [["l readlink s:/pod/link b 100", "5"], ["text", "small"]],
  readlinkat: [[`l readlinkat ${here} s:/pod/link b 100`, "5"], ["text", "small"]],
  __readlink_chk: [["l __readlink_chk s:/pod/link b 100 200", "5"]],
  __readlinkat_chk: [[`l __readlinkat_chk ${here} s:/pod/link b 100 200`, "5"]],
  ...each(["statfs", "statfs64"], (name) => [[`i ${name} s:/pod b`, "0"], ["statfs", "6d697272 254"]]),
  ...each(["fstatfs", "fstatfs64"], (name) => onBig([`i ${name} $0 b`, "0"], ["statfs", "6d697272 254"])),
  ...each(["statvfs", "statvfs64"], (name) => [[`i ${name} s:/pod b`, "0"], ["statvfs", "1000 254"]]),
  ...each(["fstatvfs", "fstatvfs64"], (name) => onBig([`i ${name} $0 b`, "0"], ["statvfs", "1000 254"])),
  mkdir: changed("i mkdir s:/pod/made 0755", [["i access s:/pod/made 0", "0"]]),
  mkdirat: changed(`i mkdirat ${here} s:/pod/made 0755`, [["i access s:/pod/made 0", "0"]]),
  unlink: changed("i unlink s:/pod/small", gone),
  unlinkat: changed(`i unlinkat ${here} s:/pod/small 0`, gone),
  remove: changed("i remove s:/pod/small", gone),
  rmdir: changed("i rmdir s:/pod/empty", [["i access s:/pod/empty 0", "ENOENT"]]),
  chmod: changed("i chmod s:/pod/small 0600", [["i stat s:/pod/small b", "0"], ["stat", /^12 100600/]]),
  fchmod: onBig(["i fchmod $0 0600", "0"], ["i fstat $0 b", "0"], ["stat", /^588895 100600/]),
  fchmodat: changed(`i fchmodat ${here} s:/pod/small 0600 0`, [["i stat s:/pod/small b", "0"], [
    "stat",
    /^12 100600/,
  ]]),
  ...each(["chown", "lchown"], (name) => [[`i ${name} s:/pod/small -1 -1`, "0"]]),
  fchown: onBig(["i fchown $0 1 1", "0"], ["i fstat $0 b", "0"], ["stat", / 1$/]),
  fchownat: [[`i fchownat ${here} s:/pod/small -1 -1 0`, "0"]],
  utimensat: times(`i utimensat ${here} s:/pod/small t 0`),
  futimens: onBig(["i futimens $0 t", "0"], ["i fstat $0 b", "0"], ["stat", / 2 0$/]),
  ...each(["utimes", "lutimes"], (name) => times(`i ${name} s:/pod/small t`)),
  futimes: onBig(["i futimes $0 t", "0"], ["i fstat $0 b", "0"], ["stat", / 2 0$/]),
  futimesat: times(`i futimesat ${here} s:/pod/small t`),
  utime: changed("i utime s:/pod/small 0", []),
  ...each(
    ["truncate", "truncate64"],
    (name) => changed(`i ${name} s:/pod/small 5`, [["i stat s:/pod/small b", "0"], ["stat", /^5 /]]),
  ),
  ...each(
    ["ftruncate", "ftruncate64"],
    (name) => onBig([`i ${name} $0 5`, "0"], ["i fstat $0 b", "0"], ["stat", /^5 /]),
  ),
  ...each(["fsync", "fdatasync"], (name) => onBig([`i ${name} $0`, "0"])),
  ...each(["fallocate", "fallocate64"], (name) => onBig([`i ${name} $0 0 0 9`, "0"])),
  ...each(["posix_fallocate", "posix_fallocate64"], (name) => onBig([`i ${name} $0 0 9`, "0"])),
  rename: changed("i rename s:/pod/small s:/pod/moved", gone),
  renameat: changed(`i renameat ${here} s:/pod/small ${here} s:/pod/moved`, gone),
  renameat2: changed(`i renameat2 ${here} s:/pod/small ${here} s:/pod/moved 0`, gone),
  link: changed("i link s:/pod/small s:/pod/hard", [["i access s:/pod/hard 0", "0"]]),
  linkat: changed(`i linkat ${here} s:/pod/small ${here} s:/pod/hard 0`, [["i access s:/pod/hard 0", "0"]]),
  symlink: changed("i symlink s:to s:/pod/soft", [["l readlink s:/pod/soft b 9", "2"]]),
  symlinkat: changed(`i symlinkat s:to ${here} s:/pod/soft`, [["l readlink s:/pod/soft b 9", "2"]]),
  realpath: [["p realpath s:/pod/./link 0", "ok"], ["string $0", "/pod/small"]],
  canonicalize_file_name: [["p canonicalize_file_name s:/pod/link", "ok"], ["string $0", "/pod/small"]],
  __realpath_chk: [["p __realpath_chk s:/pod/link b 8192", "ok"], ["text", "/pod/small"]],
  chdir: [entered, ["i access s:e 0", "0"]],
  fchdir: [[folder, /^\d+$/], ["i fchdir $0", "0"], ["i access s:e 0", "0"]],
  getcwd: [entered, ["p getcwd b 100", "ok"], ["text", "/pod/d"]],
  __getcwd_chk: [entered, ["p __getcwd_chk b 100 200", "ok"], ["text", "/pod/d"]],
  getwd: [entered, ["p getwd b", "ok"], ["text", "/pod/d"]],
  __getwd_chk: [entered, ["p __getwd_chk b 8192", "ok"], ["text", "/pod/d"]],
  get_current_dir_name: [entered, ["p get_current_dir_name", "ok"], ["string $1", "/pod/d"]],
  system: [entered, ["i system s:true<e", "0"]],
  popen: [entered, ["p popen s:cat<e s:r", "ok"], ["p fgets b 100 $1", "ok"], ["text", "deep"]],
  pclose: [entered, ["p popen s:false<e s:r", "ok"], ["i pclose $1", "256"]],
  opendir: [["p opendir s:/pod/d", "ok"], ["i closedir $0", "0"]],
  fdopendir: [[folder, /^\d+$/], ["p fdopendir $0", "ok"], ["p readdir $1", "ok"], ["name $2", "."]],
  closedir: [["p opendir s:/pod/d", "ok"], ["i closedir $0", "0"]],
  dirfd: [["p opendir s:/pod/d", "ok"], ["i dirfd $0", /^\d+$/]],
  ...each(["readdir", "readdir64"], (name) => [["p opendir s:/pod/d", "ok"], [`p ${name} $0`, "ok"], [
    "name $1",
    ".",
  ]]),
  ...each(
    ["readdir_r", "readdir64_r"],
    (name) => [["p opendir s:/pod/d", "ok"], [`i ${name} $0 b q`, "0"], ["entry", "."]],
  ),
  rewinddir: [["p opendir s:/pod/d", "ok"], ["p readdir $0", "ok"], ["v rewinddir $0", "ok"], [
    "p readdir $0",
    "ok",
  ], ["name $3", "."]],
  seekdir: [["p opendir s:/pod/d", "ok"], ["v seekdir $0 2", "ok"], ["p readdir $0", "ok"], ["name $2", "e"]],
  telldir: [["p opendir s:/pod/d", "ok"], ["p readdir $0", "ok"], ["l telldir $0", "1"]],
  getdents64: [[folder, /^\d+$/], ["l getdents64 $0 b 1000", "72"], ["entry", "."]],
  ...each(["scandir", "scandir64"], (name) => [[`i ${name} s:/pod/d q 0 f:alphasort`, "3"], ["list", "."]]),
  ...each(
    ["scandirat", "scandirat64"],
    (name) => [[`i ${name} ${here} s:/pod/d q 0 f:alphasort`, "3"], ["list", "."]],
  ),
  ...each(["glob", "glob64"], (name) => [[`i ${name} s:/pod/*/e 0 0 g`, "0"], ["glob", "/pod/d/e"]]),
  // strlen as the visitor: the walk ends with the first path's length.
  ...each(["nftw", "nftw64"], (name) => [[`i ${name} s:/pod/d f:strlen 5 1`, "6"]]),
  ...each(["ftw", "ftw64"], (name) => [[`i ${name} s:/pod/d f:strlen 5`, "6"]]),
  ...each(["fts_open", "fts64_open"], (name) => stream(name)),
  ...each(
    ["fts_read", "fts64_read"],
    (name) => stream("fts_open", [`p ${name} $0`, "ok"], ["fts $2", "8 e"]),
  ),
  ...each(
    ["fts_children", "fts64_children"],
    (name) => stream("fts_open", [`p ${name} $0 0`, "ok"], ["fts $2", "8 e"]),
  ),
  ...each(["fts_close", "fts64_close"], (name) => stream("fts_open", [`i ${name} $0`, "0"])),
  inotify_add_watch: unwatched,
  // FAN_MARK_ADD; -1 is no descriptor of fanotify_init(2), which needs rights.
  fanotify_mark: [[`i fanotify_mark -1 1 2 ${here} s:/pod/small`, "ENOSPC"]],
  pathconf: [["l pathconf s:/pod/small 3", "254"]],
  fpathconf: onBig(["l fpathconf $0 3", "254"]),
  ftok: [["i stat s:/pod/small b", "0"], ["i ftok s:/pod/small 1", /^\d+$/]],
  lchmod: changed("i lchmod s:/pod/small 0600", [["i stat s:/pod/small b", "0"], ["stat", /^12 100600/]]),
  setmntent: [["p setmntent s:/pod/small s:r", "ok"], ["p fgets b 100 $0", "ok"], ["text", "hello target"]],
  // A file is no folder: the target knows.
  mktemp: [["p mktemp s:/pod/small/XXXXXX", "ok"], ["string $0", ""]],
  ...each(["fopen", "fopen64"], (name) => [[`p ${name} s:/pod/small s:r`, "ok"], ["p fgets b 100 $0", "ok"], [
    "text",
    "hello target",
  ]]),
  ...each(
    ["freopen", "freopen64"],
    (name) => [
      ["p fopen s:/dev/null s:r", "ok"],
      [`p ${name} s:/pod/small s:r $0`, "ok"],
      ["p fgets b 100 $0", "ok"],
      ["text", "hello target"],
    ],
  ),
  ...each(["mmap", "mmap64"], (name) => onBig([`p ${name} 0 4 1 2 $0 0`, "ok"])),
  ...each(["sendfile", "sendfile64"], (name) => onBig([`l ${name} $0 $0 o 10`, "10"])),
  copy_file_range: onBig(["l copy_file_range $0 0 $0 0 10 0", "EXDEV"]),
  splice: onBig(["i pipe b", "0"], ["l splice 4 0 $0 0 10 2", "EINVAL"]),
  flock: refusedLock,
  ...each(["lockf", "lockf64"], (name) => onBig([`i ${name} $0 1 0`, "ENOLCK"])),
  epoll_ctl: onBig(["i epoll_create1 0", /^\d+$/], ["i epoll_ctl $1 1 $0 b", "EPERM"]),
  // One pollfd, for writing, which the socket behind the descriptor never is ready for; one bit of an fd_set.
  ...each(
    ["poll", "__poll_chk"],
    (name) => onBig(["put8 $0 0x400000000", "ok"], [`i ${name} b 1 0 8`, "1"]),
  ),
  ppoll: onBig(["put8 $0 0x400000000", "ok"], ["i ppoll b 1 o 0", "1"]),
  select: onBig(["set $0", "ok"], ["i select 100 0 b 0 o", "1"]),
  pselect: onBig(["set $0", "ok"], ["i pselect 100 0 b 0 o 0", "1"]),
  ...each(["getxattr", "lgetxattr"], (name) => noAttributes(`l ${name} s:/pod/small s:user.a b 9`)),
  ...each(["listxattr", "llistxattr"], (name) => noAttributes(`l ${name} s:/pod/small b 9`)),
  ...each(["setxattr", "lsetxattr"], (name) => noAttributes(`i ${name} s:/pod/small s:user.a b 1 0`)),
  ...each(["removexattr", "lremovexattr"], (name) => noAttributes(`i ${name} s:/pod/small s:user.a`)),
  readahead: onBig(["l readahead $0 0 4096", "0"]),
  sync_file_range: onBig(["i sync_file_range $0 0 100 2", "0"]),
  setsockopt: onBig(["i setsockopt $0 1 9 b 4", "ENOTSOCK"]),
  shutdown: onBig(["i shutdown $0 2", "ENOTSOCK"]),
  fgetxattr: onBig(["l fgetxattr $0 s:system.sockprotoname b 99", "EOPNOTSUPP"]),
  flistxattr: onBig(["l flistxattr $0 b 99", "EOPNOTSUPP"]),
  fsetxattr: onBig(["i fsetxattr $0 s:user.a b 1 0", "EOPNOTSUPP"]),
  fremovexattr: onBig(["i fremovexattr $0 s:user.a", "EOPNOTSUPP"]),
  mknod: changed("i mknod s:/pod/fifo 010644 0", fifo),
  mknodat: changed(`i mknodat ${here} s:/pod/fifo 010644 0`, fifo),
  __xmknod: changed("i __xmknod 0 s:/pod/fifo 010644 o", fifo),
  __xmknodat: changed(`i __xmknodat 0 ${here} s:/pod/fifo 010644 o`, fifo),
  mkfifo: changed("i mkfifo s:/pod/fifo 0644", fifo),
  mkfifoat: changed(`i mkfifoat ${here} s:/pod/fifo 0644`, fifo),
  ...each(["mkstemp", "mkstemp64"], (name) => temporary(`i ${name} s:/pod/XXXXXX`)),
  ...each(["mkostemp", "mkostemp64"], (name) => temporary(`i ${name} s:/pod/XXXXXX ${creat}`)),
  ...each(["mkstemps", "mkstemps64"], (name) => temporary(`i ${name} s:/pod/XXXXXX.c 2`)),
  ...each(["mkostemps", "mkostemps64"], (name) => temporary(`i ${name} s:/pod/XXXXXX.c 2 0`)),
  mkdtemp: [["p mkdtemp s:/pod/XXXXXX", "ok"]],
};

/** Makes the calls under `layer`, one after the other. */
export async function run(layer: string, steps: Step[]): Promise<void> {
  await using files = new FakeFiles();
  files.fill();
  await using session = new FakeSession({ files });
  await using app = new App(session, await appFor("file_calls", layer), { layer });
  for (const [call, expected] of steps) {
    await app.write(call);
    const answer = await answerOf(app, expected);
    if (typeof expected === "string") assert.equal(answer, expected, call);
    else assert.match(answer, expected, call);
  }
}

/** The line or lines that a step prints. */
async function answerOf(app: App, expected: string | RegExp): Promise<string> {
  const count = typeof expected === "string" ? expected.split("\n").length : 1;
  const lines: string[] = [];
  while (lines.length < count) lines.push(await app.line());
  return lines.join("\n");
}

/** The cases by hooked name. */
export const fileHookCases = Object.fromEntries(
  Object.entries(fileSteps).map(([name, steps]) => [name, (layer: string) => run(layer, steps)]),
);
