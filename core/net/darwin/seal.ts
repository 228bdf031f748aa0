// The seal by the processor's own instructions: none is made for Darwin yet, so links are sealed by
// node:crypto. Called by ../seal.ts.

import type { SealLibrary } from "../platform.ts";

/** There is no library that they could serve. */
export function hasInstructions(): boolean {
  return false;
}

/** Throws. */
export function sealLibrary(_file: URL): SealLibrary {
  throw new Error("there is no library for this platform");
}
