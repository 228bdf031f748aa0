// DNS messages: a query to bytes, a reply's bytes to records (RFC 1035, 4). Used by agent/dns/ and core/session/dns.ts.
// Invariant: whatever arrives is read within its bounds, in time linear in its length; what cannot be read is null.
// A name is text with one character for each byte, labels joined by dots, without the last dot.

/** Types of records that are read (RFC 1035, 3.2.2; RFC 3596, 2.1). */
export const recordType = { a: 1, cname: 5, ptr: 12, aaaa: 28 } as const;
/** Response codes that decide something (RFC 1035, 4.1.1). */
export const responseCode = {
  none: 0,
  format: 1,
  server: 2,
  name: 3,
  notImplemented: 4,
  refused: 5,
} as const;

/** What is asked. */
export interface Question {
  name: string;
  type: number;
}

/** One record of an answer section. */
export interface DnsRecord {
  name: string;
  type: number;
  /** The address of an A or AAAA record: 4 or 16 bytes. */
  address?: Uint8Array;
  /** The name that a CNAME or PTR record points to. */
  target?: string;
}

/** A reply. */
export interface Reply {
  id: number;
  code: number;
  truncated: boolean;
  authoritative: boolean;
  recursive: boolean;
  question: Question | null;
  answers: DnsRecord[];
  /** How many records the additional section has. */
  additional: number;
}

const internetClass = 1;
const headerLength = 12;
const maxName = 255;
const maxLabel = 63;
const edns = { type: 41, payload: 1232 } as const;

/** The bytes of a query with recursion desired, or null for a name that no query can carry. */
export function encodeQuery(
  id: number,
  { name, type }: Question,
  useEdns = false,
): Uint8Array<ArrayBuffer> | null {
  const labels = encodeName(name);
  if (labels === null) return null;
  const bytes = new Uint8Array(headerLength + labels.length + 4 + (useEdns ? 11 : 0));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id);
  view.setUint16(2, 0x0100);
  view.setUint16(4, 1);
  view.setUint16(10, useEdns ? 1 : 0);
  bytes.set(labels, headerLength);
  const at = headerLength + labels.length;
  view.setUint16(at, type);
  view.setUint16(at + 2, internetClass);
  if (useEdns) { // the root's name, then type and payload size (RFC 6891, 6.1.2)
    view.setUint16(at + 5, edns.type);
    view.setUint16(at + 7, edns.payload);
  }
  return bytes;
}

/** Labels and the root's; null when a label is empty or too long, or the whole is. */
function encodeName(name: string): Uint8Array | null {
  const labels = name.replace(/\.$/, "").split(".");
  if (name === "" || name === ".") return Uint8Array.of(0);
  const bytes: number[] = [];
  for (const label of labels) {
    if (label.length === 0 || label.length > maxLabel) return null;
    bytes.push(label.length);
    for (const character of label) {
      const code = character.charCodeAt(0);
      if (code > 255) return null;
      bytes.push(code);
    }
  }
  return bytes.length + 1 > maxName ? null : Uint8Array.from([...bytes, 0]);
}

/** A reply's header and answers; null when it is no reply, or is cut or wrong anywhere in them. */
export function decodeReply(bytes: Uint8Array): Reply | null {
  if (bytes.length < headerLength) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  if ((flags & 0x8000) === 0) return null;
  const reader = new Reader(bytes, view);
  const reply: Reply = {
    id: view.getUint16(0),
    code: flags & 15,
    truncated: (flags & 0x0200) !== 0,
    authoritative: (flags & 0x0400) !== 0,
    recursive: (flags & 0x0080) !== 0,
    question: null,
    answers: [],
    additional: view.getUint16(10),
  };
  const questions = view.getUint16(4);
  if (questions > 1) return null;
  if (questions === 1) {
    const question = reader.question();
    if (question === null) return null;
    reply.question = question;
  }
  for (let left = view.getUint16(6); left > 0; left--) {
    const record = reader.record();
    // A truncated reply ends where it was cut; it is asked for again.
    if (record === null) return reply.truncated ? reply : null;
    if (record !== "passed") reply.answers.push(record);
  }
  return reply;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = headerLength;
  /** Bytes of names that were read through pointers: a reply of pointers only must not cost more than it is long. */
  #budget: number;

  constructor(bytes: Uint8Array, view: DataView) {
    this.#bytes = bytes;
    this.#view = view;
    this.#budget = 16 * bytes.length + 1024;
  }

  question(): Question | null {
    const name = this.#name();
    if (name === null || this.#at + 4 > this.#bytes.length) return null;
    const type = this.#view.getUint16(this.#at);
    const isInternet = this.#view.getUint16(this.#at + 2) === internetClass;
    this.#at += 4;
    return isInternet ? { name, type } : null;
  }

  /** The next record; "passed" for one of another class or type. */
  record(): DnsRecord | "passed" | null {
    const name = this.#name();
    if (name === null || this.#at + 10 > this.#bytes.length) return null;
    const type = this.#view.getUint16(this.#at);
    const isInternet = this.#view.getUint16(this.#at + 2) === internetClass;
    const length = this.#view.getUint16(this.#at + 8);
    const start = this.#at + 10;
    const end = start + length;
    if (end > this.#bytes.length) return null;
    this.#at = end;
    if (!isInternet) return "passed";
    const size = type === recordType.a ? 4 : type === recordType.aaaa ? 16 : 0;
    if (size !== 0) {
      return length === size ? { name, type, address: this.#bytes.slice(start, end) } : "passed";
    }
    if (type !== recordType.cname && type !== recordType.ptr) return "passed";
    this.#at = start;
    const target = this.#name();
    if (target === null || this.#at !== end) return null;
    return { name, type, target };
  }

  /** A name from here on; a pointer may only point back (RFC 1035, 4.1.4), so no name is without end. */
  #name(): string | null {
    let text = "";
    let at = this.#at;
    let lowest = at;
    let jumped = false;
    for (;;) {
      const length = this.#bytes[at];
      if (length === undefined || --this.#budget < 0) return null;
      if (length >= 0xc0) {
        const to = (length & 0x3f) << 8 | (this.#bytes[at + 1] ?? 0);
        if (at + 1 >= this.#bytes.length || to >= lowest) return null;
        if (!jumped) this.#at = at + 2;
        jumped = true;
        at = lowest = to;
        continue;
      }
      if (length > maxLabel || at + 1 + length > this.#bytes.length) return null;
      if (length === 0) break;
      if (text.length + length + 1 > maxName) return null;
      if (text !== "") text += ".";
      text += String.fromCharCode(...this.#bytes.subarray(at + 1, at + 1 + length));
      this.#budget -= length;
      at += 1 + length;
    }
    if (!jumped) this.#at = at + 1;
    return text;
  }
}

/** Whether two names are the same (RFC 4343: ASCII letters count as equal in either case). */
export function sameName(one: string, other: string): boolean {
  return one.length === other.length && lower(one) === lower(other);
}

function lower(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).replace(/\.$/, "");
}

/** What may stand as a host's name in an answer: letters, digits, "-", "_" and dots, no "-" in front, as glibc sees it. */
export function isHostName(name: string): boolean {
  return /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/.test(name);
}
