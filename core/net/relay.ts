// The byte pump between two duplex streams, with half-close and reset carried over, each behind the bytes
// before it. Called by the session (link ↔ app) and the agent (socket ↔ peer, socket ↔ original). It has no
// buffer of its own: the next read starts when the last write was taken.
// Invariant: when one way fails, the other loses no byte that its reader can still get.

import type { ByteChannel } from "../../protocol-wasm/mod.ts";

/** How a relay ended: both sides half-closed, or one of them was reset (and so was the other). */
export type RelayEnd = "closed" | "reset";

/** How one way ended: in order, or because its source, or its sink, was reset. */
export type PumpEnd = "closed" | "source" | "sink";

/** How long a way may stand still after the opposite way failed. */
const stallMs = 60_000;

/** One way of a relay, under way. */
export class Way {
  /** Never rejects. */
  readonly end: Promise<PumpEnd>;
  /** Pieces that were passed on. */
  moved = 0;

  constructor(run: (way: Way) => Promise<PumpEnd>) {
    this.end = run(this);
  }
}

/** Pumps both ways until both have ended. */
export function relay(a: ByteChannel, b: ByteChannel): Promise<RelayEnd> {
  return settle(a, b, [openWay(a, b), openWay(b, a)]);
}

/**
 * Sees two ways, from `a` to `b` and from `b` to `a`, to their end: a reset of one side is passed on to the
 * other when that has what was sent before. Never rejects.
 */
export async function settle(
  a: ByteChannel,
  b: ByteChannel,
  [there, back]: readonly [Way, Way],
): Promise<RelayEnd> {
  const ends = await Promise.all([
    there.end.then((end) => passOn(end, a, b, back)),
    back.end.then((end) => passOn(end, b, a, there)),
  ]);
  return ends.every((end) => end === "closed") ? "closed" : "reset";
}

/** The way from `from` to `to` has ended with `end`; `opposite` is the other way. */
async function passOn(end: PumpEnd, from: ByteChannel, to: ByteChannel, opposite: Way): Promise<PumpEnd> {
  if (end === "source") await resetInOrder(to);
  if (end === "sink") {
    // `to` takes no more, but may have answered before: that goes back first (an early 413, for example).
    let moved = -1;
    const stalled = setInterval(() => {
      if (moved === opposite.moved) from.reset();
      moved = opposite.moved;
    }, stallMs);
    await opposite.end;
    clearInterval(stalled);
    await resetInOrder(from);
  }
  return end;
}

async function resetInOrder(stream: ByteChannel): Promise<void> {
  await stream.resetInOrder?.();
  stream.reset();
}

/** Carries bytes and the half-close one way until the end. */
export function openWay(from: ByteChannel, to: ByteChannel): Way {
  return new Way(async (way) => {
    for (;; way.moved++) {
      let bytes: Uint8Array | null;
      try {
        bytes = await from.read();
      } catch {
        return "source";
      }
      try {
        if (bytes === null) {
          await to.closeWrite();
          return "closed";
        }
        await to.write(bytes);
        from.release?.(bytes);
      } catch {
        return "sink";
      }
    }
  });
}
