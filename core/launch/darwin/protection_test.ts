// Which programs dyld keeps the layer out of, by flag, signature and section.

import assert from "node:assert/strict";
import { codeFlags, readSignature, readSlices } from "../../net/macho.ts";
import { makeProgram, withFlags } from "../../../tests/support/macho_programs.ts";
import { protectionOf } from "./protection.ts";

Deno.test("a program is protected by its file's flag, its signature's, or a section", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-protection-test." });
  try {
    const arm = await makeProgram(folder, { machine: "aarch64" });
    const intel = await makeProgram(folder, { machine: "x86_64" });
    assert.equal(protectionOf(arm, false), null);
    assert.equal(protectionOf(intel, false), null); // zig does not sign it
    assert.equal(readSignature(intel), null);
    assert.equal(readSignature(arm)?.identifier, "program-aarch64");
    assert.equal((readSignature(arm)?.flags ?? 0) & codeFlags.adHoc, codeFlags.adHoc);
    assert.match(protectionOf(arm, true) ?? "", /protected by macOS/);
    assert.match(protectionOf(withFlags(arm, codeFlags.restrict), false) ?? "", /signed as restricted/);
    assert.match(protectionOf(withFlags(arm, codeFlags.runtime), false) ?? "", /hardened runtime/);
    const sectioned = await makeProgram(folder, {
      machine: "aarch64",
      flags: ["-D__x", "-include", await header(folder)],
    });
    assert.match(protectionOf(sectioned, false) ?? "", /section that keeps libraries out/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function header(folder: string): Promise<string> {
  const path = `${folder}/restrict.h`;
  await Deno.writeTextFile(
    path,
    '__attribute__((used, section("__RESTRICT,__restrict"))) static int restricted;\n',
  );
  return path;
}

Deno.test("what is no Mach-O file holds no program", () => {
  const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (one) => parseInt(one, 16));
  assert.deepEqual(readSlices(new Uint8Array(0)), []);
  assert.deepEqual(readSlices(bytes("7f454c46".padEnd(128, "0"))), []);
  assert.deepEqual(readSlices(bytes("cafebabe0000003400".padEnd(128, "0"))), []); // a class file of Java 8
  assert.deepEqual(readSlices(bytes("cafebabe00000002".padEnd(128, "f"))), []); // beyond its end
});
