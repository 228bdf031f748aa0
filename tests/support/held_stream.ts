// A stream that can be held: nothing of it comes or goes meanwhile, and all of it when it is let go, in
// order. A client that stands still and a link that carries nothing for a while look like this to the other
// end.

import type { LinkStream } from "../../protocol-wasm/mod.ts";

export class HeldStream implements LinkStream {
  readonly #stream: LinkStream;
  #going: Promise<void> = Promise.resolve();
  #go: () => void = () => {};

  constructor(stream: LinkStream) {
    this.#stream = stream;
  }

  /** Nothing passes from now on. */
  hold(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#going = promise;
    this.#go = resolve;
  }

  /** Everything passes again. */
  letGo(): void {
    this.#go();
  }

  async read(into: Uint8Array): Promise<number | null> {
    const count = await this.#stream.read(into);
    await this.#going;
    return count;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const copy = bytes.slice();
    await this.#going;
    await this.#stream.write(copy);
  }

  close(): void {
    this.#go();
    this.#stream.close();
  }
}

/** A stream whose every byte takes `milliseconds` each way, as over a long way. */
export function longWay(stream: LinkStream, milliseconds: number): LinkStream {
  const timers = new Set<number>();
  let closed = false;
  const later = () =>
    new Promise<void>((resolve) => {
      if (closed) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        resolve();
      }, milliseconds);
      timers.add(timer);
    });
  const arrived: { bytes: Uint8Array | null; at: Promise<void> }[] = [];
  let wake = Promise.withResolvers<void>();
  const readAll = async () => {
    for (let bytes: Uint8Array | null = new Uint8Array(); bytes !== null;) {
      const block = new Uint8Array(65536);
      const count = await stream.read(block).catch(() => null);
      bytes = count === null ? null : block.subarray(0, count);
      arrived.push({ bytes, at: later() });
      wake.resolve();
      wake = Promise.withResolvers();
    }
  };
  void readAll();
  let sent: Promise<void> = Promise.resolve();
  return {
    async read(into) {
      while (arrived.length === 0) await wake.promise;
      const [first] = arrived;
      await first?.at;
      if (first === undefined || first.bytes === null) return null;
      const count = Math.min(into.length, first.bytes.length);
      into.set(first.bytes.subarray(0, count));
      if (count === first.bytes.length) arrived.shift();
      else first.bytes = first.bytes.subarray(count);
      return count;
    },
    write(bytes) {
      const copy = bytes.slice();
      const before = sent;
      sent = later().then(() => before).then(() => stream.write(copy)).catch(() => {});
      return Promise.resolve();
    },
    close() {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
      stream.close();
    },
  };
}
