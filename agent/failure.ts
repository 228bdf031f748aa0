// What the agent reports to its client when it cannot do what was asked: an errno and one sentence. Thrown by
// the floors, turned into an ERROR frame by client.ts. Anything else thrown there is a bug.

import { log } from "../core/base/log.ts";
import { FilterError } from "../protocol-wasm/mod.ts";
import { E, SystemError } from "./sys/libc.ts";

/** An expected failure; `errno` is Linux's (errno(3)). */
export class Failure extends Error {
  readonly errno: number;

  constructor(errno: number, sentence: string, options: ErrorOptions = {}) {
    super(sentence, options);
    this.name = "Failure";
    this.errno = errno;
  }
}

/** What the client gets for `error`. */
export function described(error: unknown): [errno: number, sentence: string] {
  if (error instanceof Failure) return [error.errno, error.message];
  if (error instanceof SystemError) return [error.errno, error.message];
  if (error instanceof FilterError) return [E.EINVAL, error.message];
  const text = error instanceof Error ? error.message : String(error);
  log.error(`a request failed: ${error instanceof Error ? error.stack ?? text : text}`);
  return [E.EIO, `Cannot answer: the agent failed (${text})`];
}
