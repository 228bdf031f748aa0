// The head of an HTTP/1 message (RFC 9112), read byte by byte: need more | complete | not HTTP.
// http_body.ts feeds it one message after the other, filter.ts a complete request head.
// Invariant: a head is accepted only if every server reads it the same way; in doubt it is "not HTTP", and
// the reason is one word. Nothing is changed: the accepted bytes are exactly those that came.

import { equalsFolded, equalsWord, isText, isToken, skipText } from "./ascii";

/** Largest head: start line, header lines and the empty line. */
export const HEAD_LIMIT: u32 = 65536;
/** Most header lines of one head. */
export const HEADER_LIMIT: u32 = 256;
const METHOD_LIMIT: u32 = 32;

export const enum Side {
  Request = 0,
  Response = 1,
}

/** What is known of a head's fields after the empty line. */
export const enum HeadFlag {
  Length = 1,
  Coded = 2,
  Chunked = 4,
  Close = 8,
  KeepAlive = 16,
  UpgradeToken = 32,
  UpgradeField = 64,
}

export const enum Phase {
  Start = 0,
  StartLf = 1,
  Method = 2,
  Target = 3,
  Version = 4,
  VersionLf = 5,
  StatusVersion = 6,
  Status = 7,
  StatusText = 8,
  Line = 9,
  Name = 10,
  Space = 11,
  Value = 12,
  ValueLf = 13,
  EndLf = 14,
  Done = 15,
}

/** One head being read; lives in plain memory, offsets count from `base`. */
@unmanaged
export class Head {
  base: usize;
  /** Where to note each header line (name start, name end, value start, value end; u32 each), 0 = nowhere. */
  lines: usize;
  /** Why it is not HTTP: a static string, 0 while it is. */
  reason: usize;
  contentLength: u64;
  at: u32;
  phase: u32;
  side: u32;
  index: u32;
  methodStart: u32;
  methodEnd: u32;
  targetStart: u32;
  targetEnd: u32;
  nameStart: u32;
  nameEnd: u32;
  valueStart: u32;
  valueEnd: u32;
  headers: u32;
  minor: u32;
  status: u32;
  flags: u32;
}

/** Makes `head` ready for the next message of `side`, whose bytes will stand at `base`. */
export function resetHead(head: Head, base: usize, side: u32, lines: usize): void {
  memory.fill(changetype<usize>(head), 0, offsetof<Head>());
  head.base = base;
  head.side = side;
  head.lines = lines;
}

function bad(head: Head, at: u32, reason: string): i32 {
  head.at = at;
  head.reason = changetype<usize>(reason);
  return -1;
}

/** Reads on from `head.at` to `end`: 1 = complete (`head.at` is just after it), 0 = more, -1 = not HTTP. */
export function readHead(head: Head, end: u32): i32 {
  const base = head.base;
  let at = head.at;
  let phase = head.phase;
  while (at < end) {
    const c: u32 = load<u8>(base + at);
    switch (phase) {
      case Phase.Start:
        if (head.side == Side.Response) {
          phase = Phase.StatusVersion;
          continue;
        }
        if (c == 13) {
          phase = Phase.StartLf;
          break;
        }
        if (!isToken(c)) return bad(head, at, c == 10 ? "bare-lf" : "start-line");
        head.methodStart = at;
        phase = Phase.Method;
        break;
      case Phase.StartLf:
        if (c != 10) return bad(head, at, "bare-cr");
        phase = Phase.Start;
        break;
      case Phase.Method:
        if (c == 32) {
          head.methodEnd = at;
          head.targetStart = at + 1;
          phase = Phase.Target;
          break;
        }
        if (!isToken(c) || at - head.methodStart >= METHOD_LIMIT) return bad(head, at, "start-line");
        break;
      case Phase.Target:
        if (c == 32) {
          if (at == head.targetStart) return bad(head, at, "start-line");
          head.targetEnd = at;
          head.index = 0;
          phase = Phase.Version;
          break;
        }
        if (c < 33 || c == 127) return bad(head, at, "start-line");
        break;
      case Phase.Version:
        if (head.index == 5 && c == 50 && isPrefaceMethod(head)) return bad(head, at, "http2");
        if (head.index == 8) {
          if (c != 13) return bad(head, at, c == 10 ? "bare-lf" : "version");
          phase = Phase.VersionLf;
          break;
        }
        if (!versionByte(head, c)) return bad(head, at, "version");
        break;
      case Phase.VersionLf:
        if (c != 10) return bad(head, at, "bare-cr");
        phase = Phase.Line;
        break;
      case Phase.StatusVersion:
        if (head.index == 8) {
          if (c != 32) return bad(head, at, "start-line");
          head.index = 0;
          phase = Phase.Status;
          break;
        }
        if (!versionByte(head, c)) return bad(head, at, head.index < 5 ? "start-line" : "version");
        break;
      case Phase.Status:
        if (head.index < 3) {
          if (c - 48 > 9) return bad(head, at, "start-line");
          head.status = head.status * 10 + (c - 48);
          head.index += 1;
          break;
        }
        if (head.status < 100) return bad(head, at, "start-line");
        if (c == 32) phase = Phase.StatusText;
        else if (c == 13) phase = Phase.VersionLf;
        else return bad(head, at, c == 10 ? "bare-lf" : "start-line");
        break;
      case Phase.StatusText:
        if (c == 13) phase = Phase.VersionLf;
        else if (!isText(c)) return bad(head, at, c == 10 ? "bare-lf" : "start-line");
        break;
      case Phase.Line:
        if (c == 13) {
          phase = Phase.EndLf;
          break;
        }
        if (c == 10) return bad(head, at, "bare-lf");
        if (c == 32 || c == 9) return bad(head, at, "obs-fold");
        if (!isToken(c)) return bad(head, at, "header-name");
        if (head.headers >= HEADER_LIMIT) return bad(head, at, "too-many-headers");
        head.nameStart = at;
        phase = Phase.Name;
        break;
      case Phase.Name:
        if (c == 58) {
          head.nameEnd = at;
          phase = Phase.Space;
          break;
        }
        if (!isToken(c)) return bad(head, at, c == 32 || c == 9 ? "space-before-colon" : "header-name");
        break;
      case Phase.Space:
        if (c == 32 || c == 9) break;
        head.valueStart = at;
        phase = Phase.Value;
        continue;
      case Phase.Value: {
        at = skipText(base, at, end);
        if (at >= end) continue;
        const byte: u32 = load<u8>(base + at);
        if (byte != 13) return bad(head, at, byte == 10 ? "bare-lf" : "header-value");
        head.valueEnd = at;
        phase = Phase.ValueLf;
        break;
      }
      case Phase.ValueLf: {
        if (c != 10) return bad(head, at, "bare-cr");
        let valueEnd = head.valueEnd;
        while (valueEnd > head.valueStart && isBlank(load<u8>(base + valueEnd - 1))) valueEnd--;
        head.valueEnd = valueEnd;
        if (!takeField(head)) return bad(head, at, changetype<string>(head.reason));
        phase = Phase.Line;
        break;
      }
      case Phase.EndLf:
        if (c != 10) return bad(head, at, "bare-cr");
        head.phase = Phase.Done;
        if (!conclude(head)) return bad(head, at, changetype<string>(head.reason));
        head.at = at + 1;
        return 1;
      default:
        return -1;
    }
    at++;
  }
  head.at = at;
  head.phase = phase;
  return at >= HEAD_LIMIT ? bad(head, at, "head-too-large") : 0;
}

@inline
function isBlank(c: u32): bool {
  return c == 32 || c == 9;
}

function versionByte(head: Head, c: u32): bool {
  const index = head.index++;
  if (index < 7) return c == <u32>load<u16>(changetype<usize>("HTTP/1.") + (<usize>index << 1));
  head.minor = c - 48;
  return head.minor < 2;
}

function isPrefaceMethod(head: Head): bool {
  return equalsWord(head.base + head.methodStart, head.methodEnd - head.methodStart, "PRI");
}

function fail(head: Head, reason: string): bool {
  head.reason = changetype<usize>(reason);
  return false;
}

/** Records one complete header line and its effect on the framing. */
function takeField(head: Head): bool {
  if (head.lines != 0) {
    const entry = head.lines + (<usize>head.headers << 4);
    store<u32>(entry, head.nameStart);
    store<u32>(entry, head.nameEnd, 4);
    store<u32>(entry, head.valueStart, 8);
    store<u32>(entry, head.valueEnd, 12);
  }
  head.headers++;
  const name = head.base + head.nameStart;
  const length = head.nameEnd - head.nameStart;
  switch (length) {
    case 7:
      if (equalsFolded(name, length, "upgrade")) head.flags |= HeadFlag.UpgradeField;
      return true;
    case 10:
      return equalsFolded(name, length, "connection") ? takeList(head, false) : true;
    case 14:
      return equalsFolded(name, length, "content-length") ? takeLength(head) : true;
    case 17:
      if (!equalsFolded(name, length, "transfer-encoding")) return true;
      head.flags |= HeadFlag.Coded;
      return takeList(head, true);
  }
  return true;
}

/** Walks a comma-separated list; empty members are skipped in Connection, refused in Transfer-Encoding. */
function takeList(head: Head, codings: bool): bool {
  let at = head.valueStart;
  const end = head.valueEnd;
  while (at <= end) {
    let stop = at;
    while (stop < end && load<u8>(head.base + stop) != 44) stop++;
    let first = at;
    let last = stop;
    while (first < last && isBlank(load<u8>(head.base + first))) first++;
    while (last > first && isBlank(load<u8>(head.base + last - 1))) last--;
    if (codings) {
      if (!takeCoding(head, head.base + first, last - first)) return fail(head, "transfer-encoding");
    } else {
      takeOption(head, head.base + first, last - first);
    }
    at = stop + 1;
  }
  return true;
}

function takeOption(head: Head, at: usize, length: u32): void {
  if (equalsFolded(at, length, "close")) head.flags |= HeadFlag.Close;
  else if (equalsFolded(at, length, "keep-alive")) head.flags |= HeadFlag.KeepAlive;
  else if (equalsFolded(at, length, "upgrade")) head.flags |= HeadFlag.UpgradeToken;
}

/** Only the registered codings, without parameters; nothing may follow `chunked` (RFC 9112, 6.1 and 7). */
function takeCoding(head: Head, at: usize, length: u32): bool {
  if (head.flags & HeadFlag.Chunked) return false;
  if (equalsFolded(at, length, "chunked")) {
    head.flags |= HeadFlag.Chunked;
    return true;
  }
  return equalsFolded(at, length, "gzip") || equalsFolded(at, length, "x-gzip") || equalsFolded(at, length, "deflate") ||
    equalsFolded(at, length, "compress") || equalsFolded(at, length, "x-compress");
}

/** Digits only; repetitions, in one line or several, must agree (RFC 9110, 8.6). At most 2^53 - 1. */
function takeLength(head: Head): bool {
  let at = head.valueStart;
  const end = head.valueEnd;
  while (at <= end) {
    let value: u64 = 0;
    let digits: u32 = 0;
    while (at < end && isBlank(load<u8>(head.base + at))) at++;
    while (at < end) {
      const digit = <u32>load<u8>(head.base + at) - 48;
      if (digit > 9) break;
      value = value * 10 + digit;
      if (value > 9007199254740991) return fail(head, "content-length");
      digits++;
      at++;
    }
    while (at < end && isBlank(load<u8>(head.base + at))) at++;
    if (digits == 0 || (at < end && load<u8>(head.base + at) != 44)) return fail(head, "content-length");
    if ((head.flags & HeadFlag.Length) != 0 && head.contentLength != value) return fail(head, "content-length");
    head.flags |= HeadFlag.Length;
    head.contentLength = value;
    at++;
  }
  return true;
}

/** What can be judged only when all fields are there. */
function conclude(head: Head): bool {
  const flags = head.flags;
  if (flags & HeadFlag.Coded) {
    if (flags & HeadFlag.Length) return fail(head, "ambiguous-length");
    if (head.minor == 0) return fail(head, "transfer-encoding");
    if (head.side == Side.Request && (flags & HeadFlag.Chunked) == 0) return fail(head, "transfer-encoding");
  }
  return true;
}

/** True when this head allows another message on the connection. */
export function keepsAlive(head: Head): bool {
  if (head.flags & HeadFlag.Close) return false;
  return head.minor == 1 || (head.flags & HeadFlag.KeepAlive) != 0;
}
