// The rules of the layer link: for every message of a process of the app what it may contain. A process can
// harm itself at most: a wrong message ends that link alone, and its bytes are bounded. The layer checks the
// session's own answers (wire.h, and each unpack function).

import { hostNameBytes, interfaceQuestionBytes, toldAddresses } from "./numbers.ts";
import type { Complaint, Door } from "./door.ts";
import { makeDoor, type Rule, type Rules } from "./door.ts";
import { layerMessages } from "./layer_messages.ts";
import * as record from "./records.ts";

type Table = typeof layerMessages;

/** PATH_MAX, and what is put before a relative path. */
const mostPath = 8192;
/** With a zero. */
const mostName = hostNameBytes + 1;
/** A clause with "it is …". */
const mostReason = 1024;
/** A DNS message has 65,535 bytes. */
const mostMessage = 0xffff;

const fine = (): Complaint => null;
const asks: { by: "client"; check: () => Complaint } = { by: "client", check: fine };
const tells: { by: "answer"; check: () => Complaint } = { by: "answer", check: fine };
const atPath: { by: "client"; check: (body: { path: Uint8Array }) => Complaint } = {
  by: "client",
  check: ({ path }) => record.pathComplaint(path, mostPath),
};
const tellsName: { by: "client"; check: (body: { name: Uint8Array }) => Complaint } = {
  by: "client",
  check: ({ name }) => runComplaint("name", name, mostName),
};

function runComplaint(what: string, run: Uint8Array, most: number): Complaint {
  return run.length > most ? `its ${what} has ${run.length} bytes` : null;
}

/** The fields that are an address are one: only a socket's source may be none. */
function placed<K extends keyof Table>(): Rule<Table, K> {
  return {
    by: "client",
    check: (body) => {
      for (const [name, value] of Object.entries(body)) {
        const isNone = typeof value === "object" && value !== null && "address" in value &&
          value.address === "";
        if (isNone && name !== "source") return `its ${name} is no address`;
      }
      return null;
    },
  };
}

function said<K extends keyof Table>(check: Rule<Table, K>["check"]): Rule<Table, K> {
  return { by: "client", check };
}

/** What is true of each message. */
export const layerLimits: Rules<Table> = {
  hello: said<"hello">(({ executable }) => record.pathComplaint(executable, mostPath)),
  helloReply: tells,
  unhooked: said<"unhooked">(({ executable, reason }) =>
    record.pathComplaint(executable, mostPath) ??
      (reason.length > mostReason ? `its reason has ${reason.length} characters` : null)
  ),
  handed: said<"handed">(({ path }) => runComplaint("path", path, mostPath)), // an abstract socket's begins with a zero
  program: said<"program">(({ path }) => runComplaint("path", path, mostPath)),
  programReply: tells,
  failure: tells,
  bind: placed<"bind">(),
  bindReply: tells,
  listen: placed<"listen">(),
  listenReply: tells,
  accepted: placed<"accepted">(),
  acceptedReply: tells,
  listener: placed<"listener">(),
  listenerReply: tells,
  closed: placed<"closed">(),
  closedReply: tells,
  bound: placed<"bound">(),
  boundReply: tells,
  looped: placed<"looped">(),
  loopedReply: tells,
  connect: placed<"connect">(),
  connectReply: tells,
  dialled: placed<"dialled">(),
  outcome: asks,
  outcomeReply: tells,
  connection: placed<"connection">(),
  connectionReply: tells,
  abandoned: asks,
  associate: placed<"associate">(),
  associateReply: tells,
  sender: placed<"sender">(),
  senderReply: tells,
  lookup: tellsName,
  lookupReply: tells,
  reverse: placed<"reverse">(),
  reverseReply: tells,
  hostName: asks,
  hostNameReply: tells,
  found: said<"found">(({ name, addresses }) =>
    runComplaint("name", name, mostName) ?? record.addressesComplaint(addresses, toldAddresses)
  ),
  foundReply: tells,
  resolve: said<"resolve">(({ name, query }) =>
    runComplaint("name", name, mostName) ?? runComplaint("query", query, mostMessage)
  ),
  resolveReply: tells,
  resolved: said<"resolved">(({ name, reply }) =>
    runComplaint("name", name, mostName) ?? runComplaint("reply", reply, mostMessage)
  ),
  resolvedReply: tells,
  open: atPath,
  openReply: tells,
  stat: atPath,
  statReply: tells,
  access: atPath,
  accessReply: tells,
  readLink: atPath,
  readLinkReply: tells,
  statfs: atPath,
  statfsReply: tells,
  list: asks,
  listReply: tells,
  read: asks,
  readReply: tells,
  write: asks,
  writeReply: tells,
  seek: asks,
  seekReply: tells,
  change: atPath,
  changeReply: tells,
  move: said<"move">(({ from, to }) =>
    record.pathComplaint(from, mostPath) ?? record.pathComplaint(to, mostPath)
  ),
  moveReply: tells,
  release: asks,
  unwatched: atPath,
  enter: atPath,
  enterReply: tells,
  netlink: said<"netlink">(({ request }) => runComplaint("question", request, interfaceQuestionBytes)),
  netlinkReply: tells,
  interface: said<"interface">(({ request }) => runComplaint("question", request, interfaceQuestionBytes)),
  interfaceReply: tells,
};

/** The door of the session's end of a layer link. */
export function layerDoor(): Door {
  return makeDoor(layerMessages, layerLimits, { peer: "client", anyId: true });
}
