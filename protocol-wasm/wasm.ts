// Loads protocol.wasm: compiled once per program, one instance per link or filter set, dropped with it.
// link.ts and filter.ts call it. The module imports nothing, so an instance can reach nothing but its own
// memory. The file lies beside this module, or beside the bundle this module is in (`deno compile --include`
// it).

import { Status } from "./assembly/status.ts";

/** A number that the module exports. */
interface Constant {
  readonly value: number;
}

/** What assembly/frame.ts and assembly/connections.ts export; statuses are `Status` of assembly/status.ts. */
export interface FrameCore {
  readonly memory: WebAssembly.Memory;
  readonly HEADER_BYTES: Constant;
  readonly HEADER_LENGTH: Constant;
  readonly HEADER_KIND: Constant;
  readonly HEADER_FLAGS: Constant;
  readonly HEADER_ID: Constant;
  readonly FLAG_END: Constant;
  readonly FLAG_ERROR: Constant;
  readonly MAX_PAYLOAD: Constant;
  readonly MAX_DATA: Constant;
  readonly WINDOW: Constant;
  readonly MAX_WINDOW: Constant;
  readonly MAX_CONNECTIONS: Constant;
  frame_start(dataKind: number, creditKind: number): void;
  receive_space(): number;
  receive_pointer(): number;
  receive_take(bytes: number): number;
  receive_rest(): number;
  frame_next(): number;
  frame_kind(): number;
  frame_flags(): number;
  /** Signed, as every i32 of Wasm: `>>> 0` makes it the id. */
  frame_id(): number;
  frame_payload(): number;
  frame_length(): number;
  send_begin(): void;
  send_pointer(): number;
  send_length(): number;
  send_payload(): number;
  send_space(): number;
  frame_put(kind: number, flags: number, id: number, length: number): number;
  frame_put_header(kind: number, flags: number, id: number, length: number): number;
  frame_put_data(id: number, flags: number, length: number): number;
  frame_put_credit(id: number, bytes: number): number;
  data_room(id: number): number;
  connection_open(id: number): number;
  connection_close(id: number): void;
  connection_count(): number;
}

let compiled: WebAssembly.Module | undefined;

/** The compiled module; read and compiled at the first call (a few ms), kept for the program's life. */
export function protocolModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Deno.readFileSync(new URL("./protocol.wasm", import.meta.url)));
  return compiled;
}

/** A fresh instance; `Core` names the exports that the caller uses. */
export function instantiate<Core>(): Core {
  return new WebAssembly.Instance(protocolModule()).exports as unknown as Core;
}

/**
 * A string of the Wasm module itself: UTF-16, its byte length in the four bytes before it; 0 is no string.
 */
export function staticText(memory: WebAssembly.Memory, at: number): string {
  if (at === 0) return "";
  const length = new DataView(memory.buffer).getUint32(at - 4, true);
  return new TextDecoder("utf-16le").decode(new Uint8Array(memory.buffer, at, length));
}

/** One sentence on why the current frame was refused with `status`. */
export function refusal(status: number, core: FrameCore): string {
  const frame = `frame of kind ${core.frame_kind()}, connection or request ${core.frame_id() >>> 0}`;
  const why: Record<number, string> = {
    [Status.TooLong]: `its ${core.frame_length() >>> 0} bytes are over the limit`,
    [Status.UnknownFlags]: `it has unknown flags ${core.frame_flags()}`,
    [Status.NoKind]: "it has no kind",
    [Status.ShortCredit]: "it is shorter than its fields",
    [Status.WindowExceeded]: "it is over the credit of its connection",
    [Status.CreditOverflow]: "it credits more than was sent",
    [Status.DataAfterEnd]: "it comes after the end of its connection",
  };
  return `Cannot accept a ${frame}: ${why[status] ?? `status ${status}`}`;
}
