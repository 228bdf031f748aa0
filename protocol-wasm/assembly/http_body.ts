// HTTP/1 messages of one direction of a connection: head, then body by its framing (RFC 9112, 6.3 and 7.1).
// http.ts holds one Reader for each direction; it skips body bytes by number and shows only chunk framing.
// Invariant: bytes are counted, never changed; after "raw" or "not HTTP" the reader reads no more.

import { equalsWord, isText, isToken } from "./ascii";
import { Head, HEAD_LIMIT, HeadFlag, keepsAlive, Phase, readHead, resetHead, Side } from "./http_head";

/** Longest line of chunk framing, and most bytes of trailers. */
const CHUNK_LINE_LIMIT: u32 = 4096;
const TRAILER_LIMIT: u32 = 65536;

const enum Stage {
  Head = 0,
  Fixed = 1,
  Chunked = 2,
  End = 3,
  Raw = 4,
  Bad = 5,
}

const enum Chunk {
  Size = 0,
  MoreSize = 1,
  SizeSpace = 2,
  Extension = 3,
  SizeLf = 4,
  Payload = 5,
  PayloadCr = 6,
  PayloadLf = 7,
  Trailer = 8,
  TrailerName = 9,
  TrailerValue = 10,
  TrailerLf = 11,
  EndLf = 12,
}

/** One direction of a connection; its head buffer follows it in memory. */
@unmanaged
class Reader extends Head {
  remaining: u64;
  stage: u32;
  chunk: u32;
  counted: u32;
  expected: u32;
}

@inline
function buffer(reader: Reader): usize {
  return changetype<usize>(reader) + offsetof<Reader>();
}

/** A reader for `side` (0 request, 1 response) in `place`, or in new memory when `place` is 0. */
export function http_open(place: usize, side: u32): usize {
  const reader = changetype<Reader>(place != 0 ? place : heap.alloc(offsetof<Reader>() + HEAD_LIMIT));
  memory.fill(changetype<usize>(reader), 0, offsetof<Reader>());
  resetHead(reader, buffer(reader), side, 0);
  return changetype<usize>(reader);
}

/** Where head bytes (from `http_head_size`) and chunk framing are to be written. */
export function http_buffer(reader: Reader): usize {
  return buffer(reader);
}

/** Bytes of the head that are retained. */
export function http_head_size(reader: Reader): u32 {
  return reader.at;
}

/** A Stage: what the next byte belongs to. */
export function http_stage(reader: Reader): u32 {
  return reader.stage;
}

/** The reason why it is not HTTP, one word (a static string); 0 while it is. */
export function http_reason(reader: Reader): usize {
  return reader.reason;
}

export function http_status(reader: Reader): u32 {
  return reader.status;
}

export function http_method_start(reader: Reader): u32 {
  return reader.methodStart;
}

export function http_method_end(reader: Reader): u32 {
  return reader.methodEnd;
}

/** 1 when the connection may carry another message after this one. */
export function http_keep_alive(reader: Reader): u32 {
  if (reader.stage == Stage.Raw) return 0;
  return keepsAlive(reader) ? 1 : 0;
}

/** 1 for a request that asks to leave HTTP (Upgrade, CONNECT), and for a response that grants it. */
export function http_upgrade(reader: Reader): u32 {
  if (reader.side == Side.Response) {
    return reader.status == 101 || (reader.expected == 2 && reader.status - 200 < 100) ? 1 : 0;
  }
  if (equalsWord(buffer(reader) + reader.methodStart, reader.methodEnd - reader.methodStart, "CONNECT")) return 1;
  const both = HeadFlag.UpgradeToken | HeadFlag.UpgradeField;
  return reader.minor == 1 && (reader.flags & both) == both ? 1 : 0;
}

/** 1 when nothing of a message is pending, so that the peer's end here is a clean one. */
export function http_idle(reader: Reader): u32 {
  if (reader.stage == Stage.Head) return reader.phase <= <u32>Phase.StartLf ? 1 : 0;
  return reader.stage >= <u32>Stage.End ? 1 : 0;
}

/**
 * Reads on in the head: `added` bytes were written behind those retained, at most to the limit of the head.
 * `expected` is the method of the request answered: 1 HEAD, 2 CONNECT, 0 any other. Returns bytes taken.
 */
export function http_head(reader: Reader, added: u32, expected: u32): u32 {
  const before = reader.at;
  const end = before + added;
  const result = readHead(reader, end);
  if (result < 0) {
    // All of it is retained, so that the caller has every byte of what is not HTTP in one piece.
    reader.at = end;
    reader.stage = Stage.Bad;
    return added;
  }
  if (result == 0) return added;
  reader.expected = expected;
  reader.stage = framing(reader);
  return reader.at - before;
}

/** RFC 9112, 6.3, in its order. */
function framing(reader: Reader): u32 {
  const flags = reader.flags;
  reader.chunk = Chunk.Size;
  reader.counted = 0;
  if (reader.side == Side.Response) {
    const status = reader.status;
    if (status == 101) return Stage.Raw;
    if (status < 200 || status == 204 || status == 304 || reader.expected == 1) return Stage.End;
    if (reader.expected == 2 && status < 300) return Stage.Raw;
    if (flags & HeadFlag.Coded) return flags & HeadFlag.Chunked ? Stage.Chunked : Stage.Raw;
    if ((flags & HeadFlag.Length) == 0) return Stage.Raw;
  } else if (flags & HeadFlag.Coded) {
    return Stage.Chunked;
  }
  reader.remaining = flags & HeadFlag.Length ? reader.contentLength : 0;
  return reader.remaining == 0 ? Stage.End : Stage.Fixed;
}

/** After `End`: forgets this message and waits for the next one. */
export function http_next_message(reader: Reader): void {
  resetHead(reader, buffer(reader), reader.side, 0);
  reader.stage = Stage.Head;
}

/** Body bytes that may be taken without being looked at: at most 1 GiB at a time. */
export function http_plain(reader: Reader): u32 {
  if (reader.stage != Stage.Fixed && !(reader.stage == Stage.Chunked && reader.chunk == Chunk.Payload)) return 0;
  return <u32>min<u64>(reader.remaining, 1 << 30);
}

/** Takes `count` of those bytes. */
export function http_skip(reader: Reader, count: u32): void {
  reader.remaining -= count;
  if (reader.remaining != 0) return;
  if (reader.stage == Stage.Fixed) reader.stage = Stage.End;
  else reader.chunk = Chunk.PayloadCr;
}

function badChunk(reader: Reader, taken: u32, reason: string): u32 {
  reader.stage = Stage.Bad;
  reader.reason = changetype<usize>(reason);
  reader.at = 0;
  return taken;
}

@inline
function hexValue(c: u32): u32 {
  if (c - 48 < 10) return c - 48;
  const letter = (c | 32) - 97;
  return letter < 6 ? letter + 10 : 16;
}

/** Reads chunk framing from `length` bytes at the buffer's start; returns how many belong to it. */
export function http_framing(reader: Reader, length: u32): u32 {
  const base = buffer(reader);
  for (let at: u32 = 0; at < length; at++) {
    const c: u32 = load<u8>(base + at);
    const chunk = reader.chunk;
    if (++reader.counted > (chunk >= <u32>Chunk.Trailer ? TRAILER_LIMIT : CHUNK_LINE_LIMIT)) {
      return badChunk(reader, at, "chunk-too-long");
    }
    switch (chunk) {
      case Chunk.Size:
        if (hexValue(c) > 15) return badChunk(reader, at, "chunk-size");
        reader.remaining = hexValue(c);
        reader.chunk = Chunk.MoreSize;
        break;
      case Chunk.MoreSize:
        if (hexValue(c) < 16) {
          reader.remaining = (reader.remaining << 4) | hexValue(c);
          if (reader.remaining > 9007199254740991) return badChunk(reader, at, "chunk-size");
        } else if (c == 13) reader.chunk = Chunk.SizeLf;
        else if (c == 59) reader.chunk = Chunk.Extension;
        else if (c == 32 || c == 9) reader.chunk = Chunk.SizeSpace;
        else return badChunk(reader, at, "chunk-size");
        break;
      case Chunk.SizeSpace:
        if (c == 13) reader.chunk = Chunk.SizeLf;
        else if (c == 59) reader.chunk = Chunk.Extension;
        else if (c != 32 && c != 9) return badChunk(reader, at, "chunk-size");
        break;
      case Chunk.Extension:
        if (c == 13) reader.chunk = Chunk.SizeLf;
        else if (!isText(c)) return badChunk(reader, at, "chunk-size");
        break;
      case Chunk.SizeLf:
        if (c != 10) return badChunk(reader, at, "chunk-size");
        reader.counted = 0;
        reader.chunk = reader.remaining == 0 ? Chunk.Trailer : Chunk.Payload;
        if (reader.remaining != 0) return at + 1;
        break;
      case Chunk.PayloadCr:
        if (c != 13) return badChunk(reader, at, "chunk-end");
        reader.chunk = Chunk.PayloadLf;
        break;
      case Chunk.PayloadLf:
        if (c != 10) return badChunk(reader, at, "chunk-end");
        reader.counted = 0;
        reader.chunk = Chunk.Size;
        break;
      case Chunk.Trailer:
        if (c == 13) reader.chunk = Chunk.EndLf;
        else if (isToken(c)) reader.chunk = Chunk.TrailerName;
        else return badChunk(reader, at, "trailer");
        break;
      case Chunk.TrailerName:
        if (c == 58) reader.chunk = Chunk.TrailerValue;
        else if (!isToken(c)) return badChunk(reader, at, "trailer");
        break;
      case Chunk.TrailerValue:
        if (c == 13) reader.chunk = Chunk.TrailerLf;
        else if (!isText(c)) return badChunk(reader, at, "trailer");
        break;
      case Chunk.TrailerLf:
        if (c != 10) return badChunk(reader, at, "trailer");
        reader.chunk = Chunk.Trailer;
        break;
      case Chunk.EndLf:
        if (c != 10) return badChunk(reader, at, "trailer");
        reader.stage = Stage.End;
        return at + 1;
      default:
        return at;
    }
  }
  return length;
}
