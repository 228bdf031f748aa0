// The only door of protocol-wasm: what CLI and agent must agree on.

export { agentMessages, agentProtocolVersion } from "./agent_messages.ts";
export { fileChanges, fileMoves, layerMessages } from "./layer_messages.ts";
export {
  type Address,
  type Body,
  decode,
  encode,
  type Message,
  type MessageTable,
  tableHash,
} from "./codec.ts";
export { formatIp, parseIp } from "./ip_address.ts";
export {
  type Answered,
  type ByteChannel,
  endFlag,
  errorFlag,
  Link,
  LinkError,
  type LinkOptions,
  type LinkStream,
  type Received,
  RemoteError,
} from "./link.ts";
export { connStream } from "./stream.ts";
export { lookupFlags, packAddresses, resolveFlags, unpackAddresses } from "./names.ts";
export { compileFilter, type Filter, FilterError } from "./filter.ts";
export { compileGlobs, type Globs } from "./glob.ts";
export { HttpReader, type HttpStep } from "./http.ts";
export { compileRegex, type Regex, RegexError } from "./regex.ts";
export { compileRules, type Destination, type Rules } from "./rules.ts";
