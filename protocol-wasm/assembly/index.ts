// The export list of protocol.wasm, nothing else.

export * from "./frame";
export * from "./http_head";
export * from "./filter";
