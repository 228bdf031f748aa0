// Status codes that cross the boundary between protocol.wasm and its host. Read as AssemblyScript by the core
// and as TypeScript by link.ts and the tests, so each code has one source. Codes below `Status.Refused` are
// normal outcomes; the others name the reason why a link must end.

/** What `frame_next`, `frame_put*` and `connection_open` answer. */
export const enum Status {
  /** Done, without a result. */
  Ok = 0,
  /** The received bytes hold no further whole frame: read more. */
  More = 1,
  /** A frame other than `data` and `credit` is current. */
  Frame = 2,
  /** Bytes of an open connection are current; its receive window is charged. */
  Data = 3,
  /** An open connection's send window grew. */
  Credit = 4,
  /** Data or credit of a connection that is not open: it was reset or closed a moment ago. Drop it. */
  Late = 5,
  /** The frame does not fit in what is left of the send buffer: write that first. */
  Full = 6,

  /** From here on: refused. Never answered itself. */
  Refused = 16,
  /** The header names a payload over the limit of its kind. */
  TooLong = 17,
  /** The header has undefined flags. */
  UnknownFlags = 18,
  /** The header has kind 0. */
  NoKind = 19,
  /** A credit frame has fewer than four bytes. */
  ShortCredit = 20,
  /** The peer sent more than the connection's receive window. */
  WindowExceeded = 21,
  /** The peer credited more than was sent. */
  CreditOverflow = 22,
  /** The peer sent data after its END on the connection. */
  DataAfterEnd = 23,
  /** No room for another connection on this link. */
  TooManyConnections = 24,
  /** The host said it read more bytes than there was space. */
  TooMuchReceived = 25,
  /** The host sends data of a connection that is not open, beyond its window, or after END. */
  NotSendable = 26,
  /** The host returns more credit than it received. */
  NotCreditable = 27,
}
