// What the layer makes of answers that no session gives: it says EIO or goes on, and no program ends by a
// signal. The session's own door lets little of it through; the layer does not rely on that.

import assert from "node:assert/strict";
import { encode, layerMessages } from "../../protocol-wasm/mod.ts";
import { randomBody } from "../fuzz/frames.ts";
import { Random } from "../fuzz/random.ts";
import { deadline } from "../support/deadline.ts";
import { App } from "../support/layer_app.ts";
import { type Answer, NonsenseSession } from "../support/nonsense_session.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const nothing = new Uint8Array();

/** struct statx of a folder. */
function folderStatus(): Uint8Array {
  const into = new Uint8Array(256);
  new DataView(into.buffer).setUint16(28, 0o040755, true);
  return into;
}

/** struct linux_dirent64 of `length` bytes, as it says; the rest of it are letters. */
function entry(name: string, length: number): Uint8Array {
  const into = new Uint8Array(length);
  into.set(text(name), 19);
  new DataView(into.buffer).setUint16(16, length, true);
  return into;
}

/** A folder whose first page is `content`. */
function folderOf(content: Uint8Array): Answer {
  return (frame) =>
    frame.name === "open"
      ? encode(layerMessages.openReply, {
        where: 2,
        file: 1,
        end: true,
        status: folderStatus(),
        path: nothing,
        content,
      })
      : null;
}

/** Runs Python in such a session; what it printed and how it ended. */
async function python(answer: Answer, code: string, args: string[] = []): Promise<string> {
  await using session = new NonsenseSession(answer);
  // In a network of its own: the answers name any addresses.
  await using app = new App(session, ["unshare", "--net", "python3", "-c", code, ...args], { cwd: "/proc" });
  const lines = await app.rest();
  const { code: exit, signal } = await deadline(app.status, "the program ends");
  assert.equal(signal, null, `it was ended by ${signal} after ${lines.join("; ")}`);
  assert.equal(exit, 0, await app.errors);
  return lines.join("\n");
}

const listing = `
import os
try: print(os.listdir("/pod/d"))
except OSError as failure: print("errno", failure.errno)
`;

for (
  const [what, content] of [
    ["a name without an end", entry("x".repeat(21), 40)],
    [
      "a name without an end, and another entry behind it",
      new Uint8Array([
        ...entry("x".repeat(21), 40),
        ...entry("next", 24),
      ]),
    ],
    ["a name that leads away", entry("../../etc", 40)],
    ["an empty name", entry("", 24)],
    ["an entry that says that it is longer", entry("x", 24).map((byte, at) => at === 17 ? 1 : byte)],
    ["half an entry", entry("x", 24).subarray(0, 20)],
  ] as const
) {
  Deno.test(`${what} in a folder's list is an input/output error`, async () => {
    assert.equal(await python(folderOf(content), listing), "errno 5");
  });
}

Deno.test("a position that is negative is an input/output error, not an errno of its own", async () => {
  const answer: Answer = (frame) => {
    if (frame.name === "seek") return encode(layerMessages.seekReply, { offset: (1n << 64n) - 2n });
    return folderOf(nothing)(frame);
  };
  const seeking = `
import os
fd = os.open("/pod/d", os.O_RDONLY)
try: print(os.lseek(fd, 0, os.SEEK_END))
except OSError as failure: print("errno", failure.errno)
`;
  assert.equal(await python(answer, seeking), "errno 5");
});

/** A netlink message; length: what it says. */
function netlink(type: number, behind: number[], length = 16 + behind.length): number[] {
  const head = new DataView(new ArrayBuffer(16));
  head.setUint32(0, length, true);
  head.setUint16(4, type, true);
  head.setUint16(6, 2, true);
  return [...new Uint8Array(head.buffer), ...behind];
}

Deno.test("messages of interfaces that are cut short are read no further", async () => {
  const link = [0, 0, 0, 0, 7, 0, 0, 0, ...Array(8).fill(0)];
  // A last attribute of five bytes: the next would begin three bytes behind the end. Then one that has no
  // structure.
  const filler = Array.from({ length: 98 }, () => netlink(16, [...link, 8, 0, 99, 0, 1, 2, 3, 4])).flat();
  const messages = Uint8Array.from([
    ...filler,
    ...netlink(16, []),
    ...netlink(16, [...link, 5, 0, 99, 0, 1]),
  ]);
  const answer: Answer = (frame) =>
    frame.name === "netlink" ? encode(layerMessages.netlinkReply, { messages }) : null;
  const asking = `
import socket
for turn in range(50): socket.if_nameindex()
print(socket.if_nameindex())
`;
  assert.equal(await python(answer, asking), "[]");
});

Deno.test("a name of an interface ends within its 16 bytes", async () => {
  const answer: Answer = (frame) =>
    frame.name === "interface"
      ? encode(layerMessages.interfaceReply, { content: new Uint8Array(40).fill(0x61) })
      : null;
  assert.equal(await python(answer, "import socket; print(socket.if_indextoname(5))"), "a".repeat(15));
});

/**
 * Nothing is this machine's, where the program would do it: a path of any bytes might be one of its files.
 */
const elsewhere = {
  where: (random: Random) => 1 + random.below(2),
  path: () => nothing,
  from: () => nothing,
  to: () => nothing,
};

/** Everything that is asked of a session, over and over. */
const everything = `
import ctypes, fcntl, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
answer = ctypes.create_string_buffer(512)
def tcp(host="10.1.2.3"):
    with socket.socket() as s: s.setblocking(False); s.connect_ex((host, 80)); s.getpeername()
def udp():
    with socket.socket(type=socket.SOCK_DGRAM) as s: s.sendto(b"x", ("10.1.2.3", 9)); s.getsockname()
def listens():
    with socket.socket() as s: s.bind(("", 8080)); s.listen(); s.getsockname()
def reads():
    with open("/pod/f", "rb", 0) as f: f.read(100); f.seek(5); f.seek(0, 2); f.read(10)
def writes():
    with open("/pod/f", "wb", 0) as f: f.write(b"x" * 100); os.ftruncate(f.fileno(), 3)
def lists():
    for e in os.scandir("/pod/d"): e.name; e.stat()
def addresses(): 
    list = ctypes.c_void_p(); libc.getifaddrs(ctypes.byref(list)) == 0 and libc.freeifaddrs(list)
def moves(): os.rename("/pod/a", "/pod/b")
calls = [tcp, udp, listens, reads, writes, lists, addresses, moves,
    lambda: os.stat("/pod/f"), lambda: os.readlink("/pod/l"), lambda: os.statvfs("/pod/f"), lambda: os.access("/pod/f", 4),
    lambda: os.listdir("/pod/d"), lambda: os.mkdir("/pod/n"), lambda: os.chdir("/pod/d"), lambda: os.getcwd(),
    lambda: os.chdir("/"), lambda: os.path.realpath("/pod/l/x"), lambda: os.open("/pod/d", os.O_RDONLY),
    lambda: socket.getaddrinfo("a.example", 80, flags=socket.AI_CANONNAME), lambda: socket.gethostbyname_ex("a.example"),
    lambda: socket.gethostbyaddr("10.1.2.3"), lambda: socket.getnameinfo(("10.1.2.3", 80), 0), socket.gethostname,
    socket.if_nameindex, lambda: socket.if_indextoname(3), lambda: socket.if_nametoindex("eth0"), lambda: os.uname(),
    lambda: libc.__res_query(b"a.example", 1, 1, answer, 512),
    lambda: fcntl.ioctl(socket.socket(), 0x8912, bytes(16))]
# A process of its own for each turn: one whose link ended has EIO for the rest of its life.
for turn in range(int(sys.argv[1])):
    child = os.fork()
    if child == 0:
        for call in calls[turn % len(calls):] + calls[:turn % len(calls)]:
            try: call()
            except (OSError, ValueError, UnicodeError, AttributeError): pass
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    print("turn", turn, "ended with", status, flush=True)
print("done")
`;

for (const seed of [1, 2]) {
  Deno.test(`no answer that is right by its form ends a program (seed ${seed})`, async () => {
    const random = new Random(seed);
    const answer: Answer = (frame) => {
      const message = layerMessages[`${frame.name}Reply` as keyof typeof layerMessages];
      // Look-ups that are pending for ever are another thing.
      const body = randomBody(random, message, { pending: () => false, ...elsewhere }, { anyOnce: Infinity });
      return random.once(50) ? body.subarray(0, random.below(body.length + 1)) : body;
    };
    let asked = 0;
    const counted: Answer = (frame) => {
      asked++;
      return answer(frame);
    };
    const lines = (await python(counted, everything, ["40"])).split("\n");
    assert.deepEqual(lines, [
      ...Array.from({ length: 40 }, (_, turn) => `turn ${turn} ended with 0`),
      "done",
    ]);
    assert.ok(asked > 400, `only ${asked} questions were asked`);
  });
}
