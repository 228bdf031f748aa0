// How the output of apt's tools is read.

import assert from "node:assert/strict";
import { parseUris } from "./debian.ts";

Deno.test("names, files and sums are read from what apt prints", () => {
  const sha256 = "ab".repeat(32);
  const printed =
    `'http://mirror.test/libc6_2_amd64.deb' libc6_2_amd64.deb 2759320 SHA256:${sha256}\nE: noise\n`;
  assert.deepEqual(parseUris(printed), [{ name: "libc6", file: "libc6_2_amd64.deb", sha256 }]);
});

Deno.test("so they are of a source package", () => {
  const sha256 = "cd".repeat(32);
  const files = ["ivy_2-1.dsc", "ivy_2.orig.tar.xz"];
  const printed = files.map((file) => `'http://mirror.test/${file}' ${file} 12 SHA256:${sha256}\n`).join("");
  assert.deepEqual(parseUris(printed).map(({ file }) => file), files);
});

Deno.test("a package whose list has no SHA-256 is refused", () => {
  for (const sum of ["", " ", " MD5Sum:00112233445566778899aabbccddeeff"]) {
    const printed = `'http://mirror.test/libc6_2_amd64.deb' libc6_2_amd64.deb 1${sum}\n`;
    assert.throws(() => parseUris(printed), /Cannot use "libc6_2_amd64.deb"/);
  }
});
