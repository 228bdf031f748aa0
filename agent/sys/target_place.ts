// The target's process and its root directory, found once and looked at for each question. Called by
// agent/dns. The process is looked for again when it is gone, for its container may have been restarted; its
// root is opened again when it has another (chroot(2), pivot_root(2)).

import { AT_EMPTY_PATH, look } from "./file_status.ts";
import { c, cText, E, K, lastErrno } from "./libc.ts";
import { findTarget, type TargetProcess } from "./proc.ts";
import { TargetRoot } from "./target_root.ts";
import { fileStatusBytes } from "../../protocol-wasm/mod.ts";

const O_PATH = 0o10000000;
const empty = Uint8Array.of(0);
const status = new Uint8Array(fileStatusBytes);
const view = new DataView(status.buffer);
/** Of struct statx (statx(2)). */
const at = { ino: 32, device: 136, mount: 144 } as const;
/** Kernels from 5.8 on give it unasked. */
const STATX_MNT_ID = 0x1000;

export class TargetPlace implements Disposable {
  readonly #target: TargetProcess;
  #pid: number | null = null;
  #root: TargetRoot | null = null;
  /** Of `#root`; null: it cannot be known again. */
  #mark: string | null = null;

  constructor(target: TargetProcess) {
    this.#target = target;
  }

  /** The process that was found at the last look. */
  get pid(): number {
    return this.#pid ??= findTarget(this.#target);
  }

  /** Its root at the last look; null when the agent may not see it. Kept here: callers do not dispose it. */
  get root(): TargetRoot | null {
    return this.#root;
  }

  /** Sees what has changed. */
  look(): void {
    let fd = openRoot(this.pid);
    if (fd === -E.ENOENT) {
      this.#pid = null;
      fd = openRoot(this.pid);
    }
    const mark = fd < 0 ? null : markOf(fd);
    if (mark !== null && mark === this.#mark) return void c.close(fd);
    this.#root?.[Symbol.dispose]();
    this.#root = fd < 0 ? null : new TargetRoot(fd, this.pid);
    this.#mark = mark;
  }

  [Symbol.dispose](): void {
    this.#root?.[Symbol.dispose]();
    this.#root = null;
    this.#mark = null;
  }
}

/** Its descriptor, or -errno. */
function openRoot(pid: number): number {
  const fd = c.open(cText(`/proc/${pid}/root`), O_PATH | K.O_CLOEXEC, 0);
  return fd < 0 ? -lastErrno() : fd;
}

function markOf(fd: number): string | null {
  if (!look(fd, empty, AT_EMPTY_PATH, status)) return null;
  if ((view.getUint32(0, true) & STATX_MNT_ID) === 0) return null;
  return `${view.getBigUint64(at.ino, true)} ${view.getBigUint64(at.device, true)} ${
    view.getBigUint64(at.mount, true)
  }`;
}
