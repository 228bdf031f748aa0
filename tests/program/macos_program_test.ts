// The programs for macOS, as far as they can be looked at on Linux, where nothing runs them: load commands
// that llvm reads too, every page of the signature, the layer inside, no calls of Linux's C library on the
// way to a command. Running one is left to a Mac (docs/macos.md).

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { cpuTypes, readCommands, readSlices, segmentsOf } from "../../core/net/macho.ts";
import { buildBinary, macPlatforms } from "../../scripts/build_binary.ts";
import { buildMacLayer } from "../../scripts/build_layer.ts";
import { denort } from "../../scripts/denort.ts";
import { root } from "../../scripts/step.ts";
import { checkSignature } from "../support/code_signature.ts";

for (const platform of Object.values(macPlatforms)) {
  Deno.test({
    name: `the program for ${platform.name} is whole`,
    // esbuild keeps its own process for the next build.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async (t) => {
      await buildMacLayer();
      await buildBinary(platform);
      const path = `${root}dist/mirrord-${platform.name}`;
      const bytes = await Deno.readFile(path);

      await t.step("it is for that processor, and its segments lie in the file", () => {
        assert.deepEqual(readSlices(bytes).map(({ cpuType, size }) => ({ cpuType, size })), [
          { cpuType: cpuTypes[platform.machine], size: bytes.length },
        ]);
        const segments = segmentsOf(bytes, readCommands(bytes));
        const linkEdit = segments.at(-1);
        assert.equal(linkEdit?.name, "__LINKEDIT");
        for (const { offset, size, name } of segments) assert.ok(offset + size <= bytes.length, name);
        for (const [index, one] of segments.entries()) {
          const next = segments[index + 1];
          if (next !== undefined) assert.ok(one.address + one.memorySize <= next.address, one.name);
        }
      });

      await t.step({
        name: "llvm reads its load commands, where there is llvm: not on a Mac",
        ignore: Deno.build.os === "darwin",
        fn: async () => {
          const { success, stdout, stderr } = await new Deno.Command("llvm-objdump", {
            args: ["--macho", "--private-headers", path],
          }).output();
          const decoder = new TextDecoder();
          assert.ok(success, decoder.decode(stderr));
          const count = decoder.decode(stdout).match(/^Load command/gm)?.length;
          assert.equal(count, readCommands(bytes).length);
        },
      });

      await t.step("every page of its signature is right", () => {
        const signature = checkSignature(bytes);
        if (platform.machine === "x86_64") return assert.equal(signature, null); // macOS asks for none there
        assert.deepEqual(signature?.wrong, []);
        assert.ok((signature?.pages ?? 0) > 10_000);
        bytes[0x8000] = (bytes[0x8000] ?? 0) ^ 1;
        assert.equal(checkSignature(bytes)?.wrong.length, 1);
        bytes[0x8000] = (bytes[0x8000] ?? 0) ^ 1;
      });

      await t.step("the layer is inside, whole", async () => {
        assert.ok(
          Buffer.from(bytes.buffer).includes(
            Buffer.from(await Deno.readFile(`${root}${platform.layers[0]}`)),
          ),
        );
      });

      await t.step("no command loads a call of Linux's on its way", async () => {
        const { outputs } = JSON.parse(
          await Deno.readTextFile(`${root}build/bundle-${platform.name}.json`),
        ) as Bundle;
        const loaded = chunksOf(
          outputs,
          (entry) => /^(main\.ts|cmd\/|core\/(net|launch)\/darwin\/)/.test(entry),
        );
        assert.ok(loaded.size > 10, `only ${loaded.size} chunks`);
        const inside = [...loaded].flatMap((chunk) => Object.keys(outputs[chunk]?.inputs ?? {}));
        const linux = /^(agent\/sys\/|core\/(net|launch)\/linux\/(?!platform\.ts))/;
        assert.deepEqual(inside.filter((path) => linux.test(path)), []);
      });

      await t.step({
        name: "it starts, on a Mac of that processor",
        ignore: Deno.build.os !== "darwin" || Deno.build.arch !== platform.machine,
        fn: async () => {
          const { success, stdout, stderr } = await new Deno.Command(path, { args: ["--version"] }).output();
          const decoder = new TextDecoder();
          assert.ok(success, decoder.decode(stderr));
          assert.match(decoder.decode(stdout), /^mirrord \d/);
        },
      });

      await t.step("its runtime holds no other program's files", async () => {
        const runtime = await Deno.readFile(await denort(`macos-${platform.machine}`));
        assert.ok(!segmentsOf(runtime, readCommands(runtime)).some(({ name }) => name === "__SUI"));
        assert.ok(!Buffer.from(runtime.buffer).includes("bids-validator"));
      });
    },
  });
}

/** What the bundler wrote down of its chunks. */
interface Bundle {
  outputs: Record<string, {
    entryPoint?: string;
    inputs: Record<string, unknown>;
    imports: { path: string; kind: string }[];
  }>;
}

/** The chunks of the entries that are meant, and those that they load at once. */
function chunksOf(outputs: Bundle["outputs"], isMeant: (entry: string) => boolean): Set<string> {
  const loaded = new Set<string>();
  const open = Object.keys(outputs).filter((chunk) => isMeant(outputs[chunk]?.entryPoint ?? ""));
  for (const chunk of open) {
    if (loaded.has(chunk)) continue;
    loaded.add(chunk);
    const imports = outputs[chunk]?.imports ?? [];
    open.push(...imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => path));
  }
  return loaded;
}
