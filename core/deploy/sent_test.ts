// A sent agent's shell line, run by the shells of this machine: it takes exactly the bytes that were meant,
// runs nothing else, and says why where it cannot. The program is a script here; what it prints shows that it
// ran in its folder.

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { makePayload, pack, type Payload, useOwnLinker } from "./payload.ts";
import { progressText } from "./send.ts";
import { countOf, sentContainer, shellLine } from "./sent.ts";

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

const packed = libraries({
  "ld-linux-x.so.2": "linker",
  "libshop.so.1": "library",
  "usr_copyright": "words",
});

/** Like makePayload's, with a script for a program. */
async function scriptPayload(script: string): Promise<Payload> {
  const { pieces, libraries: content } = await makePayload("x", elf("/lib/ld-linux-x.so.2"), packed);
  const whole = new Uint8Array([...text(script), ...content]);
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", whole)).toHex();
  return { machine: await uname(), program: text(script), pieces, libraries: content, sha256 };
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

interface Ran {
  code: number;
  out: string;
  error: string;
}

/** Runs the line with `input`; an input without an end stays open. */
async function run(
  payload: Payload,
  { input, shell = ["sh"], folder, ends = false }: {
    input: Uint8Array;
    shell?: string[];
    folder: string;
    ends?: boolean;
  },
): Promise<Ran> {
  const [command = "", ...before] = shell;
  const child = new Deno.Command(command, {
    args: [...before, "-c", shellLine(payload, { folder, seconds: 60 }), "sh", "agent", "two words"],
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
  const chunks = await pack(payload);
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const all = [text(countOf(length)), ...chunks, text(more)];
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
    const ran = await run(payload, { input: await inputOf(payload, "more"), shell, folder: folder.name });
    assert.equal(ran.code, 0, ran.error);
    assert.deepEqual(ran.out.trim().split("\n").map((line) => line.trim()), [
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
  const ran = await run(payload, { input: await inputOf(other), folder: folder.name });
  assert.deepEqual([ran.code, ran.out], [126, ""]);
  assert.match(ran.error, /did not arrive as it was sent/);
});

Deno.test("an input that ends too soon ends the container", async () => {
  const payload = await scriptPayload(program);
  const whole = await inputOf(payload);
  const cases = [[whole.subarray(0, 0), /nothing was sent/], [
    whole.subarray(0, 100),
    /did not arrive/,
  ]] as const;
  for (const [input, words] of cases) {
    using folder = ownFolder();
    const ran = await run(payload, { input, folder: folder.name, ends: true });
    assert.deepEqual([ran.code, ran.out], [126, ""]);
    assert.match(ran.error, words);
  }
});

Deno.test("another processor and a missing program are reported", async () => {
  using folder = ownFolder();
  const payload = await scriptPayload(program);
  const input = new Uint8Array();
  const other = await run({ ...payload, machine: "vax" }, { input, folder: folder.name });
  assert.equal(other.code, 126);
  assert.match(other.error, /the node's processor is .*, and this agent is for vax/);
  const bare = await run(payload, { input, folder: folder.name, shell: ["env", "PATH=/nothing", "/bin/sh"] });
  assert.equal(bare.code, 126);
  assert.match(bare.error, /the target's image has no "uname"/);
});

Deno.test("a program asks for the linker beside it, and one with no room for the name is refused", async () => {
  const bytes = elf("/lib64/ld-linux-x86-64.so.2");
  useOwnLinker(bytes);
  assert.equal(new TextDecoder().decode(bytes.subarray(200, 230)), "./ld.so".padEnd(30, "\0"));
  assert.throws(() => useOwnLinker(elf("/ld")), /no place for a linker's name/);
  const { pieces, libraries: content } = await makePayload("x", elf("/lib/ld-linux-x.so.2"), packed);
  assert.deepEqual(pieces, [{ name: "ld-linux-x.so.2", size: 6 }, { name: "libshop.so.1", size: 7 }]);
  assert.equal(new TextDecoder().decode(content), "linkerlibrary");
});

Deno.test("the container runs the target's image and reads its input once", async () => {
  const payload = await scriptPayload(program);
  const { command, ...rest } = sentContainer("mirrord-agent-x", {
    image: "shop/web:7",
    seconds: 60,
    payload,
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
