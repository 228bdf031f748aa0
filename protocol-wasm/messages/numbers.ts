// Numbers that two sides share beside the messages themselves: session and agent, session and layer, agent
// and its kernel programs. Each stands here alone: TypeScript imports it, and scripts/wire.ts writes it into
// layer/wire.h and agent/bpf/numbers.h. Flags of look-ups are in names.ts, those of changes to files in
// layer_messages.ts.

/** `mode` of subscribe. mirror: what the port's clients send is copied. */
export const subscribeModes = { steal: 1, mirror: 2 } as const;

/** `level` of notice, which is the position. */
export const noticeLevels = ["info", "warning", "error"] as const;

/** `level` of notice for the level that is called so. */
export function noticeLevel(name: (typeof noticeLevels)[number]): number {
  return noticeLevels.indexOf(name);
}

/**
 * `where` of the layer link's answers about files: call libc, all of it is in the answer, an open file of the
 * target.
 */
export const fileWhere = { local: 0, whole: 1, remote: 2 } as const;

/** The most that one question of the layer reads or writes: a frame, and a little for the rest of it. */
export const filePiece = 1_048_000;
/** The most bytes of a folder's list in one answer. */
export const filePage = 1 << 18;
/** `offset` of a read or a write at the position that all holders of the file share. */
export const ownPosition = (1n << 64n) - 1n;

/** A packed address: its family, 4 or 6, and 16 bytes. */
export const packedAddressBytes = 17;
/** A name of a host, without its zero: NI_MAXHOST of getnameinfo(3) has one. */
export const hostNameBytes = 1024;
/** The addresses that the layer reports of a local name. */
export const toldAddresses = 64;
/** The longest question about interfaces. */
export const interfaceQuestionBytes = 512;

/** Flags of open(2) on both links that machines number differently: as x86_64 does. */
export const openFlags = {
  direct: 0o40000,
  largeFile: 0o100000,
  directory: 0o200000,
  noFollow: 0o400000,
} as const;
/** struct statx (statx(2)), and struct statfs of 64-bit Linux (statfs(2)). */
export const fileStatusBytes = 256;
export const fileSystemBytes = 120;

/** A path of a Unix socket, with its zero (unix(7)). */
export const socketPathBytes = 108;
/**
 * Suffixes of the session's socket path: the file with the rules on files from hello's answer, and the socket
 * of processes that hold a file.
 */
export const rulesSuffix = ".paths";
export const holdsSuffix = ".files";
/** The lowest descriptor that the layer keeps a link at, where the limit allows it. */
export const linkDescriptor = 1000;

/** How the layer's own file ends, run as a program, when it may not be traced; no errno is so high. */
export const untracedCode = 250;

/**
 * The hop limit of the agent's own connections to the original, by which the filter of mirrors recognizes
 * them.
 */
export const agentHops = 177;
/**
 * Where the sets of `reachBits` begin in a value of the steal program's map of ports; below stands the
 * listener's place.
 */
export const reachShift = 8;
