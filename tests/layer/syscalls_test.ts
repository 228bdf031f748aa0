// System calls by their numbers: syscall(2) is the layer's business as the calls of libc are. Each line of
// layer/preload/syscalls.h has a case: of files the case of the call of libc (file_hook_cases.ts), made by
// number.

import assert from "node:assert/strict";
import { FakeSession } from "../support/fake_session.ts";
import { OutgoingStage } from "../support/outgoing_stage.ts";
import { fileSteps, run, type Step } from "./file_hook_cases.ts";
import { builtLayer, Calls, compileApp } from "../support/layer_app.ts";
import { busyPort, client } from "./hook_cases.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** The numbers of this machine's kernel, by name. */
function numbers(): Map<string, number> {
  const { stdout } = new Deno.Command("sh", {
    args: [
      "-c",
      "echo '#include <sys/syscall.h>' | gcc -E -dM - | sed -n 's/#define __NR_\\([a-z0-9_]*\\) /\\1 /p'",
    ],
  }).outputSync();
  const lines = new TextDecoder().decode(stdout).trim().split("\n").map((line) => line.split(" "));
  return new Map(lines.map(([name = "", number]) => [name, Number(number)]));
}
const known = numbers();
known.set("fchmodat2", 452); // since Linux 6.6

/** The names in the list that this machine's kernel has. */
const listed = [...Deno.readTextFileSync(`${root}layer/preload/syscalls.h`).matchAll(/^\tX\(SYS_(\w+),/gm)]
  .map(([, name = ""]) => name).filter((name) => known.has(name));

/** Where libc's call has another name. */
const aliases: Record<string, string> = {
  newfstatat: "fstatat",
  faccessat2: "faccessat",
  fchmodat2: "fchmodat",
};
/** RESOLVE_NO_SYMLINKS in a struct open_how that is otherwise empty (openat2(2)). */
const conditions: Step = ["put8 4 0 16", "ok"];
const readsIt: Step[] = [["l read $0 b 100", "12"], ["text", "hello target"]];
const here = -100;
const number = (name: string): string => `syscall ${known.get(name)}`;
/** Where the kernel's arguments are others than libc's. */
const others: Record<string, Step[]> = {
  openat2: [[`i ${number("openat2")} ${here} s:/pod/small b 24`, /^\d+$/], ...readsIt],
  preadv2: [["i open s:/pod/big 2", /^\d+$/], [`l ${number("preadv2")} $0 v 2 2 0 0`, "103"]],
  pwritev2: [["i open s:/pod/big 2", /^\d+$/], [`l ${number("pwritev2")} $0 v 2 0 0 0`, "103"]],
  getcwd: [["i chdir s:/pod/d", "0"], [`l ${number("getcwd")} b 100`, "7"], ["text", "/pod/d"]],
  pselect6: [["i open s:/pod/big 2", /^\d+$/], ["set $0", "ok"], [
    `i ${number("pselect6")} 100 b 0 0 o 0`,
    "1",
  ]],
  execve: [],
  execveat: [],
};

/** Those that tests/apps/dials.c and calls.c make below, built with by_number.h. */
const sockets = [
  ...[
    "bind",
    "listen",
    "accept",
    "accept4",
    "getsockname",
    "getpeername",
    "close",
    "dup",
    "dup2",
    "dup3",
    "fcntl",
  ],
  ...[
    "close_range",
    "connect",
    "getsockopt",
    "sendto",
    "sendmsg",
    "sendmmsg",
    "recvfrom",
    "recvmsg",
    "ioctl",
    "recvmmsg",
  ],
  "uname",
];

function byNumber(name: string): Step[] | undefined {
  const call = aliases[name] ?? name;
  return others[name] ?? fileSteps[call]?.map(([line, expected]): Step => [
    line.replace(new RegExp(`^([ilp]) ${call} `), `$1 ${number(name)} `),
    expected,
  ]);
}

Deno.test("every system call of the list has a case", () => {
  const cases = listed.filter((name) => byNumber(name) !== undefined || sockets.includes(name));
  assert.deepEqual(cases, listed);
  assert.ok(listed.length > 80, `${listed.length} calls`);
});

for (const name of listed) {
  const steps = byNumber(name);
  if (steps !== undefined && steps.length > 0) {
    Deno.test(`syscall(SYS_${name})`, () => run(builtLayer, steps));
  }
}

Deno.test("openat2 with conditions on the way is ENOSYS for the target's files, as on old kernels", () =>
  run(builtLayer, [conditions, [`i ${number("openat2")} ${here} s:/pod/small b 24`, "ENOSYS"]]));

Deno.test("sockets by number dial, send, receive and tell names", async () => {
  await compileApp("dials", { as: "dials_by_number", flags: ["-include", `${root}tests/apps/by_number.h`] });
  await using stage = await OutgoingStage.create();
  await using app = await Calls.start(stage, {}, "dials_by_number");
  assert.equal(await app.do("socket 4"), "3");
  assert.equal(await app.do("connect 3 203.0.113.9 80"), "0");
  assert.equal(await app.do("getpeername 3"), "203.0.113.9 80");
  assert.equal(await app.do("getsockname 3"), "10.1.2.3 40000");
  const { channel } = await stage.made();
  assert.equal(await app.do("send 3 question"), "8");
  assert.equal(new TextDecoder().decode(await channel.read() ?? undefined), "question");
  for (const [send, receive] of [["sendto", "recvfrom"], ["sendmsg", "recvmsg"], ["sendmmsg", "recvmmsg"]]) {
    const fd = await app.do("socket udp4");
    assert.equal(await app.do(`${send} ${fd} 203.0.113.9 53 ${send}`), String(send?.length));
    assert.equal(await app.do(`${receive} ${fd}`), `${send?.length} ${send} 203.0.113.9 53`);
  }
  stage.decide = () => 113;
  const fd = await app.do("socket 4now");
  assert.equal(await app.do(`connect ${fd} 203.0.113.9 80`), "EINPROGRESS");
  assert.match(await app.do(`poll ${fd} 20000`), /err/);
  assert.equal(await app.do(`error ${fd}`), "EHOSTUNREACH");
});

Deno.test("sockets by number listen and accept", async () => {
  await compileApp("calls", { as: "calls_by_number", flags: ["-include", `${root}tests/apps/by_number.h`] });
  using busy = busyPort();
  const { port } = busy.addr;
  await using session = new FakeSession();
  await using app = await Calls.start(session, {}, "calls_by_number");
  assert.equal(await app.do("socket 4"), "3");
  assert.equal(await app.do(`bind 3 0.0.0.0 ${port}`), "0");
  assert.equal(await app.do("listen 3 16"), "0");
  const { actual } = await session.listener(port);
  assert.ok(actual !== undefined && actual.port !== port);
  using _conn = await session.dial(actual, client);
  assert.match(await app.do("accept4 3"), /^\d+ 203\.0\.113\.7 4711 16$/);
});
