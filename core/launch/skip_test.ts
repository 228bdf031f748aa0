// skippedNames: the two lists, and what turns one of them off.

import assert from "node:assert/strict";
import { buildTools, skippedNames } from "./skip.ts";

const processes = {
  skip: ["node", "/usr/bin/psql"],
  skipBuildTools: true,
  extraBuildTools: ["zig"],
  skipProtected: ["git"],
  alwaysCopied: [],
};

Deno.test("build tools are skipped unless the developer wants them hooked", () => {
  assert.deepEqual([...skippedNames(processes)], ["node", "psql", ...buildTools, "zig"]);
  assert.deepEqual([...skippedNames({ ...processes, skipBuildTools: false })], ["node", "psql"]);
});

Deno.test("each build tool of the original is on the list, and the JDK's way to start children is not", () => {
  const original = "as cc ld go air asm cc1 cgo dlv gcc git link math cargo hpack rustc compile collect2 " +
    "cargo-watch debugserver bazel-real clang";
  assert.deepEqual([...buildTools], original.split(" "));
});
