// A file that traffic is recorded in: for its owner alone, and complete after every `flush`, so that it can
// be opened however the recording ends. Made by pcapng.ts and har.ts.

import { ConfigError, MirrordError } from "../base/errors.ts";
import { machineError } from "../base/machine.ts";
import { concatenate } from "../../protocol-wasm/mod.ts";

const ownerOnly = 0o600;
/** Bytes that wait for `flush` at most. */
const mostWaiting = 1 << 20;

export class RecordingFile implements Disposable {
  readonly path: string;
  readonly #file: Deno.FsFile;
  /** Behind the last byte that was written and stays. */
  #end = 0;
  #waiting: Uint8Array[] = [];
  #size = 0;
  #tail: Uint8Array = new Uint8Array();
  #isNew = false;

  /** Makes the file, or empties the one that is there. Throws ConfigError. */
  constructor(path: string) {
    this.path = path;
    try {
      this.#file = Deno.openSync(path, { write: true, create: true, truncate: true, mode: ownerOnly });
      if (this.#file.statSync().isFile && Deno.build.os !== "windows") Deno.chmodSync(path, ownerOnly);
    } catch (error) {
      throw machineError(error) ??
        new ConfigError(`Cannot write "${path}": ${error instanceof Error ? error.message : error}`);
    }
  }

  /** Bytes of the file without its tail; those too that wait for `flush`. */
  get length(): number {
    return this.#end + this.#size;
  }

  /** `bytes` come next; `tail` stands behind them until the next call. Written by `flush`. */
  append(bytes: Uint8Array, tail: Uint8Array = new Uint8Array()): void {
    this.#waiting.push(bytes);
    this.#tail = tail;
    this.#size += bytes.length;
    this.#isNew = true;
    if (this.#size > mostWaiting) this.flush();
  }

  /**
   * Writes what was appended, with the tail of the last call, as one. Throws MirrordError; the file is then
   * complete without it.
   */
  flush(): void {
    if (!this.#isNew) return;
    const added = concatenate(this.#waiting.splice(0));
    this.#size = 0;
    this.#isNew = false;
    try {
      this.#write(added);
    } catch (error) {
      this.#leaveOut();
      throw machineError(error) ??
        new MirrordError(`Cannot write "${this.path}": ${error instanceof Error ? error.message : error}`);
    }
    this.#end += added.length;
  }

  /** Writes the rest, and closes the file. Throws MirrordError. */
  [Symbol.dispose](): void {
    try {
      this.flush();
    } finally {
      this.#file.close();
    }
  }

  #write(added: Uint8Array): void {
    const all = concatenate([added, this.#tail]);
    this.#file.seekSync(this.#end, Deno.SeekMode.Start);
    for (let at = 0; at < all.length;) at += this.#file.writeSync(all.subarray(at));
  }

  /** Part of it may have been written. */
  #leaveOut(): void {
    try {
      this.#file.truncateSync(this.#end);
      this.#write(new Uint8Array());
    } catch {
      // It is no regular file, or its disk is gone: the error that comes first is reported.
    }
  }
}
