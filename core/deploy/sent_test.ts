// A sent agent's shell line, run by the shells of this machine: it takes exactly the bytes that were meant,
// runs nothing else, and says why where it cannot. The program is a script here; what it prints shows that it
// ran in its folder.

import assert from "node:assert/strict";
import { gunzipSync, gzipSync } from "node:zlib";
import { librariesIn, librariesMark, makePayload, pack, type Payload, useOwnLinker } from "./payload.ts";
import { progressText } from "./send.ts";
import { countOf, greeting, sentContainer, shellLine } from "./sent.ts";

const text = (value: string) => new TextEncoder().encode(value);

/** An ELF file with a header, one PT_INTERP and its name, as far as it is read. */
function elf(name: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46]);
  view.setUint16(56, 1, true);
  view.setUint32(64, 3, true);
  view.setBigUint64(72, 200n, true);
  view.setBigUint64(96, BigInt(name.length + 1), true);
  bytes.set(text(name), 200);
  return bytes;
}

function libraries(files: Record<string, string>): Uint8Array {
  const list = Object.entries(files).map(([name, content]) => ({ name, size: content.length }));
  return gzipSync(text(`${JSON.stringify(list)}\n${Object.values(files).join("")}`));
}

const packedLibraries = libraries({
  "ld-linux-x.so.2": "linker",
  "libshop.so.1": "library",
  "usr_copyright": "words",
});

const contents = text("linkerlibrary");

/** Like makePayload's, with a script for a program. */
async function scriptPayload(script: string): Promise<Payload> {
  const made = await makePayload("x", elf("/lib/ld-linux-x.so.2"), packedLibraries);
  const whole = new Uint8Array([...text(script), ...contents]);
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", whole)).toHex();
  return { ...made, machine: await uname(), programSize: script.length, sha256, packed: () => pack(whole) };
}

async function uname(): Promise<string> {
  return new TextDecoder().decode((await new Deno.Command("uname", { args: ["-m"] }).output()).stdout).trim();
}

const program = `#!/bin/sh
echo "ran $*, log $MIRRORD_AGENT_LOG, secret <$SECRET>"
cat ld.so ld-linux-x.so.2 libshop.so.1
wc -c <mirrord
ls
pwd
`;

/** The line asked for the agent and ran nothing. */
const asksOnly = /^info: mirrord sends the agent for \w+\n$/;

interface Ran {
  code: number;
  out: string;
  error: string;
}

/** Runs the line with `input`; an input without an end stays open. */
async function run(
  payloads: Payload[],
  { input, shell = ["sh"], folder, ends = false }: {
    input: Uint8Array;
    shell?: string[];
    folder: string;
    ends?: boolean;
  },
): Promise<Ran> {
  const [command = "", ...before] = shell;
  const child = new Deno.Command(command, {
    args: [...before, "-c", shellLine(payloads, { folder, seconds: 60 }), "sh", "agent", "two words"],
    env: { MIRRORD_AGENT_LOG: "info", SECRET: "of the image" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // One that refuses at once reads none of it.
  await writer.write(input).catch(() => {});
  if (ends) await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  if (!ends) await writer.close().catch(() => {});
  return { code, out: new TextDecoder().decode(stdout), error: new TextDecoder().decode(stderr) };
}

async function inputOf(payload: Payload, more = ""): Promise<Uint8Array> {
  const chunks = await payload.packed();
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const all = [text(greeting), text(countOf(length)), ...chunks, text(more)];
  return new Uint8Array(await new Blob(all as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

const shells = [["/bin/dash"], ["/bin/bash"], ["/bin/busybox", "sh"]].filter(([file = ""]) => isThere(file));

/** A folder name of a test's own, whose places are removed with it. */
function ownFolder(): { name: string } & Disposable {
  const name = `.mirrord-test-${crypto.randomUUID().slice(0, 8)}`;
  return {
    name,
    [Symbol.dispose]() {
      for (const place of ["/tmp", "/var/tmp", "/run", ""]) {
        try {
          Deno.removeSync(`${place}/${name}`, { recursive: true });
        } catch (error) {
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        }
      }
    },
  };
}

for (const shell of shells) {
  Deno.test(`what is sent is unpacked and run by ${shell.join(" ")} while its input stays open`, async () => {
    using folder = ownFolder();
    const payload = await scriptPayload(program);
    const ran = await run([payload], { input: await inputOf(payload, "more"), shell, folder: folder.name });
    assert.equal(ran.code, 0, ran.error);
    assert.deepEqual(ran.out.trim().split("\n").map((line) => line.trim()), [
      `info: mirrord sends the agent for ${payload.machine}`,
      "ran agent two words, log info, secret <>",
      `linkerlinkerlibrary${program.length}`,
      "ld-linux-x.so.2",
      "ld.so",
      "libshop.so.1",
      "mirrord",
      `/tmp/${folder.name}`,
    ]);
  });
}

Deno.test("nothing runs that is not what was meant", async () => {
  using folder = ownFolder();
  const payload = await scriptPayload(program);
  const other = await scriptPayload("#!/bin/sh\necho evil\n");
  const ran = await run([payload], { input: await inputOf(other), folder: folder.name });
  assert.equal(ran.code, 126);
  assert.match(ran.out, asksOnly);
  assert.match(ran.error, /did not arrive as it was sent/);
});

Deno.test("an input that ends too soon ends the container", async () => {
  const payload = await scriptPayload(program);
  const whole = await inputOf(payload);
  const cases = [
    [whole.subarray(0, 0), /^$/, /nothing was sent/],
    [whole.subarray(0, 1), asksOnly, /nothing was sent/],
    [whole.subarray(0, 100), asksOnly, /did not arrive/],
  ] as const;
  for (const [input, said, words] of cases) {
    using folder = ownFolder();
    const ran = await run([payload], { input, folder: folder.name, ends: true });
    assert.equal(ran.code, 126);
    assert.match(ran.out, said);
    assert.match(ran.error, words);
  }
});

Deno.test("a folder with too little space is reported", async () => {
  using folder = ownFolder();
  const payload = await scriptPayload(`#!/bin/sh\nexit 0\n${"#".repeat(1 << 16)}\n`);
  // No file may grow beyond 4 blocks.
  const shell = ["sh", "-c", 'ulimit -f 4; trap "" XFSZ; exec sh "$@"', "sh"];
  const ran = await run([payload], { input: await inputOf(payload), folder: folder.name, shell });
  assert.equal(ran.code, 126);
  assert.match(ran.error, /has too little space/);
});

Deno.test("a folder that has too little space is reported before anything is sent", async () => {
  using folder = ownFolder();
  const payload = await scriptPayload(program);
  // df(1) of its own, which knows one folder with room.
  const [full, roomy] = ["Filesystem 1024-blocks\nx 9 8 0 99% /", "Filesystem 1024-blocks\nx 999 8 991 1% /"];
  const shell = (df: string) => [
    "bash",
    ...["-c", `df() { ${df}; }; export -f df; exec bash "$@"`, "bash"],
  ];
  const input = await inputOf(payload);
  const none = await run([payload], { input, folder: folder.name, shell: shell(`echo "${full}"`) });
  assert.deepEqual([none.code, none.out], [126, ""]);
  assert.match(none.error, /needs 1 KiB of space, which none of these folders has: \/tmp\/ \/var\/tmp\/ /);
  const some = await run([payload], {
    input,
    folder: folder.name,
    shell: shell(`case $2 in /var/tmp/*) echo "${roomy}" ;; *) echo "${full}" ;; esac`),
  });
  assert.equal(some.code, 0, some.error);
  assert.match(some.out, new RegExp(`^/var/tmp/${folder.name}$`, "m"));
});

Deno.test("of several agents the one for this machine runs", async () => {
  using folder = ownFolder();
  const payload = await scriptPayload(program);
  const payloads = [{ ...payload, machine: "vax", sha256: "00".repeat(32) }, payload];
  const ran = await run(payloads, { input: await inputOf(payload), folder: folder.name });
  assert.equal(ran.code, 0, ran.error);
  assert.match(ran.out, /^ran agent two words/m);
});

Deno.test("another processor and a missing program are reported", async () => {
  using folder = ownFolder();
  const payload = await scriptPayload(program);
  const input = new Uint8Array();
  const vax = { ...payload, machine: "vax" };
  const other = await run([vax, { ...vax, machine: "pdp" }], { input, folder: folder.name });
  assert.deepEqual([other.code, other.out], [126, ""]);
  assert.match(
    other.error,
    /the node's processor is .*, and this mirrord has an agent for vax or pdp to send/,
  );
  const bare = await run([payload], {
    input,
    folder: folder.name,
    shell: ["env", "PATH=/nothing", "/bin/sh"],
  });
  assert.equal(bare.code, 126);
  assert.match(bare.error, /the target's image has no "uname"/);
});

Deno.test("a program asks for the linker beside it, and one with no room for the name is refused", async () => {
  const bytes = elf("/lib64/ld-linux-x86-64.so.2");
  useOwnLinker(bytes);
  assert.equal(new TextDecoder().decode(bytes.subarray(200, 230)), "./ld.so".padEnd(30, "\0"));
  assert.throws(() => useOwnLinker(elf("/ld")), /no place for a linker's name/);
  const { pieces, librariesSize, packed } = await makePayload(
    "x",
    elf("/lib/ld-linux-x.so.2"),
    packedLibraries,
  );
  assert.deepEqual(pieces, [{ name: "ld-linux-x.so.2", size: 6 }, { name: "libshop.so.1", size: 7 }]);
  assert.equal(librariesSize, contents.length);
  const whole = gunzipSync(
    new Uint8Array(await new Blob(await packed() as Uint8Array<ArrayBuffer>[]).arrayBuffer()),
  );
  assert.deepEqual(new Uint8Array(whole.subarray(-contents.length)), contents);
});

Deno.test("the libraries are found behind a program's sections, and nowhere else", () => {
  const program = elf("/lib/ld-linux-x.so.2");
  new DataView(program.buffer).setBigUint64(40, 200n, true); // the sections end at 200
  const file = Uint8Array.of(...librariesMark, 3, 0, 0, 0, 7, 8, 9);
  assert.deepEqual(librariesIn(Uint8Array.of(...program, 1, 2, ...file, 5)), Uint8Array.of(7, 8, 9));
  assert.equal(librariesIn(Uint8Array.of(...program, 1, 2)), null);
  program.set(librariesMark, 100);
  assert.equal(librariesIn(program), null);
});

Deno.test("the container runs the target's image and reads its input once", async () => {
  const payload = await scriptPayload(program);
  const { command, ...rest } = sentContainer("mirrord-agent-x", {
    image: "shop/web:7",
    seconds: 60,
    payloads: [payload],
  });
  assert.deepEqual(rest, {
    image: "shop/web:7",
    imagePullPolicy: "IfNotPresent",
    stdin: true,
    stdinOnce: true,
  });
  assert.deepEqual([command?.[0], command?.[1], command?.[3]], ["sh", "-c", "sh"]);
});

Deno.test("progress is shown in megabytes with the rate", () => {
  assert.equal(progressText(12e6, { total: 39e6, seconds: 2 }), "sending the agent: 12 of 39 MB, 6.0 MB/s");
  assert.equal(progressText(0, { total: 39e6, seconds: 0 }), "sending the agent: 0 of 39 MB");
});
