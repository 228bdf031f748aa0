// Which programs run without the layer, by name: the developer's own list, and build tools, which need
// nothing of the target and are started by the thousand. Called by cmd/exec.ts; the layer compares names
// (layer/link/config.c).

import type { ProcessesConfig } from "../config/config.ts";

/**
 * Upstream's list of build tools (its key `skip_build_tools`), except jspawnhelper: that is no tool, the JDK
 * starts every child by it, and it changes into the child's directory, which may be the target's.
 */
export const buildTools: readonly string[] = [
  "as",
  "cc",
  "ld",
  "go",
  "air",
  "asm",
  "cc1",
  "cgo",
  "dlv",
  "gcc",
  "git",
  "link",
  "math",
  "cargo",
  "hpack",
  "rustc",
  "compile",
  "collect2",
  "cargo-watch",
  "debugserver",
  "bazel-real",
  "clang",
];

/** Names of executables in which the layer stays inert; what they start is hooked again. */
export function skippedNames(processes: ProcessesConfig): Set<string> {
  const tools = processes.skipBuildTools ? [...buildTools, ...processes.extraBuildTools] : [];
  // A name with a slash is a path: its last part counts.
  return new Set([...processes.skip, ...tools].map(baseName).filter((name) => name !== ""));
}

/** What stands behind the last slash. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
