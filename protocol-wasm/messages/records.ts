// Whether records of the peer can be what a kernel made: struct statx, entries of a folder's list, netlink
// messages; and mirrord's own lists of names and addresses. Called by agent_limits.ts. Each check returns a
// complaint, or null. Facts: statx(2), getdents(2), netlink(7).

import { fileStatusBytes, fileSystemBytes, packedAddressBytes } from "./numbers.ts";
import type { Complaint } from "./door.ts";

const statusSizeAt = 40;
const statusBlocksAt = 48;
/** Of struct linux_dirent64: d_ino, d_off, d_reclen, d_type; then the name with its zero. */
const lengthAt = 16;
const nameAt = 19;
const shortestEntry = 24;
/** Names of vfat and CIFS have 255 characters of up to six bytes each: more than NAME_MAX. */
const longestEntry = 4096;
const slash = 0x2f;
/** Of struct nlmsghdr, and of struct ifreq. */
const netlinkHead = 16;
const requestBytes = 40;
/** MAX_ARG_STRLEN, and more than the kernel gives all arguments and variables. */
const mostVariable = 131_072;
const mostVariables = 8 << 20;
/** What a signed number of 64 bits cannot be. */
const negative = 1n << 63n;

/** A position or a size that the kernel reports. */
export function sizeComplaint(what: string, size: bigint): Complaint {
  return size >= negative ? `its ${what} is negative` : null;
}

/** struct statx. */
export function statusComplaint(status: Uint8Array): Complaint {
  if (status.length !== fileStatusBytes) return `its status has ${status.length} bytes`;
  const view = viewOf(status);
  return sizeComplaint("size", view.getBigUint64(statusSizeAt, true)) ??
    sizeComplaint("number of blocks", view.getBigUint64(statusBlocksAt, true));
}

/** struct statfs. */
export function systemComplaint(status: Uint8Array): Complaint {
  return status.length === fileSystemBytes ? null : `its status has ${status.length} bytes`;
}

/** st_mode of a checked struct statx. */
export function modeOf(status: Uint8Array): number {
  return viewOf(status).getUint16(28, true);
}

/** A folder's list: whole entries, each with a name that is one step of a path. */
export function entriesComplaint(entries: Uint8Array, most: number): Complaint {
  if (entries.length > most) return `its list has ${entries.length} bytes`;
  for (let at = 0; at < entries.length;) {
    if (entries.length - at < shortestEntry) return "its list ends within an entry";
    const length = (entries[at + lengthAt] ?? 0) | ((entries[at + lengthAt + 1] ?? 0) << 8);
    if (length < shortestEntry || length > longestEntry || length > entries.length - at) {
      return `its list has an entry of ${length} bytes`;
    }
    const end = entries.indexOf(0, at + nameAt);
    if (end < 0 || end >= at + length) return "its list has a name without an end";
    if (end === at + nameAt) return "its list has an empty name";
    const step = entries.indexOf(slash, at + nameAt);
    if (step >= 0 && step < end) return 'its list has a name with a "/"';
    at += length;
  }
  return null;
}

/** Messages of netlink(7), one behind the other. */
export function netlinkComplaint(messages: Uint8Array): Complaint {
  const view = viewOf(messages);
  for (let at = 0; at < messages.length;) {
    const left = messages.length - at;
    const length = left < netlinkHead ? 0 : view.getUint32(at, true);
    if (length < netlinkHead || length > left) return `it has a netlink message of ${length} bytes`;
    at += (length + 3) & ~3;
  }
  return null;
}

/** What an ioctl of netdevice(7) made of a request; of an empty one a list of struct ifreq. */
export function interfaceComplaint(content: Uint8Array, request: Uint8Array): Complaint {
  const fits = request.length === 0
    ? content.length % requestBytes === 0
    : content.length === Math.max(request.length, requestBytes);
  return fits ? null : `it has ${content.length} bytes`;
}

/** Addresses as `packAddresses` writes them, at most `most`. */
export function addressesComplaint(addresses: Uint8Array, most: number): Complaint {
  if (addresses.length % packedAddressBytes !== 0) return `its addresses have ${addresses.length} bytes`;
  if (addresses.length > most * packedAddressBytes) {
    return `it has ${addresses.length / packedAddressBytes} addresses`;
  }
  for (let at = 0; at < addresses.length; at += packedAddressBytes) {
    const family = addresses[at];
    if (family !== 4 && family !== 6) return `it has an address of family ${family}`;
  }
  return null;
}

/** A host's name, one character for each byte. */
export function nameComplaint(name: string, most: number): Complaint {
  if (name.length > most) return `it has a name of ${name.length} characters`;
  // deno-lint-ignore no-control-regex
  return /[^\x01-\xff]/.test(name) ? "it has a name with a character that no host's has" : null;
}

/** Names, each ended by a zero. */
export function namesComplaint(names: string, most: number): Complaint {
  if (names.length > most) return `its names have ${names.length} characters`;
  if (names !== "" && !names.endsWith("\0")) return "its last name has no end";
  // deno-lint-ignore no-control-regex
  return /[^\x00-\xff]/.test(names) ? "it has a name with a character that no host's has" : null;
}

/** A path, or the text of a link, as the kernel takes it. */
export function pathComplaint(path: Uint8Array, most: number): Complaint {
  if (path.length > most) return `its path has ${path.length} bytes`;
  return path.includes(0) ? "its path has a zero byte" : null;
}

/**
 * The variables of a process: a block that the kernel could have started one with (execve(2), "Limits on
 * size").
 */
export function environmentComplaint(parts: readonly Uint8Array[]): Complaint {
  let [all, one] = [0, 0];
  for (const part of parts) {
    all += part.length;
    for (let at = 0; at < part.length;) {
      const zero = part.indexOf(0, at);
      one += (zero < 0 ? part.length : zero) - at;
      if (one >= mostVariable) return `it has a variable of more than ${mostVariable} bytes`;
      if (zero < 0) break;
      one = 0;
      at = zero + 1;
    }
  }
  return all > mostVariables ? `it has ${all} bytes of variables` : null;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
