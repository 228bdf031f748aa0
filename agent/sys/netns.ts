// Network namespaces: enters one, and identifies this thread's one for BPF. Called by main.ts and bpf.ts.
// setns(2) moves one thread: all calls of libc.ts are made on the thread that runs JavaScript, so they agree.

import { c, check, cText, K } from "./libc.ts";

/** An open descriptor of this thread's network namespace; the caller closes it. */
export function openOwnNetns(): number {
  return check("open", c.open(cText("/proc/thread-self/ns/net"), K.O_RDONLY | K.O_CLOEXEC, 0));
}

/** Enters the network namespace of process `pid`. Throws SystemError: ENOENT (no such process), EPERM. */
export function enterNetns(pid: number): void {
  const fd = check("open", c.open(cText(`/proc/${pid}/ns/net`), K.O_RDONLY | K.O_CLOEXEC, 0));
  try {
    check("setns", c.setns(fd, K.CLONE_NEWNET));
  } finally {
    c.close(fd);
  }
}
