// The file threads of one client: started when first needed, and more of them while one is blocked, so that a
// slow disk stops neither the others' files nor the agent's own thread. Used by agent/files.ts, disposed with
// it.

import { log } from "../../core/base/log.ts";
import { waitsElsewhere } from "../../core/net/linux/poll.ts";
import { Failure } from "../failure.ts";
import { c, E, SystemError } from "../sys/libc.ts";
import type { FileAnswer, FileCall, FileOrder, FileResult } from "./operations.ts";

/** At most so many threads: each costs some megabytes. */
const maxThreads = 4;
/** A thread that had nothing to do for so long ends; the next call starts another. */
const usualRestMs = 60_000;
/** A thread that has been at one call for so long is held up. */
const heldUpMs = 10;

type Answer = PromiseWithResolvers<FileAnswer>;

interface Thread {
  worker: Worker;
  waiting: Map<number, Answer>;
  /** Since when it has had something to do, or nothing. */
  busySince: number;
  /** The descriptor of the target's root, which does not end with the thread. */
  root: number | null;
}

export class FileThreads implements Disposable {
  readonly #pid: () => number;
  readonly #threads: Thread[] = [];
  readonly #restMs: number;
  readonly #resting: number;
  #nextId = 1;
  #isOver = false;

  /** pid: the target's process, asked for when a thread starts. */
  constructor(pid: () => number, { restMs = usualRestMs }: { restMs?: number } = {}) {
    this.#pid = pid;
    this.#restMs = restMs;
    this.#resting = setInterval(() => this.#endIdle(), restMs / 2);
  }

  /** How many there are now. */
  get count(): number {
    return this.#threads.length;
  }

  /**
   * Throws SystemError for what the kernel refuses, Failure when the target's files cannot be reached at all.
   */
  async perform(order: FileCall): Promise<FileAnswer> {
    if (this.#isOver) throw new SystemError("files", E.EIO);
    using _elsewhere = waitsElsewhere();
    return await this.#send(this.#choose(), (id) => ({ id, order }));
  }

  /** Ends the threads; a call under way is left to the kernel. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    clearInterval(this.#resting);
    for (const { worker, waiting } of this.#threads.splice(0)) {
      worker.terminate();
      for (const answer of waiting.values()) answer.reject(new SystemError("files", E.EIO));
    }
  }

  /** Open files belong to the process, so none of them is lost. */
  #endIdle(): void {
    const before = performance.now() - this.#restMs;
    const idle = this.#threads.filter(({ waiting, busySince }) => waiting.size === 0 && busySince < before);
    for (const thread of idle) {
      this.#threads.splice(this.#threads.indexOf(thread), 1);
      end(thread);
    }
  }

  /** The thread with the least to do; a new one when all are held up. */
  #choose(): Thread {
    const free = this.#threads.find(({ waiting }) => waiting.size === 0);
    if (free !== undefined) return free;
    const now = performance.now();
    const heldUp = this.#threads.every(({ busySince }) => now - busySince > heldUpMs);
    if (this.#threads.length < maxThreads && heldUp) return this.#start();
    return this.#threads.reduce((least, one) => one.waiting.size < least.waiting.size ? one : least);
  }

  #start(): Thread {
    const pid = this.#pid();
    const place = Deno.build.standalone ? "./files_worker.js" : "./operations.ts";
    const worker = new Worker(new URL(place, import.meta.url), { type: "module", name: "files" });
    const thread: Thread = { worker, waiting: new Map(), busySince: performance.now(), root: null };
    worker.onmessage = ({ data }: MessageEvent<FileResult>) => this.#take(thread, data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(thread, new Error(`a file thread ended: ${event.message}`));
    };
    this.#threads.push(thread);
    this.#send(thread, (id) => ({ id, pid })).then(
      ({ opened }) => thread.root = opened?.fd ?? null,
      (error) => this.#fail(thread, unreachable(error, pid)),
    );
    return thread;
  }

  #send(thread: Thread, order: (id: number) => FileOrder): Promise<FileAnswer> {
    const id = this.#nextId++;
    const answer: Answer = Promise.withResolvers();
    if (thread.waiting.size === 0) thread.busySince = performance.now();
    thread.waiting.set(id, answer);
    thread.worker.postMessage(order(id));
    return answer.promise;
  }

  #take(thread: Thread, result: FileResult): void {
    const answer = thread.waiting.get(result.id);
    thread.waiting.delete(result.id);
    thread.busySince = performance.now();
    if (answer === undefined) return;
    if ("errno" in result) answer.reject(new RefusedCall(result.call, result.errno));
    else answer.resolve(result);
  }

  /**
   * A thread that cannot serve: requests that wait for it fail with the reason, the next call starts another.
   */
  #fail(thread: Thread, error: unknown): void {
    const at = this.#threads.indexOf(thread);
    if (at >= 0) this.#threads.splice(at, 1);
    end(thread);
    log.debug(`a file thread is given up: ${error instanceof Error ? error.message : error}`);
    for (const answer of thread.waiting.values()) answer.reject(error);
    thread.waiting.clear();
  }
}

function end({ worker, root }: Thread): void {
  worker.terminate();
  if (root !== null) c.close(root);
}

/** A SystemError of another thread: its text is whole already. */
class RefusedCall extends SystemError {
  constructor(text: string, errno: number) {
    super("", errno);
    this.message = text;
  }
}

function unreachable(error: unknown, pid: number): unknown {
  if (!(error instanceof SystemError)) return error;
  const why = error.errno === E.ESRCH
    ? "there is no such process"
    : error.errno === E.EPERM || error.errno === E.EACCES
    ? `${error.message}; the agent needs the capabilities SYS_PTRACE, SETUID and SETGID`
    : error.message;
  return new Failure(E.EACCES, `Cannot reach the files of process ${pid}: ${why}`);
}
