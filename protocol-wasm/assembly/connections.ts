// The connections of one link and the credit of each, in an open-addressed table: linear probing, at most
// half full, and a removal closes its gap, so there are no tombstones. frame.ts charges and refills the
// windows; the host opens and closes. A table that is full is rehashed into the next, twice as large, which
// lies right behind it: memory never grows while a link lives, and the pages of a table that was never
// reached are never touched.

import { Status } from "./status";

/** Bytes that may be in flight on a new connection, each way, before the receiver credits any. */
export const WINDOW: u32 = 1 << 18;
/** To how much a receiver may grow a window, by crediting more than it took. */
export const MAX_WINDOW: u32 = 1 << 22;
/** Most connections open on a link at a time. */
export const MAX_CONNECTIONS: u32 = 1 << 16;

/** `Connection.state`: the peer sent END. */
export const PEER_ENDED: u32 = 1;
/** `Connection.state`: this side sent END. */
export const WE_ENDED: u32 = 2;
const USED: u32 = 4;

const FIRST_SLOTS: u32 = 256;
const SLOT_BYTES: u32 = 16;
/**
 * What all tables together take, smallest to largest. A link without connections has an empty one, in which
 * nothing is found.
 */
export function tablesBytes(connects: bool): u32 {
  return connects ? 4 * MAX_CONNECTIONS * SLOT_BYTES : FIRST_SLOTS * SLOT_BYTES;
}

/** One slot of the table. `state` 0 is a free one. */
@unmanaged
export class Connection {
  id: u32;
  state: u32;
  /** Bytes this side may still send. */
  send: u32;
  /** Bytes the peer may still send. */
  receive: u32;
}

let table: u32 = 0;
let slots: u32 = 0;
let count: u32 = 0;
let most: u32 = 0;

/** The tables take `tablesBytes` of zeroed memory from `base` on. */
export function startConnections(base: u32, connects: bool): void {
  table = base;
  slots = FIRST_SLOTS;
  count = 0;
  most = connects ? MAX_CONNECTIONS : 0;
}

/** Opens connection `id` with both windows full; `Ok` also when it is open already. */
export function connection_open(id: u32): Status {
  if (changetype<u32>(findConnection(id)) != 0) return Status.Ok;
  if (count == most) return Status.TooManyConnections;
  count++;
  if (count > slots >> 1) growTable();
  const connection = freeSlot(id);
  connection.id = id;
  connection.state = USED;
  connection.send = WINDOW;
  connection.receive = WINDOW;
  return Status.Ok;
}

/** Forgets connection `id`, if it is open; its frames are `Late` from now on. */
export function connection_close(id: u32): void {
  const connection = findConnection(id);
  if (changetype<u32>(connection) == 0) return;
  count--;
  closeGap((changetype<u32>(connection) - table) / SLOT_BYTES);
}

/** How many connections are open. */
export function connection_count(): u32 {
  return count;
}

/** The connection `id`, or null (0). */
export function findConnection(id: u32): Connection {
  const mask = slots - 1;
  let index = home(id);
  let connection = slotAt(index);
  while (connection.state != 0 && connection.id != id) {
    index = (index + 1) & mask;
    connection = slotAt(index);
  }
  return connection.state != 0 ? connection : changetype<Connection>(0);
}

function slotAt(index: u32): Connection {
  return changetype<Connection>(table + index * SLOT_BYTES);
}

/**
 * Where the probing for `id` begins. Fibonacci hashing: the product's upper bits, as many as index the table.
 */
function home(id: u32): u32 {
  return (id * 0x9E3779B1) >> (clz(slots) + 1);
}

function freeSlot(id: u32): Connection {
  const mask = slots - 1;
  let index = home(id);
  while (slotAt(index).state != 0) index = (index + 1) & mask;
  return slotAt(index);
}

function growTable(): void {
  const from = table;
  const end = from + slots * SLOT_BYTES;
  table = end;
  slots <<= 1;
  for (let at = from; at < end; at += SLOT_BYTES) {
    const connection = changetype<Connection>(at);
    if (connection.state != 0) memory.copy(changetype<u32>(freeSlot(connection.id)), at, SLOT_BYTES);
  }
}

/** Frees the slot at `gap` and pulls forward what was probed past it. */
function closeGap(gap: u32): void {
  const mask = slots - 1;
  let index = (gap + 1) & mask;
  while (slotAt(index).state != 0) {
    const distance = (index - home(slotAt(index).id)) & mask;
    if (distance >= ((index - gap) & mask)) {
      memory.copy(changetype<u32>(slotAt(gap)), changetype<u32>(slotAt(index)), SLOT_BYTES);
      gap = index;
    }
    index = (index + 1) & mask;
  }
  slotAt(gap).state = 0;
}
