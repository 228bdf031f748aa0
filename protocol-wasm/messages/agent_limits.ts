// The rules of the agent link: for every message what it may contain, and for an answer what makes sense for
// its request. One table, beside agent_messages.ts; door.ts applies it to each frame, at both ends. What is
// wrong here ends the link: so lengths, counts and numbers are as large as a real target can make them, and
// no larger.

import { folderEntriesComplaint } from "./folder_entries.ts";
import { filePage, hostNameBytes, noticeLevels } from "./numbers.ts";
import { E } from "../errno.ts";
import { agentMessages, probeKinds, reachBits } from "./agent_messages.ts";
import type { Body } from "./codec.ts";
import { type Complaint, type Door, isErrno, makeDoor, type Rule, type Rules } from "./door.ts";
import * as record from "./records.ts";

type Table = typeof agentMessages;

/** PATH_MAX, and what is put behind a directory's. */
const mostPath = 8192;
/** Bytes of a folder's page. */
const mostEntries = filePage;
/** With a zero. */
const mostName = hostNameBytes + 1;
/** A DNS message has 65,535 bytes; hosts files may name more. */
const mostNames = 1 << 18;
const mostAddresses = 1 << 14;
/** h_errno of <netdb.h>. */
const mostEnding = 4;
/** Of one release, one kernel. */
const mostLabel = 256;
/** Connections of a link, and the last frame, which names none. */
const mostUnsent = 65_537;
/** Pieces of an environment; what they hold together is bounded by link.ts. */
const mostEnvironment = 4096;
/** A filter is the configuration's text. */
const mostFilter = 1 << 18;
/** A node has few addresses. */
const mostNodes = 4096;
/** Bytes of a list of ports: all that there are. */
const mostPorts = 2 * 65_535;
/** Seconds: a day. */
const mostStandStill = 86_400;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;

const fine = (): Complaint => null;
/** A request whose fields are numbers that its reader judges. */
const byClient: { by: "client"; check: () => Complaint } = { by: "client", check: fine };
/** The target's variables, or their names: each comes in frames that are read as they are. */
const variables = {
  by: "client" as const,
  check: ({ include, exclude }: { include: string; exclude: string }): Complaint =>
    textComplaint("list", include, mostFilter) ?? textComplaint("list", exclude, mostFilter),
  raw: fine,
  frames: mostEnvironment,
};
/** An empty answer. */
const done: { by: "answer"; check: () => Complaint; answer: () => Complaint } = {
  by: "answer",
  check: fine,
  answer: fine,
};

/** An entry that only answers. */
function answers<K extends keyof Table>(
  answer: NonNullable<Rule<Table, K>["answer"]>,
  more: Partial<Rule<Table, K>> = {},
): Rule<Table, K> {
  return { by: "answer", check: fine, answer, ...more };
}

/** A request that names a path. */
const atPath: { by: "client"; check: (body: { path: Uint8Array }) => Complaint } = {
  by: "client",
  check: ({ path }) => record.pathComplaint(path, mostPath),
};

/** Both ends of a connection are somewhere. */
function endsComplaint(
  { local, peer }: { local: { address: string }; peer: { address: string } },
): Complaint {
  return local.address === "" || peer.address === "" ? "it names no address" : null;
}
const ends: { by: "answer"; check: () => Complaint; answer: typeof endsComplaint } = {
  by: "answer",
  check: fine,
  answer: endsComplaint,
};

function textComplaint(what: string, text: string, most: number): Complaint {
  return text.length > most ? `its ${what} has ${text.length} characters` : null;
}

/** Two bytes each, none of them 0. */
function portsComplaint(ports: Uint8Array): Complaint {
  if (ports.length % 2 !== 0 || ports.length > mostPorts) return `its ports have ${ports.length} bytes`;
  return ports.some((byte, at) => at % 2 === 0 && byte === 0 && ports[at + 1] === 0)
    ? "it has a port 0"
    : null;
}

/** Ed25519 and X25519. */
function keyComplaint(key: Uint8Array): Complaint {
  return key.length === 32 ? null : `its key has ${key.length} bytes`;
}

function versionComplaint(version: number): Complaint {
  return version === 0 ? "there is no version 0" : null;
}

function hostComplaint(
  { ending, name, aliases }: { ending: number; name: string; aliases: string },
): Complaint {
  if (ending > mostEnding) return `there is no ending ${ending}`;
  return record.nameComplaint(name, mostNames) ?? record.namesComplaint(aliases, mostNames);
}

/**
 * What an open may bring along: the whole of a small file, the beginning of another, a folder's first page.
 */
function openComplaint(
  { file, end, status, content }: Body<Table["openReply"]>,
  { whole, ahead }: Body<Table["open"]>,
): Complaint {
  const complaint = record.statusComplaint(status);
  if (complaint !== null) return complaint;
  const type = record.modeOf(status) & S_IFMT;
  const most = file === 0 ? whole : type === S_IFREG ? ahead : type === S_IFDIR ? mostEntries : 0;
  if (content.length > most) return `it has ${content.length} bytes of content, ${most} were asked for`;
  if (file === 0) {
    return whole === 0 || !end || type !== S_IFREG
      ? "it has the whole of what was not asked for whole"
      : null;
  }
  return type === S_IFDIR ? record.entriesComplaint(content, mostEntries) : null;
}

function resolveComplaint({ ending, errno, reply }: Body<Table["resolveReply"]>): Complaint {
  if (ending > mostEnding) return `there is no ending ${ending}`;
  if (![0, E.ECONNREFUSED, E.ETIMEDOUT].includes(errno)) return `its errno is ${errno}`;
  return reply.length > 0xffff ? `its message has ${reply.length} bytes` : null;
}

/** Where a write ended: behind what was written, if its place was given. */
function writeComplaint(
  { count, offset }: Body<Table["writeReply"]>,
  { content, offset: at }: Body<Table["write"]>,
): Complaint {
  if (count > content.length) return `${count} bytes were written of ${content.length}`;
  const isTold = at < 1n << 63n;
  if (isTold && offset !== at + BigInt(count)) return `it ended at ${offset}, not behind what was written`;
  return record.sizeComplaint("position", offset);
}

/** What is true of each message; docs: the table of messages. */
export const agentLimits: Rules<Table> = {
  challenge: {
    by: "agent",
    // A version that this side does not speak has a sentence of its own (core/deploy/connect.ts).
    check: ({ nonce, release }) =>
      textComplaint("release", release, mostLabel) ??
        (nonce.length < 16 || nonce.length > 256 ? `its nonce has ${nonce.length} bytes` : null),
  },
  greeting: {
    by: "agent",
    check: ({ identity, key }) => keyComplaint(identity) ?? keyComplaint(key),
  },
  join: {
    by: "client",
    check: ({ version, release, key }) =>
      versionComplaint(version) ?? textComplaint("release", release, mostLabel) ?? keyComplaint(key),
  },
  proof: {
    by: "either",
    check: ({ signature }) => signature.length === 64 ? null : `its signature has ${signature.length} bytes`,
  },
  prove: {
    by: "client",
    check: ({ version, signature, release }) =>
      versionComplaint(version) ?? textComplaint("release", release, mostLabel) ??
        (signature.length > 256 ? `its signature has ${signature.length} bytes` : null),
  },
  welcome: {
    by: "agent",
    late: true,
    check: ({ version, kernel }) => versionComplaint(version) ?? textComplaint("kernel", kernel, mostLabel),
  },
  ping: { by: "link", check: fine },
  goodbye: { by: "client", check: fine, answer: fine },
  notice: {
    by: "agent",
    check: ({ level }) => level >= noticeLevels.length ? `there is no level ${level}` : null,
  },
  failure: { by: "answer", check: ({ errno }) => isErrno(errno) ? null : `its errno is ${errno}` },
  owner: { by: "client", check: ({ text }) => textComplaint("text", text, mostLabel) },
  standStill: {
    by: "client",
    check: ({ seconds }) => seconds > mostStandStill ? `it stands still for ${seconds} s` : null,
  },
  standStillReply: done,
  unsent: byClient,
  unsentReply: answers<"unsentReply">(({ bytes }) => record.sizeComplaint("number of bytes", bytes), {
    frames: mostUnsent,
  }),
  data: { by: "link", check: fine },
  credit: { by: "link", check: fine },
  env: variables,
  envNames: variables,
  subscribe: {
    by: "client",
    check: ({ filter }) => textComplaint("filter", filter, mostFilter),
    answer: ({ port, mode }, asked) =>
      port === asked.port && mode === asked.mode ? null : `it is about port ${port}, not ${asked.port}`,
  },
  unsubscribe: {
    by: "client",
    check: fine,
    answer: ({ port }, asked) => port === asked.port ? null : `it is about port ${port}, not ${asked.port}`,
  },
  incoming: {
    by: "agent",
    check: ({ port, peer, local }) => port === 0 ? "there is no port 0" : endsComplaint({ local, peer }),
    answer: fine,
  },
  reach: {
    by: "client",
    check: ({ covered, standIn }) =>
      covered > reachBits.all || standIn > reachBits.all ? "it names addresses that are none" : null,
  },
  reached: byClient,
  reachedReply: answers<"reachedReply">(({ reach }) =>
    reach > reachBits.all ? "it names addresses that are none" : null
  ),
  probe: {
    by: "client",
    check: ({ how, nodes, filter }) => {
      if (how < probeKinds.http || how > probeKinds.grpc) return `there is no kind of probe ${how}`;
      return textComplaint("list of nodes", nodes, mostNodes) ?? textComplaint("filter", filter, mostFilter);
    },
  },
  silence: {
    by: "agent",
    check: ({ over, milliseconds, connections }) =>
      over || (milliseconds === 0 && connections === 0) ? null : "it counts what is not over",
  },
  connect: byClient,
  connectReply: ends,
  associate: byClient,
  associateReply: ends,
  held: byClient,
  heldReply: done,
  served: byClient,
  servedReply: done,
  connectFrom: byClient,
  connectFromReply: ends,
  associateFrom: byClient,
  associateFromReply: ends,
  packets: { by: "client", check: ({ ports }) => portsComplaint(ports) },
  packetsReply: done,
  listening: byClient,
  listeningReply: answers<"listeningReply">(({ ports }) => portsComplaint(ports)),
  lookup: { by: "client", check: ({ name }) => record.nameComplaint(name, mostName) },
  lookupReply: answers<"lookupReply">((body) =>
    hostComplaint(body) ?? record.addressesComplaint(body.addresses, mostAddresses)
  ),
  reverse: byClient,
  reverseReply: answers<"reverseReply">(hostComplaint),
  hostName: byClient,
  hostNameReply: answers<"hostNameReply">(({ name, search }) =>
    textComplaint("name", name, mostName) ?? textComplaint("search list", search, mostNames) ??
      (`${name}${search}`.includes("\0") ? "it has a name with a zero byte" : null)
  ),
  resolve: { by: "client", check: ({ name }) => record.nameComplaint(name, mostName) },
  resolveReply: answers<"resolveReply">(resolveComplaint),
  open: atPath,
  openReply: answers<"openReply">(openComplaint),
  stat: atPath,
  statReply: answers<"statReply">(({ status }) => record.statusComplaint(status)),
  access: atPath,
  accessReply: done,
  readLink: atPath,
  readLinkReply: answers<"readLinkReply">(({ target }) => record.pathComplaint(target, mostPath)),
  statfs: atPath,
  statfsReply: answers<"statfsReply">(({ status }) => record.systemComplaint(status)),
  list: byClient,
  listReply: answers<"listReply">(({ end, entries }) =>
    !end && entries.length === 0
      ? "it goes on, and has nothing"
      : record.entriesComplaint(entries, mostEntries)
  ),
  read: byClient,
  readReply: answers<"readReply">(({ content }, { count }) =>
    content.length > count ? `it has ${content.length} bytes of content, ${count} were asked for` : null
  ),
  write: byClient,
  writeReply: answers<"writeReply">(writeComplaint),
  seek: byClient,
  seekReply: answers<"seekReply">(({ offset }) => record.sizeComplaint("position", offset)),
  change: atPath,
  changeReply: done,
  move: {
    by: "client",
    check: ({ from, to }) => record.pathComplaint(from, mostPath) ?? record.pathComplaint(to, mostPath),
  },
  moveReply: done,
  close: byClient,
  closeReply: done,
  stream: byClient,
  streamReply: done,
  enter: atPath,
  enterReply: answers<"enterReply">(({ physical }) =>
    physical[0] === 0x2f ? record.pathComplaint(physical, mostPath) : "it names no absolute path"
  ),
  scan: atPath,
  scanReply: answers<"scanReply">(({ end, certain, folder, entries }, { most }) =>
    certain && !end
      ? "it is certain of what it did not read"
      : record.statusComplaint(folder) ?? folderEntriesComplaint(entries, most)
  ),
  netlink: byClient,
  netlinkReply: answers<"netlinkReply">(({ messages }) => record.netlinkComplaint(messages)),
  interface: byClient,
  interfaceReply: answers<"interfaceReply">(({ content }, { request }) =>
    record.interfaceComplaint(content, request)
  ),
};

/** The door of one end of the agent link, for the messages of `peer`. */
export function agentDoor(peer: "client" | "agent"): Door {
  return makeDoor(agentMessages, agentLimits, { peer });
}
