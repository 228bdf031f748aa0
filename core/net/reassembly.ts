// One direction of a TCP connection, put together from copies of its packets: order, repetition, overlap and
// the wrap-around of sequence numbers are undone. Pure; called by agent/incoming/flow.ts and
// core/traffic. Sequence numbers: RFC 9293, 3.4.
// Invariant: bytes come out in order, each once, and of two versions of a byte the first that came.

/** Bytes that came before those in front of them. */
export interface Held {
  sequence: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/** What a held piece costs beside its bytes. */
const pieceCost = 128;

/**
 * `a - b` of two sequence numbers: positive when `a` is the later, as long as they are less than 2 GiB apart.
 */
export function distance(a: number, b: number): number {
  return (a - b) | 0;
}

/** The sequence number `count` bytes after `sequence`. */
export function after(sequence: number, count: number): number {
  return (sequence + count) >>> 0;
}

export class Reassembly {
  #next: number;
  #end: number | null = null;
  /** In order, without overlap, all after `#next`. */
  readonly #held: Held[] = [];
  /** The sender is past this: a segment without bytes said so. */
  #passed: number;
  #cost = 0;

  /** `next` is the sequence number of the first byte. */
  constructor(next: number) {
    this.#next = next;
    this.#passed = next;
  }

  /** The sequence number of the next byte to come out. */
  get next(): number {
    return this.#next;
  }

  /** Where the sender ended, once that is known. */
  get endsAt(): number | null {
    return this.#end;
  }

  /** Memory of what is held back, in bytes; 0 when nothing is. */
  get cost(): number {
    return this.#cost;
  }

  /** Every byte up to the sender's end came out. */
  get ended(): boolean {
    return this.#end === this.#next;
  }

  /** Something is missing: bytes, the end or a mere acknowledgement came, and not all before them. */
  get waiting(): boolean {
    return this.#held.length > 0 ||
      (this.#end === null ? distance(this.#passed, this.#next) > 0 : !this.ended);
  }

  /**
   * How many bytes are missing before the first held one, before the end, or before what the sender is past.
   */
  get missing(): number {
    return Math.max(0, distance(this.#held[0]?.sequence ?? this.#end ?? this.#passed, this.#next));
  }

  /** A segment without bytes bears `sequence`: all before it was sent. */
  passed(sequence: number): void {
    if (distance(sequence, this.#passed) > 0) this.#passed = sequence;
  }

  /** The sender ended before `sequence`. The first such word counts. */
  end(sequence: number): void {
    if (this.#end === null && distance(sequence, this.#next) >= 0) this.#end = sequence;
  }

  /**
   * A segment came. `take` gets all bytes that are now in order, perhaps in several calls; they are the
   * caller's memory or this object's, so `take` copies what it keeps.
   */
  add(
    sequence: number,
    bytes: Uint8Array<ArrayBuffer>,
    take: (bytes: Uint8Array<ArrayBuffer>) => void,
  ): void {
    if (this.#end !== null) {
      bytes = bytes.subarray(0, Math.max(0, distance(this.#end, sequence)));
    }
    const ahead = distance(sequence, this.#next);
    if (ahead > 0) return this.#hold(sequence, bytes);
    if (ahead + bytes.length <= 0) return;
    this.#release(bytes.subarray(-ahead), take);
    for (let first = this.#held[0]; first !== undefined; first = this.#held[0]) {
      const behind = distance(this.#next, first.sequence);
      if (behind < 0) return;
      this.#held.shift();
      this.#cost -= first.bytes.length + pieceCost;
      if (behind < first.bytes.length) this.#release(first.bytes.subarray(behind), take);
    }
  }

  /** Gives up what is missing: what was held back, in order. Nothing is held afterwards. */
  giveUp(): Held[] {
    this.#cost = 0;
    return this.#held.splice(0);
  }

  #release(bytes: Uint8Array<ArrayBuffer>, take: (bytes: Uint8Array<ArrayBuffer>) => void): void {
    this.#next = after(this.#next, bytes.length);
    take(bytes);
  }

  /** Keeps a copy of those bytes that are not held yet. */
  #hold(sequence: number, bytes: Uint8Array<ArrayBuffer>): void {
    let index = this.#held.length;
    while (index > 0 && distance(this.#held[index - 1]?.sequence ?? 0, sequence) > 0) index--;
    const before = this.#held[index - 1];
    if (before !== undefined) {
      const overlap = distance(after(before.sequence, before.bytes.length), sequence);
      if (overlap > 0) {
        bytes = bytes.subarray(Math.min(overlap, bytes.length));
        sequence = after(sequence, overlap);
      }
    }
    while (bytes.length > 0) {
      const next = this.#held[index];
      const room = next === undefined ? bytes.length : distance(next.sequence, sequence);
      const piece = bytes.slice(0, Math.max(0, room));
      if (piece.length > 0) {
        this.#held.splice(index++, 0, { sequence, bytes: piece });
        this.#cost += piece.length + pieceCost;
      }
      if (next === undefined || piece.length === bytes.length) return;
      const skipped = Math.max(0, room) + next.bytes.length;
      bytes = bytes.subarray(Math.min(skipped, bytes.length));
      sequence = after(next.sequence, next.bytes.length);
      index++;
    }
  }
}
