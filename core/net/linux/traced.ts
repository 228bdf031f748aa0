// A child that this process traces from its first instruction to its program's entry (ptrace(2)): between the
// two the dynamic linker has mapped every library, and no code of the program itself has run. Called by
// core/launch/linux/gate.ts, which looks at it there. Every request comes from the thread that started the
// child, as ptrace demands; waiting has a thread of its own.

import { untracedCode } from "../../../protocol-wasm/mod.ts";
import type { ChildOptions } from "../platform.ts";
import { Child, waitStatus } from "./child.ts";
import { lastErrno } from "./libc.ts";
import { E, SystemError } from "../system_error.ts";

const i32 = "i32";
const libc = Deno.dlopen("libc.so.6", {
  ptrace: { parameters: [i32, i32, "u64", "u64"], result: "i64" },
});

/** Requests and options of <linux/ptrace.h>. */
const PTRACE_PEEKTEXT = 1;
const PTRACE_PEEKUSER = 3;
const PTRACE_POKETEXT = 4;
const PTRACE_POKEUSER = 6;
const PTRACE_CONT = 7;
const PTRACE_DETACH = 17;
const PTRACE_SYSCALL = 24;
const PTRACE_SETOPTIONS = 0x4200;
const PTRACE_O_TRACEEXEC = 0x0000_0010n;
const PTRACE_O_EXITKILL = 0x0010_0000n;
/** It became another program. */
const PTRACE_EVENT_EXEC = 4;
const SIGTRAP = 5;
/** Those that stop a process: of SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU none is handed on while it is traced. */
const stopping = [19, 20, 21, 22];
/** `rip` in struct user of x86_64, which stands behind the trap there; on aarch64 the counter stays at it. */
const instructionPointer = 16n * 8n;
const isX86 = Deno.build.arch === "x86_64";
/** int3, and brk #0: an instruction that traps, and the bits of a word that it takes. */
const trap = isX86 ? { code: 0xccn, mask: 0xffn } : { code: 0xd420_0000n, mask: 0xffff_ffffn };
const word = 0xffff_ffff_ffff_ffffn;

/** A program that is about to begin, or why it will not. */
export class Traced {
  readonly child: Child;
  #isLetGo = false;
  /** One that came while it was followed by its calls, and is to reach it. */
  #signal = 0;

  private constructor(child: Child) {
    this.child = child;
  }

  /**
   * Starts `options.argv[0]` through `entry`, the layer's file; resolves when it is the program, before its
   * first instruction. null: this process may trace no other. Throws SystemError (errno of execve(2), or of
   * fork(2)).
   */
  static async start(
    entry: string,
    options: ChildOptions,
    began: (child: Child) => void,
  ): Promise<Traced | null> {
    const child = new Child({ ...options, program: entry }, { traced: true });
    began(child);
    const traced = new Traced(child);
    for (;;) {
      const stop = await waitStatus(child.pid);
      if (!isStop(stop)) {
        child.ended(stop);
        const code = await child.code;
        if (code === untracedCode) return null;
        if (code > 128) return traced; // a signal came first
        throw new SystemError("execve", code);
      }
      const signal = (stop >> 8) & 0xff;
      if (signal === SIGTRAP) break;
      traced.#ask(PTRACE_CONT, 0n, BigInt(signal));
    }
    traced.#ask(PTRACE_SETOPTIONS, 0n, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
    return traced;
  }

  /**
   * Lets it run to `address`. "another": it became another program, and is before its first instruction;
   * "gone": it ended, cannot be held, or was stopped by the user, and runs on alone.
   */
  async runTo(address: bigint): Promise<"there" | "another" | "gone"> {
    if (this.child.hasEnded) return "gone";
    const before = this.#ask(PTRACE_PEEKTEXT, address) & word;
    const set = (value: bigint) => this.#ask(PTRACE_POKETEXT, address, value);
    try {
      set((before & ~trap.mask) | trap.code);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.letGo(); // its code may not be changed, by a security module say
      return "gone";
    }
    for (let signal = 0;;) {
      const stop = await this.#stop(PTRACE_CONT, signal);
      if (typeof stop === "string") return stop;
      signal = stop;
      if (signal === SIGTRAP && this.#isAt(address)) {
        set(before);
        return "there";
      }
      if (!stopping.includes(signal)) continue;
      set(before);
      this.letGo(signal);
      return "gone";
    }
  }

  /**
   * Lets it run to where its next system call begins or ends, or a signal comes. The answer as of `runTo`.
   */
  async runToCall(): Promise<"there" | "another" | "gone"> {
    if (this.child.hasEnded) return "gone";
    const stop = await this.#stop(PTRACE_SYSCALL, this.#signal);
    if (typeof stop === "string") return stop;
    this.#signal = stop === SIGTRAP ? 0 : stop;
    if (!stopping.includes(stop)) return "there";
    this.letGo(stop);
    return "gone";
  }

  /** Goes on, with `signal`; the signal that it stops for next. */
  async #stop(request: number, signal: number): Promise<number | "another" | "gone"> {
    this.#ask(request, 0n, BigInt(signal));
    const status = await waitStatus(this.child.pid);
    if (isStop(status)) return status >> 16 === PTRACE_EVENT_EXEC ? "another" : (status >> 8) & 0xff;
    this.child.ended(status);
    return "gone";
  }

  /** It runs on alone; `signal` reaches it first. */
  letGo(signal = 0): void {
    if (this.#isLetGo || this.child.hasEnded) return;
    this.#isLetGo = true;
    this.#ask(PTRACE_DETACH, 0n, BigInt(signal));
    this.child.watch();
  }

  /** Kills it and waits for its end; nothing of it has run since it stopped. */
  async kill(): Promise<void> {
    if (this.child.hasEnded) return;
    Deno.kill(this.child.pid, "SIGKILL");
    this.child.watch();
    await this.child.code;
  }

  /** Did it trap at `address`? It is set back to there. */
  #isAt(address: bigint): boolean {
    if (!isX86) return true;
    if ((this.#ask(PTRACE_PEEKUSER, instructionPointer) & word) !== address + 1n) return false;
    this.#ask(PTRACE_POKEUSER, instructionPointer, address);
    return true;
  }

  /** A child that was killed meanwhile answers nothing (ESRCH); the next wait reports its end. */
  #ask(request: number, address = 0n, value = 0n): bigint {
    const result = libc.symbols.ptrace(request, this.child.pid, address, value);
    const isWord = request === PTRACE_PEEKTEXT || request === PTRACE_PEEKUSER;
    const code = result === -1n ? lastErrno() : 0;
    if (!isWord && code !== 0 && code !== E.ESRCH) throw new SystemError("ptrace", code);
    return result;
  }
}

/** WIFSTOPPED of wait(2). */
function isStop(status: number): boolean {
  return (status & 0xff) === 0x7f;
}
