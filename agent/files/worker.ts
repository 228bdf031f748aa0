// A file thread: a worker that has the rights of the target's process over files, and answers one call after
// another. Made by threads.ts. Calls may block for long (a slow disk, a network file system): no other work
// runs on this thread.
// The first message names the target's process and is answered with the descriptor of its root; then calls
// come. Each is answered by its number; bodies are handed over, not copied.

/// <reference lib="deno.worker" />
import { E, SystemError } from "../sys/libc.ts";
import { TargetRoot } from "../sys/target_root.ts";
import { becomeProcess, innerPid } from "../sys/thread_rights.ts";
import { type FileAnswer, type FileCall, FileOperations } from "./operations.ts";

/** To the worker: become `pid`, once, or do `order`. */
export type FileOrder = { id: number; pid: number } | { id: number; order: FileCall };

/** From the worker. */
export type FileResult = { id: number } & (FileAnswer | { errno: number; call: string });

const scope = self as unknown as DedicatedWorkerGlobalScope;
let operations: FileOperations | null = null;

scope.onmessage = ({ data }: MessageEvent<FileOrder>) => {
  try {
    const answer = perform(data);
    scope.postMessage({ id: data.id, ...answer }, answer.body.length === 0 ? [] : [answer.body.buffer]);
  } catch (error) {
    const refused = error instanceof SystemError;
    const call = error instanceof Error ? error.message : String(error);
    scope.postMessage({ id: data.id, errno: refused ? error.errno : E.EIO, call });
  }
};

function perform(order: FileOrder): FileAnswer {
  if ("pid" in order) {
    const inner = innerPid(order.pid);
    const root = becomeProcess(order.pid);
    operations = new FileOperations(new TargetRoot(root, inner), inner);
    return { body: new Uint8Array(0), opened: { fd: root, isPipe: false } };
  }
  if (operations === null) throw new SystemError("files", E.EPERM);
  return operations.perform(order.order);
}
