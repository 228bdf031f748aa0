// The only entrance of protocol-wasm: what CLI and agent must agree on.

export { agentDoor, agentLimits } from "./messages/agent_limits.ts";
export { E } from "./errno.ts";
export {
  agentHops,
  filePage,
  filePiece,
  fileStatusBytes,
  fileSystemBytes,
  fileWhere,
  holdsSuffix,
  linkDescriptor,
  noticeLevel,
  noticeLevels,
  openFlags,
  ownPosition,
  reachShift,
  rulesSuffix,
  socketPathBytes,
  subscribeModes,
  untracedCode,
} from "./messages/numbers.ts";
export { agentMessages, agentProtocolVersion, probeKinds, reachBits } from "./messages/agent_messages.ts";
export { type Announcement, announcementLine, readAnnouncement } from "./handshake/announcement.ts";
export {
  ExchangeKey,
  importPublicKey,
  type LinkKeys,
  type Said,
  type Side,
  SigningKey,
  transcriptOf,
  verifies,
} from "./handshake/handshake.ts";
export { Greeting, type GreetingFrame } from "./handshake/greeting.ts";
export {
  maxText,
  recordHeaderBytes,
  recordTagBytes,
  type Seal,
  SealedStream,
} from "./handshake/sealed_stream.ts";
export { layerDoor, layerLimits } from "./messages/layer_limits.ts";
export { fileChanges, fileMoves, layerMessages } from "./messages/layer_messages.ts";
export { type FileKind, fileKinds, fileRequests } from "./messages/file_requests.ts";
export {
  folderEntries,
  type FolderEntry,
  folderEntryBytes,
  longestName,
  packFolderEntry,
  wholeStatus,
} from "./messages/folder_entries.ts";
export { concatenate } from "./handshake/bytes.ts";
export {
  type Address,
  type Body,
  decode,
  encode,
  type Message,
  type MessageTable,
  tableHash,
} from "./messages/codec.ts";
export { type Door, isErrno, mostText } from "./messages/door.ts";
export { formatIp, parseIp } from "./addresses/ip_address.ts";
export {
  type Answered,
  type ByteChannel,
  endFlag,
  errorFlag,
  Link,
  type LinkChannel,
  LinkError,
  type LinkOptions,
  type LinkStream,
  NonsenseError,
  RemoteError,
} from "./link/link.ts";
export type { Received } from "./link/inbox.ts";
export type { AgentFrame, AgentLink, LayerFrame, LayerLink } from "./link/links.ts";
export { environmentComplaint } from "./messages/records.ts";
export type { Liveness } from "./link/liveness.ts";
export { freeBytes } from "./link/free_bytes.ts";
export { connStream } from "./link/stream.ts";
export {
  type PacketKind,
  type PacketRecord,
  packetRecordBytes,
  PacketRecords,
  packPacketRecord,
} from "./messages/packet_records.ts";
export { lookupFlags, packAddresses, resolveFlags, unpackAddresses } from "./messages/names.ts";
export { FilterError } from "./errors.ts";
export { compileFilter, type Filter } from "./http/filter.ts";
export { compileGlobs, type Globs } from "./patterns/glob.ts";
export { HttpReader, type HttpStep } from "./http/http.ts";
export { compileRegex, type Regex, RegexError } from "./patterns/regex.ts";
export { compileRules, type Destination, type Rules } from "./addresses/rules.ts";
