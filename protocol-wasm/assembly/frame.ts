// The definition of frames: header layout, limits, incremental decode, encode, and the credit of every
// connection.
// The host (link.ts) has one instance per link; a trap here ends that link and nothing else.
//
// Theory of operation
//
// A frame is a 12-byte little-endian header (payload length u32, kind u16, flags u16, id u32) and its
// payload. All memory of a link is taken once, by `frame_start`, and never grows, so a view of it that the
// host hands to a pending read stays valid:
//
//   receive buffer | send buffer | connection tables, smallest to largest
//
// Receiving. The host reads socket bytes straight into [receive_pointer, + receive_space) and reports how
// many came (`receive_take`). `frame_next` then answers `More`, or makes one frame current: its kind, flags,
// id and the place of its payload, valid until the next `receive_space`, which may move the rest of a split
// frame to the buffer's start. The length in a header is judged as soon as the header is there, before its
// payload is waited for. What `frame_next` refuses stays refused: the link is over.
//
// Sending. `send_begin` empties the send buffer; `frame_put*` appends a header there and leaves room for the
// payload, which the host copies to `send_payload`. Many frames make one write.
//
// Credit. A connection has two windows of WINDOW bytes at first: how much this side may still send and the
// peer may still send. Data frames charge them here, on both ways; a `credit` frame refills them, and grows
// them up to MAX_WINDOW where the receiver credits more than it took. So a peer that oversteps is found
// before its bytes go anywhere, and this side cannot overstep. The table of connections is connections.ts.
//
// State of a connection       data in          data out      credit in
//   open                      charged          charged       refills
//   peer ended (END in)       DataAfterEnd     charged       refills
//   we ended (END out)        charged          NotSendable   refills
//   closed, reset or unknown  Late             NotSendable   Late

import { findConnection, MAX_WINDOW, PEER_ENDED, startConnections, tablesBytes, WE_ENDED } from "./connections";
import { Status } from "./status";

export const HEADER_BYTES: u32 = 12;
export const HEADER_LENGTH: u32 = 0;
export const HEADER_KIND: u32 = 4;
export const HEADER_FLAGS: u32 = 6;
export const HEADER_ID: u32 = 8;
/** The last frame of a reply; on `data`: half-close. */
export const FLAG_END: u32 = 1;
/** A failed reply, whose body is `failure`; on `data`: reset. */
export const FLAG_ERROR: u32 = 2;
/** Most payload bytes of a frame of any kind but `data`. */
export const MAX_PAYLOAD: u32 = 1 << 20;
/** Most payload bytes of a `data` frame. */
export const MAX_DATA: u32 = 1 << 16;

// @ts-ignore: decorator
@inline const READ_BYTES: u32 = 1 << 18; // what one read of the host is offered at most
// @ts-ignore: decorator
@inline const RECEIVE_BYTES: u32 = MAX_PAYLOAD + HEADER_BYTES + READ_BYTES;
// @ts-ignore: decorator
@inline const SEND_BYTES: u32 = 4 * (MAX_DATA + HEADER_BYTES);

/** Everything of one link; one per instance, in memory that `frame_start` took. */
@unmanaged
class Link {
  dataKind: u32;
  creditKind: u32;
  /** Received bytes not yet consumed: [start, end) of the receive buffer. */
  start: u32;
  end: u32;
  kind: u32;
  flags: u32;
  id: u32;
  payload: u32;
  length: u32;
  refused: Status;
  sent: u32;
  sendPayload: u32;
}

let link: Link = changetype<Link>(0);
let receiveBuffer: u32 = 0;
let sendBuffer: u32 = 0;

/**
 * Takes the memory of one link; once per instance, before anything else.
 * `dataKind` and `creditKind` are the table's numbers, 0 where it has none: such a link has no room for
 * connections, which is most of another's memory: the session has many, one for each thread that asks.
 */
export function frame_start(dataKind: u32, creditKind: u32): void {
  const connects = dataKind != 0;
  const base = <u32>heap.alloc(offsetof<Link>() + RECEIVE_BYTES + SEND_BYTES + tablesBytes(connects));
  link = changetype<Link>(base);
  memory.fill(base, 0, offsetof<Link>());
  receiveBuffer = base + offsetof<Link>();
  sendBuffer = receiveBuffer + RECEIVE_BYTES;
  startConnections(sendBuffer + SEND_BYTES, connects);
  link.dataKind = dataKind;
  link.creditKind = creditKind;
}

// -- receiving -------------------------------------------------------------------------------------------------

/**
 * How many bytes the host may read to `receive_pointer` now; at least 1. Ends the life of the current frame.
 */
export function receive_space(): u32 {
  if (link.start == link.end) {
    link.start = 0;
    link.end = 0;
  } else if (RECEIVE_BYTES - link.end < READ_BYTES) {
    memory.copy(receiveBuffer, receiveBuffer + link.start, link.end - link.start);
    link.end -= link.start;
    link.start = 0;
  }
  return min(RECEIVE_BYTES - link.end, READ_BYTES);
}

/** Where the host reads to. */
export function receive_pointer(): u32 {
  return receiveBuffer + link.end;
}

/** The host read `bytes` bytes to `receive_pointer`. Answers `Ok` or `TooMuchReceived`. */
export function receive_take(bytes: u32): Status {
  if (bytes > RECEIVE_BYTES - link.end) return Status.TooMuchReceived;
  link.end += bytes;
  return Status.Ok;
}

/** Received bytes that no frame has consumed yet; over 0 at the stream's end means it was cut. */
export function receive_rest(): u32 {
  return link.end - link.start;
}

/**
 * Makes the next frame current: `Frame`, `Data`, `Credit`, `Late`; or `More`; or the reason to end the link.
 */
export function frame_next(): Status {
  if (link.refused != Status.Ok) return link.refused;
  const status = decode();
  if (status >= Status.Refused) link.refused = status;
  return status;
}

export function frame_kind(): u32 {
  return link.kind;
}

export function frame_flags(): u32 {
  return link.flags;
}

export function frame_id(): u32 {
  return link.id;
}

/** Where the current frame's payload begins. */
export function frame_payload(): u32 {
  return link.payload;
}

export function frame_length(): u32 {
  return link.length;
}

function decode(): Status {
  const rest = link.end - link.start;
  if (rest < HEADER_BYTES) return Status.More;
  const header = receiveBuffer + link.start;
  link.length = headerLength(header);
  link.kind = headerKind(header);
  link.flags = headerFlags(header);
  link.id = headerId(header);
  link.payload = header + HEADER_BYTES;
  if (link.kind == 0) return Status.NoKind;
  if (link.length > (link.kind == link.dataKind ? MAX_DATA : MAX_PAYLOAD)) return Status.TooLong;
  if ((link.flags & ~(FLAG_END | FLAG_ERROR)) != 0) return Status.UnknownFlags;
  if (link.length > rest - HEADER_BYTES) return Status.More;
  link.start += HEADER_BYTES + link.length;
  if (link.kind == link.dataKind) return decodeData();
  if (link.kind == link.creditKind) return decodeCredit();
  return Status.Frame;
}

function decodeData(): Status {
  const slot = findConnection(link.id);
  if (changetype<u32>(slot) == 0) return Status.Late;
  if ((slot.state & PEER_ENDED) != 0 && (link.flags & FLAG_ERROR) == 0) return Status.DataAfterEnd;
  if (link.length > slot.receive) return Status.WindowExceeded;
  slot.receive -= link.length;
  if ((link.flags & FLAG_END) != 0) slot.state |= PEER_ENDED;
  return Status.Data;
}

function decodeCredit(): Status {
  if (link.length < 4) return Status.ShortCredit;
  const slot = findConnection(link.id);
  if (changetype<u32>(slot) == 0) return Status.Late;
  const bytes = creditBytes(link.payload);
  if (bytes > MAX_WINDOW - slot.send) return Status.CreditOverflow;
  slot.send += bytes;
  return Status.Credit;
}

// -- sending ---------------------------------------------------------------------------------------------------

/** Empties the send buffer, whose bytes the host has written. */
export function send_begin(): void {
  link.sent = 0;
}

/** The bytes to write are [send_pointer, + send_length). */
export function send_pointer(): u32 {
  return sendBuffer;
}

export function send_length(): u32 {
  return link.sent;
}

/** Where the host copies the payload of the frame that was put last. */
export function send_payload(): u32 {
  return link.sendPayload;
}

/** Bytes left in the send buffer for a header and its payload. */
export function send_space(): u32 {
  return SEND_BYTES - link.sent;
}

/**
 * Appends a frame of any kind but `data` and `credit`, with room for its payload. `Full`: write first.
 * `Full` of an empty buffer: the payload never fits; put its header alone by `frame_put_header`.
 */
export function frame_put(kind: u32, flags: u32, id: u32, length: u32): Status {
  if (length > MAX_PAYLOAD) return Status.TooLong;
  if (HEADER_BYTES + length > send_space()) return Status.Full;
  put(kind, flags, id, length, length);
  return Status.Ok;
}

/** Appends only the header of a frame; the host writes the payload itself, right after the send buffer. */
export function frame_put_header(kind: u32, flags: u32, id: u32, length: u32): Status {
  if (length > MAX_PAYLOAD) return Status.TooLong;
  if (HEADER_BYTES > send_space()) return Status.Full;
  put(kind, flags, id, length, 0);
  return Status.Ok;
}

/**
 * How many bytes of connection `id` one data frame may carry now: 0 while its window is used up or it is not
 * open.
 */
export function data_room(id: u32): u32 {
  const slot = findConnection(id);
  if (changetype<u32>(slot) == 0 || (slot.state & WE_ENDED) != 0) return 0;
  return min(slot.send, MAX_DATA);
}

/** Appends a data frame of `length` bytes and charges the window. A reset (ERROR) is put for any id. */
export function frame_put_data(id: u32, flags: u32, length: u32): Status {
  if (length > MAX_DATA) return Status.TooLong;
  if (HEADER_BYTES + length > send_space()) return Status.Full;
  if ((flags & FLAG_ERROR) == 0) {
    const slot = findConnection(id);
    if (changetype<u32>(slot) == 0 || (slot.state & WE_ENDED) != 0 || length > slot.send) return Status.NotSendable;
    slot.send -= length;
    if ((flags & FLAG_END) != 0) slot.state |= WE_ENDED;
  } else if (length != 0) {
    return Status.NotSendable;
  }
  put(link.dataKind, flags, id, length, length);
  return Status.Ok;
}

/**
 * Appends a credit frame: the peer may send `bytes` more of connection `id`. `Late` when it is no longer
 * open.
 */
export function frame_put_credit(id: u32, bytes: u32): Status {
  if (HEADER_BYTES + 4 > send_space()) return Status.Full;
  const slot = findConnection(id);
  if (changetype<u32>(slot) == 0) return Status.Late;
  if (bytes > MAX_WINDOW - slot.receive) return Status.NotCreditable;
  slot.receive += bytes;
  put(link.creditKind, 0, id, 4, 4);
  setCreditBytes(link.sendPayload, bytes);
  return Status.Ok;
}

function put(kind: u32, flags: u32, id: u32, length: u32, room: u32): void {
  const header = sendBuffer + link.sent;
  setHeader(header, length, kind, flags, id);
  link.sendPayload = header + HEADER_BYTES;
  link.sent += HEADER_BYTES + room;
}

// -- the header's fields: the only loads and stores of the wire --------------------------------------------------

function headerLength(header: u32): u32 {
  return load<u32>(header, HEADER_LENGTH);
}

function headerKind(header: u32): u32 {
  return load<u16>(header, HEADER_KIND);
}

function headerFlags(header: u32): u32 {
  return load<u16>(header, HEADER_FLAGS);
}

function headerId(header: u32): u32 {
  return load<u32>(header, HEADER_ID);
}

function setHeader(header: u32, length: u32, kind: u32, flags: u32, id: u32): void {
  store<u32>(header, length, HEADER_LENGTH);
  store<u16>(header, kind, HEADER_KIND);
  store<u16>(header, flags, HEADER_FLAGS);
  store<u32>(header, id, HEADER_ID);
}

function creditBytes(payload: u32): u32 {
  return load<u32>(payload);
}

function setCreditBytes(payload: u32, bytes: u32): void {
  store<u32>(payload, bytes);
}
