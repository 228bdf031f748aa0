// The export list of protocol.wasm, nothing else.

export { connection_close, connection_count, connection_open, MAX_CONNECTIONS, MAX_WINDOW, WINDOW } from "./connections";
export * from "./frame";
export * from "./http_body";
export * from "./filter";
export * from "./glob";
export * from "./address";
export * from "./regex";
