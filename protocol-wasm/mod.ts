// The only door of protocol-wasm: what CLI and agent must agree on.

export { AGENT_PROTOCOL_VERSION, agentMessages } from "./agent_messages.ts";
export { layerMessages } from "./layer_messages.ts";
export { type Address, type Body, decode, encode, type MessageTable, tableHash } from "./codec.ts";
export { type ByteChannel, Link, LinkError, type LinkStream, type Received, RemoteError } from "./link.ts";
export { compileFilter, compileGlobs, type Filter, FilterError, type Globs, HttpRequestReader } from "./filter.ts";
