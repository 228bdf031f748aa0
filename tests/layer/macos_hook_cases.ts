// The cases of hook_cases.ts for the layer of macOS: those of calls that every platform has are the same but
// for numbers, which programs for macOS have from its headers. Each runs in the loader of tests/support/macho
// on this machine. What is not run here has its reason in `unrun`.

import { answers } from "./dns_hook_cases.ts";
import { fileSteps, run, type Step } from "./file_hook_cases.ts";
import type { HookCase } from "./hook_case.ts";
import { macOutgoingCases } from "./macos_outgoing_cases.ts";
import { hookCases } from "./hook_cases.ts";

/** Numbers of Linux in a case's calls, and macOS's. */
const numbers: [linux: RegExp, macos: string][] = [
  [/ -100\b/g, " -2"], // AT_FDCWD
  [/ 0x10000\b/g, " 0x100000"], // O_DIRECTORY
  [/ 64$/g, " 512"], // O_CREAT
];

/** st_dev of the fake target: its major number has the upper eight bits. */
const devices = (expected: string | RegExp): string | RegExp =>
  typeof expected === "string"
    ? expected.replace(" 74d ", " 700004d ")
    : new RegExp(expected.source.replace("74d", "700004d"));

function translated(steps: Step[]): Step[] {
  return steps.map(([call, expected]) => [
    numbers.reduce((text, [linux, macos]) => text.replace(linux, macos), call),
    devices(expected),
  ]);
}

const rdwr = 2;
const onBig = (...steps: Step[]): Step[] => [[`i open s:/pod/big ${rdwr}`, /^\d+$/], ...steps];
const unsupported = (call: string): Step[] => [[call, "ENOTSUP"]];

/** Calls that only macOS has, or has in another form. */
const own: Record<string, Step[]> = {
  fdopen: onBig(["p fdopen $0 s:r", "ok"], ["p fgets b 100 $1", "ok"], ["text", "1\n"]),
  pathconf: [["l pathconf s:/pod/small 4", "254"]],
  fpathconf: onBig(["l fpathconf $0 4", "254"]),
  statfs: [["i statfs s:/pod b", "0"]],
  fstatfs: onBig(["i fstatfs $0 b", "0"]),
  getattrlist: unsupported("i getattrlist s:/pod/small b b 9 0"),
  fgetattrlist: onBig(...unsupported("i fgetattrlist $0 b b 9 0")),
  getattrlistat: unsupported("i getattrlistat -2 s:/pod/small b b 9 0"),
  getattrlistbulk: onBig(...unsupported("i getattrlistbulk $0 b b 9 0")),
  setattrlist: unsupported("i setattrlist s:/pod/small b b 9 0"),
  fsetattrlist: onBig(...unsupported("i fsetattrlist $0 b b 9 0")),
  setattrlistat: unsupported("i setattrlistat -2 s:/pod/small b b 9 0"),
  getxattr: unsupported("l getxattr s:/pod/small s:user.a b 9 0 0"),
  fgetxattr: onBig(...unsupported("l fgetxattr $0 s:user.a b 9 0 0")),
  setxattr: unsupported("i setxattr s:/pod/small s:user.a b 1 0 0"),
  fsetxattr: onBig(...unsupported("i fsetxattr $0 s:user.a b 1 0 0")),
  listxattr: unsupported("l listxattr s:/pod/small b 9 0"),
  flistxattr: onBig(...unsupported("l flistxattr $0 b 9 0")),
  removexattr: unsupported("i removexattr s:/pod/small s:user.a 0"),
  fremovexattr: onBig(...unsupported("i fremovexattr $0 s:user.a 0")),
  chflags: unsupported("i chflags s:/pod/small 0"),
  lchflags: unsupported("i lchflags s:/pod/small 0"),
  fchflags: onBig(...unsupported("i fchflags $0 0")),
  clonefile: unsupported("i clonefile s:/pod/small s:/pod/other 0"),
  clonefileat: unsupported("i clonefileat -2 s:/pod/small -2 s:/pod/other 0"),
  fclonefileat: onBig(...unsupported("i fclonefileat $0 -2 s:/pod/other 0")),
  copyfile: unsupported("i copyfile s:/pod/small s:/pod/other 0 0"),
  fcopyfile: onBig(...unsupported("i fcopyfile $0 $0 0 0")),
  exchangedata: unsupported("i exchangedata s:/pod/small s:/pod/big 0"),
  renamex_np: [["i renamex_np s:/pod/small s:/pod/moved 0", "0"], ["i access s:/pod/small 0", "ENOENT"]],
  renameatx_np: [["i renameatx_np -2 s:/pod/small -2 s:/pod/moved 0", "0"], [
    "i access s:/pod/small 0",
    "ENOENT",
  ]],
  sendfile: onBig(...unsupported("i sendfile $0 $0 0 o 0 0")),
  fts_open: [["p fts_open a:/pod/d 2 0", "ENOTSUP"]],
  // SOL_SOCKET and SO_KEEPALIVE
  setsockopt: onBig(["i setsockopt $0 0xffff 8 b 4", "ENOTSOCK"]),
  // FIONREAD
  ioctl: onBig(["i ioctl $0 0x4004667f b", "0"]),
  // These return the errno itself, 45.
  posix_spawn_file_actions_addopen: [["i posix_spawn_file_actions_addopen q 0 s:/pod/small 0 0", "45"]],
  posix_spawn_file_actions_addchdir_np: [["i posix_spawn_file_actions_addchdir_np q s:/pod/d", "45"]],
  posix_spawn_file_actions_addfchdir_np: onBig(["i posix_spawn_file_actions_addfchdir_np q $0", "45"]),
  // One pollfd, for reading, and one bit of an fd_set: nothing comes to the socket behind the descriptor.
  poll: onBig(["put8 $0 0x100000000", "ok"], ["i poll b 1 0", "1"]),
  select: onBig(["set $0", "ok"], ["i select 100 b 0 0 o", "1"]),
  pselect: onBig(["set $0", "ok"], ["i pselect 100 b 0 0 o 0", "1"]),
  mkostemp: [["i mkostemp s:/pod/XXXXXX 8", /^\d+$/], ["l write $0 s:x 1", "1"]],
};

/** What no case runs here, and why. */
export const unrun: Record<string, string> = {
  system: "this machine's shell is no program for macOS, so it does not load the layer",
  popen: "as system",
  pclose: "as system",
  glob: "the loader has no glob(3) of macOS, which reads folders by the layer's calls",
  getsockopt: "it is hooked for connects that wait at a gate, which there are none of on macOS",
  send: "as getsockopt",
  recv: "as getsockopt",
  sendmsg: "as sendto, with another structure; both are run in macos_test.ts",
  recvmsg: "as recvfrom",
  execvP: "it searches one folder as execvp does, which is run",
};

/** By hooked name. */
export const macHookCases: Record<string, HookCase> = {
  ...Object.fromEntries(
    Object.entries(fileSteps).map((
      [name, steps],
    ) => [name, (layer: string) => run(layer, translated(steps))]),
  ),
  ...Object.fromEntries(Object.entries(hookCases).filter(([name]) => fileSteps[name] === undefined)),
  ...macOutgoingCases,
  // NI_NUMERICSERV
  getnameinfo: answers("nameinfo 203.0.113.9 80 8 100", "found nine.test 80"),
  ...Object.fromEntries(
    Object.entries(own).map(([name, steps]) => [name, (layer: string) => run(layer, steps)]),
  ),
};
