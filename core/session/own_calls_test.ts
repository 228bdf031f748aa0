// Programs with system calls in their own code are distinguished from those that go through the C library.

import assert from "node:assert/strict";
import { ownCalls } from "./own_calls.ts";

const numbers = Deno.build.arch === "x86_64" ? { openat: 257, connect: 42 } : { openat: 56, connect: 203 };

/** A call with the number as a constant beside the instruction, as inline assembly has it. */
const ownCall = Deno.build.arch === "x86_64"
  ? `static long call(long n, long a, long b, long c) {
      long r;
      __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(0L) : "rcx", "r11", "memory");
      return r;
    }`
  : `static long call(long n, long a, long b, long c) {
      register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
      __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
      return x0;
    }`;

async function compiled(body: string, level: string): Promise<Awaited<ReturnType<typeof ownCalls>>> {
  const folder = await Deno.makeTempDir();
  try {
    const source =
      `${ownCall}\nint main(int count, char **words) { return ${body} + (int)call(1, 1, (long)words, 0); }`;
    await Deno.writeTextFile(
      `${folder}/own.c`,
      source.replaceAll("static long", "static inline __attribute__((always_inline)) long"),
    );
    const gcc = new Deno.Command("gcc", {
      args: [level, "-o", `${folder}/own`, `${folder}/own.c`],
      stderr: "piped",
    });
    const { success, stderr } = await gcc.output();
    assert.ok(success, new TextDecoder().decode(stderr));
    return await ownCalls(`${folder}/own`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const level of ["-O1", "-O2", "-Os"]) {
  Deno.test(`a program that connects by itself is reported (${level})`, async () => {
    const found = await compiled(`(int)call(${numbers.connect}, count, (long)words, 16)`, level);
    assert.deepEqual(found, { files: false, sockets: true });
  });

  Deno.test(`a program that opens files by itself is reported (${level})`, async () => {
    const found = await compiled(`(int)call(${numbers.openat}, count, (long)words, 0)`, level);
    assert.deepEqual(found, { files: true, sockets: false });
  });
}

const usual = [
  "bash",
  "cat",
  "curl",
  "gcc",
  "git",
  "ip",
  "java",
  "nginx",
  "node",
  "openssl",
  "perl",
  "php",
  "psql",
];
for (const name of [...usual, "python3", "redis-server", "ruby", "ssh", "tar"]) {
  const file = ["/usr/bin", "/usr/sbin"].map((folder) => `${folder}/${name}`).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
  const ignore = file === undefined;
  Deno.test({
    name: `${name} goes through the C library${ignore ? " (skipped: it is not installed)" : ""}`,
    ignore,
    fn: async () => assert.deepEqual(await ownCalls(file ?? ""), { files: false, sockets: false }),
  });
}

Deno.test("Deno goes through the C library", async () => {
  assert.deepEqual(await ownCalls(Deno.execPath()), { files: false, sockets: false });
});

Deno.test("what is no program, or is not there, does nothing", async () => {
  for (const path of ["/etc/passwd", "/dev/null", "/nowhere", "/usr"]) {
    assert.deepEqual(await ownCalls(path), { files: false, sockets: false });
  }
});

Deno.test("a pipe is no program, and is not waited for", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const pipe = `${folder}/pipe`;
    assert.ok((await new Deno.Command("mkfifo", { args: [pipe] }).output()).success);
    assert.deepEqual(await ownCalls(pipe), { files: false, sockets: false });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
