// Notices the end of a process that is no child of this one, by a descriptor that becomes readable then.
// Called by agent/main.ts for a target that is a process: a pod's agent ends with its target's container
// anyway.

import { c, check } from "./libc.ts";
import { Watch } from "../../core/net/linux/poll.ts";

/** Number of pidfd_open(2), the same on every machine (Linux 5.3). */
const sysPidfdOpen = 434n;

/**
 * Calls `ended` once process `pid` has ended; dispose it to stop watching. Throws SystemError when there is
 * no such process.
 */
export function watchProcess(pid: number, ended: () => void): Disposable {
  const fd = check("pidfd_open", Number(c.syscall(sysPidfdOpen, BigInt(pid), null, 0n, 0n)));
  const watch = new Watch(fd);
  let disposed = false;
  void watch.readable().then(() => {
    if (!disposed) ended();
  });
  return {
    [Symbol.dispose]() {
      disposed = true;
      watch.close();
      c.close(fd);
    },
  };
}
