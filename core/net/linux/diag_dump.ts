// The frame of the kernel's lists of sockets: the question, the messages of an answer, their attributes. Used
// by sock_diag.ts and by the agent's unix_diag.ts, which read the content of the messages. Facts:
// sock_diag(7), netlink(7).

export const AF_NETLINK = 16;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST_DUMP = 0x301;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
/** struct nlmsghdr. */
const headerBytes = 16;

/** A question for all that `body` asks for; `body` begins with the address family. */
export function dumpRequest(body: DataView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const request = new Uint8Array(headerBytes + body.byteLength);
  const view = new DataView(request.buffer);
  view.setUint32(0, request.length, true);
  view.setUint16(4, SOCK_DIAG_BY_FAMILY, true);
  view.setUint16(6, NLM_F_REQUEST_DUMP, true);
  request.set(new Uint8Array(body.buffer, body.byteOffset, body.byteLength), headerBytes);
  return request;
}

/** Calls `found` with each socket of one datagram of the answer; null after an error. */
export function readDump(
  bytes: Uint8Array<ArrayBuffer>,
  found: (message: DataView<ArrayBuffer>) => void,
): "more" | "done" | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + headerBytes <= bytes.length;) {
    const length = view.getUint32(at, true);
    const type = view.getUint16(at + 4, true);
    if (type === NLMSG_DONE) return "done";
    if (type === NLMSG_ERROR || length < headerBytes || at + length > bytes.length) return null;
    found(new DataView(bytes.buffer, bytes.byteOffset + at + headerBytes, length - headerBytes));
    at += (length + 3) & ~3;
  }
  return "more";
}

/**
 * The attributes of a message from `at` on (struct nlattr: length, type), each as its type and where its
 * value stands.
 */
export function* attributes(
  message: DataView<ArrayBuffer>,
  at: number,
): Generator<{ type: number; value: DataView<ArrayBuffer> }> {
  while (at + 4 <= message.byteLength) {
    const length = message.getUint16(at, true);
    if (length < 4) return;
    const value = new DataView(message.buffer, message.byteOffset + at + 4, length - 4);
    yield { type: message.getUint16(at + 2, true), value };
    at += (length + 3) & ~3;
  }
}
