// Why dyld would not load the layer into a program of Darwin: System Integrity Protection, the hardened
// runtime, or a section that asks for it (dyld(1); codesign(1), "Option Flags"). Called by copies.ts. Pure.

import { codeFlags, readCommands, readSignature, segmentsOf } from "../../net/macho.ts";

/**
 * Entitlements with which a hardened program takes libraries that a variable names, and such as are signed by
 * somebody else.
 */
const needed = [
  "com.apple.security.cs.allow-dyld-environment-variables",
  "com.apple.security.cs.disable-library-validation",
];

/**
 * As a clause with "it …"; null: dyld loads it. `restricted`: the file has the flag SF_RESTRICTED
 * (chflags(2)).
 */
export function protectionOf(program: Uint8Array, restricted: boolean): string | null {
  if (restricted) return "is protected by macOS (System Integrity Protection)";
  const signature = readSignature(program);
  if (signature !== null) {
    if ((signature.flags & codeFlags.restrict) !== 0) return "is signed as restricted";
    const allows = needed.every((name) => grants(signature.entitlements, name));
    if ((signature.flags & codeFlags.runtime) !== 0 && !allows) return "is signed with the hardened runtime";
  }
  return segmentsOf(program, readCommands(program)).some(({ name }) => name === "__RESTRICT")
    ? "has a section that keeps libraries out"
    : null;
}

/** Does the property list `entitlements` say yes to `name`? */
function grants(entitlements: string, name: string): boolean {
  return new RegExp(`<key>\\s*${name.replaceAll(".", "\\.")}\\s*</key>\\s*<true\\s*/>`).test(entitlements);
}
