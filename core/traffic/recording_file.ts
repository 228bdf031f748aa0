// A file that traffic is recorded in: for its owner alone, and complete after every write, so that it can be
// opened however the recording ends. Made by pcapng.ts and har.ts.

import { ConfigError, MirrordError } from "../base/errors.ts";
import { machineError } from "../base/machine.ts";

const ownerOnly = 0o600;

export class RecordingFile implements Disposable {
  readonly path: string;
  readonly #file: Deno.FsFile;
  /** Behind the last byte that stays. */
  #end = 0;

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

  /** `bytes` come next; `tail` stands behind them until the next call. Throws MirrordError. */
  append(bytes: Uint8Array, tail: Uint8Array = new Uint8Array()): void {
    try {
      this.#file.seekSync(this.#end, Deno.SeekMode.Start);
      const all = new Uint8Array(bytes.length + tail.length);
      all.set(bytes);
      all.set(tail, bytes.length);
      for (let at = 0; at < all.length;) at += this.#file.writeSync(all.subarray(at));
      this.#end += bytes.length;
    } catch (error) {
      throw machineError(error) ??
        new MirrordError(`Cannot write "${this.path}": ${error instanceof Error ? error.message : error}`);
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}
