// Did the kernel start this process in secure-execution mode? Then the dynamic linker dropped LD_PRELOAD (ld.so(8)) and the
// layer is not in it. Called by launch.ts right after the app's start, for what a look at the file cannot tell: file
// capabilities (capabilities(7)), a security module.

/** Entry AT_SECURE of the auxiliary vector, getauxval(3). */
const atSecure = 23n;

/** True when process `pid` runs in secure-execution mode, or hides from us, which only such a one does. */
export function isSecure(pid: number): boolean {
  let vector: Uint8Array;
  try {
    vector = Deno.readFileSync(`/proc/${pid}/auxv`);
  } catch (error) {
    // proc_pid_auxv(5): by ptrace(2)'s rules, which forbid looking at a process with more rights.
    return error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable;
  }
  const pairs = new DataView(vector.buffer, vector.byteOffset, vector.byteLength);
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    if (pairs.getBigUint64(at, true) === atSecure) return pairs.getBigUint64(at + 8, true) !== 0n;
  }
  return false;
}
