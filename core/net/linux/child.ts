// A child process whose program, arguments and variables are bytes: the runtime's own Deno.Command takes
// UTF-8 only. Called by core/launch and traced.ts. Standard input, output and error, and the working
// directory, are this process's.

import { constants } from "node:os";
import type { ChildOptions } from "../platform.ts";
import { cString } from "./os_calls.ts";
import { SystemError } from "../system_error.ts";

const libc = Deno.dlopen("libc.so.6", {
  posix_spawn: {
    parameters: ["buffer", "buffer", "pointer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  posix_spawnattr_init: { parameters: ["buffer"], result: "i32" },
  posix_spawnattr_destroy: { parameters: ["buffer"], result: "i32" },
  posix_spawnattr_setflags: { parameters: ["buffer", "i16"], result: "i32" },
  posix_spawnattr_setsigdefault: { parameters: ["buffer", "buffer"], result: "i32" },
  posix_spawnattr_setsigmask: { parameters: ["buffer", "buffer"], result: "i32" },
  sigemptyset: { parameters: ["buffer"], result: "i32" },
  sigaddset: { parameters: ["buffer", "i32"], result: "i32" },
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32", nonblocking: true },
});
const c = libc.symbols;

/** At least sizeof(posix_spawnattr_t) and sizeof(sigset_t) of glibc. */
const attributeBytes = 512;
const signalSetBytes = 128;
/** POSIX_SPAWN_SETSIGDEF and POSIX_SPAWN_SETSIGMASK of <spawn.h>. */
const spawnFlags = 0x04 | 0x08;

/** A running child. */
export class Child {
  readonly pid: number;
  /** Resolves with its exit code, 128 + n when signal n ended it. */
  readonly code: Promise<number>;
  readonly #code = Promise.withResolvers<number>();
  #hasEnded = false;

  /**
   * Starts it; throws SystemError (errno of execve(2), or of fork(2)). traced: its owner waits for it first,
   * and hands on from there by `watch` or `ended`.
   */
  constructor(options: ChildOptions, { traced = false }: { traced?: boolean } = {}) {
    const { program, argv, env } = options;
    this.pid = spawn(program, argv, Object.entries(env).map(([name, value]) => `${name}=${value}`));
    this.code = this.#code.promise;
    if (!traced) this.watch();
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** From now on its end is waited for here. */
  watch(): void {
    waitStatus(this.pid).then((status) => this.ended(status), this.#code.reject);
  }

  /** It ended with this status of wait(2). */
  ended(status: number): void {
    const signal = status & 0x7f;
    this.#hasEnded = true;
    this.#code.resolve(signal === 0 ? (status >> 8) & 0xff : 128 + signal);
  }
}

/** Starts one; throws SystemError (errno of execve(2), or of fork(2)). */
export function startChild(options: ChildOptions): Child {
  return new Child(options);
}

/**
 * posix_spawn(3): returns when the program runs. SIGPIPE, which the runtime ignores, is the program's again.
 */
function spawn(program: string, argv: readonly string[], env: readonly string[]): number {
  const [attributes, defaults, mask, pid] = [attributeBytes, signalSetBytes, signalSetBytes, 4].map((size) =>
    new Uint8Array(new ArrayBuffer(size))
  );
  if (!attributes || !defaults || !mask || !pid) throw new TypeError("four buffers");
  c.sigemptyset(mask);
  c.sigemptyset(defaults);
  c.sigaddset(defaults, constants.signals.SIGPIPE);
  c.posix_spawnattr_init(attributes);
  c.posix_spawnattr_setflags(attributes, spawnFlags);
  c.posix_spawnattr_setsigdefault(attributes, defaults);
  c.posix_spawnattr_setsigmask(attributes, mask);
  using args = new StringList(argv);
  using variables = new StringList(env);
  const code = c.posix_spawn(pid, cString(program), null, attributes, args.pointers, variables.pointers);
  c.posix_spawnattr_destroy(attributes);
  if (code !== 0) throw new SystemError("posix_spawn", code);
  return new DataView(pid.buffer).getInt32(0, true);
}

/** Strings as execve(2) takes them: pointers, the last one null. */
class StringList implements Disposable {
  readonly pointers: Uint8Array<ArrayBuffer>;
  /** What the pointers point to. */
  #strings: ArrayBuffer;

  constructor(texts: readonly string[]) {
    const strings = texts.map(cString);
    this.#strings = new ArrayBuffer(strings.reduce((sum, one) => sum + one.length, 1));
    const start = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(new Uint8Array(this.#strings))));
    const pointers = new BigUint64Array(new ArrayBuffer((strings.length + 1) * 8));
    let at = 0;
    for (const [index, string] of strings.entries()) {
      new Uint8Array(this.#strings).set(string, at);
      pointers[index] = start + BigInt(at);
      at += string.length;
    }
    this.pointers = new Uint8Array(pointers.buffer);
  }

  [Symbol.dispose](): void {
    this.#strings = new ArrayBuffer(0);
  }
}

/**
 * The next status of wait(2) of child `pid`: its end, or where it is traced a stop. Waits on a thread of the
 * runtime's.
 */
export async function waitStatus(pid: number): Promise<number> {
  const status = new Uint8Array(new ArrayBuffer(4));
  if (await c.waitpid(pid, status, 0) !== pid) {
    throw new Error(`Cannot wait for process ${pid}: another waited for it`);
  }
  return new DataView(status.buffer).getInt32(0, true);
}
