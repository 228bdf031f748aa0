// One byte stream to a port on a pod's loopback, through the API server. Called by client.ts. SPDY is tried
// first, for what it saves (spdy_forward.ts); the WebSocket is what explains a refusal.

import type { LinkStream } from "../../protocol-wasm/mod.ts";
import { log } from "../base/log.ts";
import { platform } from "../net/this_platform.ts";
import { openSpdyForward, type SpdyForwardOptions } from "./spdy_forward.ts";
import { openWebSocketForward, type WebSocketForwardOptions } from "./websocket_forward.ts";

const { sendSmallAtOnce } = await platform.noDelay();

export interface PortForwardOptions
  extends WebSocketForwardOptions, Omit<SpdyForwardOptions, "url" | "connect"> {
  /** http: or https: */
  url: string;
  /** A connection to the server past the runtime's HTTP client, where there can be one. */
  connect: SpdyForwardOptions["connect"] | undefined;
}

/** Opens the stream; rejects when the server or the pod refuses. */
export async function openPortForward(options: PortForwardOptions): Promise<LinkStream> {
  const stream = await bySpdy(options) ??
    await openWebSocketForward({ ...options, url: options.url.replace(/^http/, "ws") });
  sendSmallAtOnce();
  return stream;
}

/** Undefined: this way does not lead there. */
async function bySpdy({ url, connect, ...options }: PortForwardOptions): Promise<LinkStream | undefined> {
  if (connect === undefined) return undefined;
  try {
    const stream = await openSpdyForward({ ...options, url: new URL(url), connect });
    log.debug("The port-forward goes by SPDY");
    return stream;
  } catch (error) {
    options.signal?.throwIfAborted();
    log.debug(`No port-forward by SPDY (${error instanceof Error ? error.message : error}); by a WebSocket`);
    return undefined;
  }
}
