// Programs nobody here wrote, whose parts come late or find libc by themselves: extensions of PHP, Python's
// ctypes, Ruby's Fiddle, and libraries in Go under C and Python. What they dial, read and serve is the
// target's.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { deadline } from "../support/deadline.ts";
import { FakeSession } from "../support/fake_session.ts";
import { App, compileApp } from "../support/layer_app.ts";
import { OutgoingStage } from "../support/outgoing_stage.ts";
import { goLibrary } from "../support/packages.ts";
import { same } from "../support/same_tree.ts";
import { busyPort } from "./hook_cases.ts";

const apps = decodeURIComponent(new URL("../apps/", import.meta.url).pathname);
/** An errno that this machine has no reason to give. */
const EHOSTDOWN = 112;

/** All lines of a program, and the addresses that the agent was asked for. */
async function dials(argv: string[]): Promise<{ lines: string[]; asked: string[] }> {
  await using stage = await OutgoingStage.create({ decide: () => EHOSTDOWN });
  await using app = new App(stage, argv);
  const lines: string[] = [];
  for (let line = await app.line(); line !== ""; line = await app.line().catch(() => "")) lines.push(line);
  return { lines, asked: stage.asked };
}

Deno.test("every extension of PHP dials the target", async () => {
  const { lines, asked } = await dials(["php", `${apps}late.php`]);
  assert.deepEqual(lines.filter((line) => line.includes("not installed")), []);
  assert.equal(lines.length, 12);
  for (const [index, name] of lines.entries()) {
    assert.ok(asked.some((address) => address.endsWith(`203.0.113.${index + 1} 80`)), `${name}: ${asked}`);
  }
});

Deno.test("Python's ctypes finds the layer behind libc's handle", async () => {
  const { lines, asked } = await dials(["python3", `${apps}late.py`, "203.0.113.9", "80", "/etc/hostname"]);
  assert.deepEqual([lines[0], lines[2]], [String(EHOSTDOWN), String(EHOSTDOWN)]);
  assert.equal(asked.length, 2);
  await same((tree) => ["python3", `${apps}late.py`, "127.0.0.1", "1", `${tree}/big`]);
});

Deno.test("Ruby's Fiddle finds the layer behind libc's handle", async () => {
  const { lines, asked } = await dials(["ruby", `${apps}late.rb`, "203.0.113.9", "80"]);
  assert.deepEqual(lines, [String(EHOSTDOWN)]);
  assert.deepEqual(asked, ["203.0.113.9 80"]);
});

Deno.test("Deno's FFI finds the layer behind libc's handle", async () => {
  const script = `
    const libc = Deno.dlopen("libc.so.6", { connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
      socket: { parameters: ["i32", "i32", "i32"], result: "i32" } });
    const name = new Uint8Array([2, 0, 0, 80, 203, 0, 113, 9, 0, 0, 0, 0, 0, 0, 0, 0]);
    console.log(libc.symbols.connect(libc.symbols.socket(2, 1, 0), name, 16));`;
  const { lines, asked } = await dials([Deno.execPath(), "eval", script]);
  assert.deepEqual(lines, ["-1"]);
  assert.deepEqual(asked, ["203.0.113.9 80"]);
});

const ignore = Deno.build.arch !== "x86_64";
const why = ignore ? " (skipped: Go code is hooked on x86_64 only)" : "";
const hosts: Record<string, () => Promise<string[]>> = {
  "a C program that needs it": async () => {
    const library = await goLibrary("go_library");
    const folder = library.replace(/\/[^/]*$/, "");
    return [await compileApp("go_host", { flags: [library, `-Wl,-rpath,${folder}`] })];
  },
  "Python that opens it": async () => ["python3", `${apps}go_host.py`, await goLibrary("go_library")],
};
for (const [name, host] of Object.entries(hosts)) {
  Deno.test({
    name: `a library in Go is caught in ${name}${why}`,
    ignore,
    async fn() {
      const argv = await host();
      const { lines, asked } = await dials([...argv, "dial", "203.0.113.9:80"]);
      assert.deepEqual(lines, [String(EHOSTDOWN)]);
      assert.deepEqual(asked, ["203.0.113.9 80"]);
      await same((tree) => [...argv, "read", `${tree}/big`]);

      using busy = busyPort();
      const { port } = busy.addr;
      await using session = new FakeSession();
      await using app = new App(session, [...argv, "serve", String(port)]);
      assert.equal(await app.line(), "0");
      const { actual } = await session.listener(port);
      assert.ok(actual !== undefined && actual.port !== port);
      const client = { address: "203.0.113.7", port: 20_007 };
      using conn = await session.dial(actual, { peer: client, local: { address: "10.1.2.3", port } });
      await conn.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
      const answer = await deadline(new Response(conn.readable).text(), "the library's answer");
      assert.ok(answer.endsWith("203.0.113.7:20007"), answer);
    },
  });
}

/**
 * Go's Syscall6 begins with a move of one register to another, which has two encodings; Go's assembler takes
 * the first.
 */
const [known, other] = [[0x49, 0x89, 0xf2, 0x48, 0x89, 0xfa, 0x48, 0x89], [
  0x4c,
  0x8b,
  0xd6,
  0x48,
  0x89,
  0xfa,
  0x48,
  0x89,
]];

Deno.test({
  name: `a library in Go that cannot be caught is named${why}`,
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const bytes = Buffer.from((await Deno.readFile(await goLibrary("go_library"))).buffer);
      bytes.set(other, bytes.indexOf(Buffer.from(known)));
      await Deno.writeFile(`${folder}/libstrange.so`, bytes);
      await using session = new FakeSession();
      await using app = new App(session, [
        "python3",
        `${apps}go_host.py`,
        `${folder}/libstrange.so`,
        "read",
        "/dev/null",
      ]);
      assert.equal(await app.line(), "");
      const told = session.heard.filter(({ name }) => name === "unhooked");
      assert.deepEqual(told.map(({ executable }) => executable), [`${folder}/libstrange.so`]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
