// Another process's memory, read by process_vm_readv(2) and not by /proc/PID/mem: that file, as
// /proc/PID/environ, belongs to the user the process runs as, and an agent without DAC_OVERRIDE cannot open
// it although SYS_PTRACE would let it look. Called by environ.ts. The call needs SYS_PTRACE or the same user
// (ptrace(2), PTRACE_MODE_ATTACH_REALCREDS).

import { c } from "./libc.ts";

/**
 * The memory of process `pid`, while it lives. Reading where nothing is mapped, or what is not allowed,
 * throws RangeError.
 */
export class ProcessMemory {
  readonly #pid: number;

  constructor(pid: number) {
    this.#pid = pid;
  }

  read(at: bigint, length: number): DataView<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    const here = Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
    // struct iovec: base and length.
    const local = BigUint64Array.of(here, BigInt(length));
    const remote = BigUint64Array.of(at, BigInt(length));
    const got = c.process_vm_readv(this.#pid, local, 1n, remote, 1n, 0n);
    if (got !== BigInt(length)) throw new RangeError(`no memory at ${at}`);
    return new DataView(bytes.buffer);
  }

  pointer(at: bigint): bigint {
    return this.read(at, 8).getBigUint64(0, true);
  }

  /** The bytes up to a zero byte, at most `most`; page by page, the next one may not be there. */
  string(at: bigint, most: number): Uint8Array {
    const parts: number[] = [];
    while (parts.length < most) {
      const room = 4096 - Number(at & 4095n);
      const bytes = new Uint8Array(this.read(at, room).buffer);
      const zero = bytes.indexOf(0);
      for (const byte of zero < 0 ? bytes : bytes.subarray(0, zero)) parts.push(byte);
      if (zero >= 0) return Uint8Array.from(parts);
      at += BigInt(room);
    }
    throw new RangeError("a string without an end");
  }
}
