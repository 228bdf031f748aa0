// The event loop of the sockets of socket.ts: one epoll descriptor, edge-triggered. Deno 2.6 can neither
// adopt a descriptor nor bind before it connects, so these sockets are not the runtime's. Called by
// socket.ts. Invariant: a waiter got EAGAIN from the kernel before, so the next edge wakes it (epoll(7)).
// The loop runs while something is watched, and holds no thread afterwards.

import { setImmediate } from "node:timers";
import { c, check, K, lastErrno } from "./libc.ts";
import { E, SystemError } from "../system_error.ts";

const maxEvents = 256;
// struct epoll_event is packed on x86_64 only (epoll_event(3type)).
const packed = Deno.build.arch === "x86_64";
const eventSize = packed ? 12 : 16;
const idOffset = packed ? 4 : 8;
/** How many empty looks without a thread end the busy phase. */
const emptyLooks = 2;
/** How long one of them may wait. */
let lookMs = 0;
/** How much is waited for that is not watched here. */
let elsewhere = 0;

/** Bytes moved in one turn of the loop before readers wait for the next. */
const turnBytes = 1 << 20;

const events = new Uint8Array(maxEvents * eventSize);
const eventsView = new DataView(events.buffer);
const watches = new Map<number, Watch>();
let epollFd = -1;
let wakeFd = -1;
let running = false;
let loop: Promise<void> = Promise.resolve();
let sleeping = false;
let movedBytes = 0;

/** Wakes the waiters of one descriptor. Waiters are few: at most one reader and one writer are meant. */
export class Watch {
  readonly #fd: number;
  #onIn: (() => void) | null = null;
  #onOut: (() => void) | null = null;

  /**
   * Watches `fd` (non-blocking) until `close`. Throws SystemError for what epoll cannot watch (a plain file).
   */
  constructor(fd: number) {
    start();
    this.#fd = fd;
    check("epoll_ctl", c.epoll_ctl(epollFd, K.EPOLL_CTL_ADD, fd, event(fd)));
    watches.set(fd, this);
    if (!running) loop = run();
  }

  /** Resolves when `fd` may be readable again. Only after EAGAIN. */
  readable(): Promise<void> {
    return new Promise((resolve) => this.#onIn = resolve);
  }

  /** Resolves when `fd` may be writable again. Only after EAGAIN or EINPROGRESS. */
  writable(): Promise<void> {
    return new Promise((resolve) => this.#onOut = resolve);
  }

  /** Called by the loop, and by `close`: the waiters try their call again. */
  fire(bits: number): void {
    if (bits & ~K.EPOLLOUT) {
      const onIn = this.#onIn;
      this.#onIn = null;
      onIn?.();
    }
    if (bits & ~(K.EPOLLIN | K.EPOLLRDHUP)) {
      const onOut = this.#onOut;
      this.#onOut = null;
      onOut?.();
    }
  }

  /** Stops watching; must come before the descriptor is closed. Waiters wake. */
  close(): void {
    if (watches.get(this.#fd) !== this) return;
    watches.delete(this.#fd);
    c.epoll_ctl(epollFd, K.EPOLL_CTL_DEL, this.#fd, event(this.#fd));
    this.fire(K.EPOLLERR);
    if (watches.size === 0 && sleeping) wake();
  }
}

/**
 * Declares that everything this process waits for is watched here, except its timers: then a poll may hold
 * the thread for a millisecond. What the runtime itself waits for, for example a link over WebSocket, would
 * be late by as much.
 */
export function watchesAll(): void {
  lookMs = 1;
}

/**
 * What is awaited until the result is disposed comes by the runtime, for example from another thread: no poll
 * waits meanwhile.
 */
export function waitsElsewhere(): Disposable {
  elsewhere++;
  return { [Symbol.dispose]: () => void elsewhere-- };
}

/** Resolves once the loop has left its thread; at once while something is still watched. */
export async function unwatched(): Promise<void> {
  if (watches.size === 0) await loop;
}

/**
 * Counts bytes that were read. Null: go on; otherwise wait for it, so that two fast ends, whose every call
 * succeeds at once, leave turns to the others, to timers and signals.
 */
export function takeTurn(bytes: number): Promise<void> | null {
  movedBytes += bytes;
  return movedBytes < turnBytes ? null : nextTurn();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) =>
    setImmediate(() => {
      movedBytes = 0;
      resolve();
    })
  );
}

function event(fd: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(eventSize);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, (K.EPOLLIN | K.EPOLLOUT | K.EPOLLRDHUP | K.EPOLLET) >>> 0, true);
  view.setUint32(idOffset, fd, true);
  return bytes;
}

function start(): void {
  if (epollFd >= 0) return;
  epollFd = check("epoll_create1", c.epoll_create1(K.EPOLL_CLOEXEC));
  wakeFd = check("eventfd", c.eventfd(0, K.EFD_NONBLOCK | K.EFD_CLOEXEC));
  check("epoll_ctl", c.epoll_ctl(epollFd, K.EPOLL_CTL_ADD, wakeFd, event(wakeFd)));
}

function wake(): void {
  c.write(wakeFd, new Uint8Array(new BigUint64Array([1n]).buffer), 8n);
}

/**
 * Two phases. Busy: wait on this thread, a millisecond at most, so that an answer costs no hand-over between
 * threads (5 us instead of 50); the runtime's own events get their turn after each look. Idle: one thread of
 * the runtime waits without limit.
 */
async function run(): Promise<void> {
  running = true;
  let empty = 0;
  try {
    while (watches.size > 0) {
      let count: number;
      if (empty < emptyLooks) {
        count = c.epoll_wait(epollFd, events, maxEvents, elsewhere > 0 ? 0 : lookMs);
      } else {
        sleeping = true;
        count = await c.epoll_wait_thread(epollFd, events, maxEvents, -1);
        sleeping = false;
      }
      if (count < 0 && lastErrno() !== E.EINTR && empty < emptyLooks) {
        throw new SystemError("epoll_wait", lastErrno());
      }
      empty = count > 0 ? 0 : empty + 1;
      for (let i = 0; i < count; i++) {
        const at = i * eventSize;
        const fd = eventsView.getUint32(at + idOffset, true);
        if (fd === wakeFd) c.read(wakeFd, new Uint8Array(8), 8n);
        else watches.get(fd)?.fire(eventsView.getUint32(at, true));
      }
      // Not before every promise this look settled has run.
      await nextTurn();
    }
  } finally {
    running = false;
    if (watches.size === 0) {
      c.close(epollFd);
      c.close(wakeFd);
      epollFd = wakeFd = -1;
    }
  }
}
