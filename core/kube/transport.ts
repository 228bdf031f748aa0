// Requests to the API server: identity, TLS, proxy, time limits, retries, and failures turned into
// KubeErrors. Called by client.ts, which knows the paths. A PATCH or POST is never sent twice by a broken
// connection.

import { exitCodes, KubeError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { pause } from "../base/pause.ts";
import { proxyVariables, variable } from "../base/variables.ts";
import { apiError, type Purpose, unreachable } from "./api_error.ts";
import { trusted } from "./authorities.ts";
import type { Identity } from "./identity.ts";
import type { KubeContext } from "./kubeconfig.ts";
import type { Tunnel } from "./tls_tunnel.ts";
import { platform } from "../net/this_platform.ts";

const { sendSmallAtOnce } = await platform.noDelay();

/** One request. */
export interface Call {
  purpose: Purpose;
  method?: "GET" | "PATCH" | "POST" | "DELETE";
  path: string;
  query?: Record<string, string>;
  body?: unknown;
  contentType?: string;
  signal?: AbortSignal | undefined;
  /** The body comes as it happens (watch): only the answer's head has a time limit. */
  streams?: boolean;
}

/**
 * Longest time until the server begins to answer: an address that swallows packets is found out within ten
 * seconds.
 */
const answerMilliseconds = 8_000;
/** Longest time for the rest of the answer. */
const bodyMilliseconds = 30_000;
/** However long a busy server asks to wait. */
const pauseMilliseconds = 3_000;
/** Entries per page of a list; the server says when there are more. */
const pageSize = 500;
/** Times that a call is tried again when the server is too busy (429, 503) or the connection broke. */
const retries = 2;

/** One server as one user. Dispose it to close its connections. */
export class Transport implements Disposable {
  readonly #context: KubeContext;
  #http:
    | { client: Deno.HttpClient; certificate: Identity["certificate"]; tunnel: Tunnel | undefined }
    | undefined;
  #opening: Promise<Deno.HttpClient> | undefined;
  #isWarned = false;
  /** What lets a stream's signal go. */
  readonly #streams = new WeakMap<Response, () => void>();

  constructor(context: KubeContext) {
    this.#context = context;
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #close(): void {
    this.#http?.client.close();
    this.#http?.tunnel?.[Symbol.dispose]();
    this.#http = undefined;
  }

  /** The address of `path` at this server; in clear where a tunnel does the TLS. */
  url(path: string): string {
    const { server } = this.#context;
    return (this.#isTunneled ? server.replace(/^https:/, "http:") : server) + path;
  }

  get #isTunneled(): boolean {
    const { server, serverName, verify = true } = this.#context;
    return server.startsWith("https:") && (serverName !== undefined || !verify);
  }

  /**
   * A connection of its own to the server, past HTTP: as the current user, with TLS where the server has it.
   * Undefined where there is a proxy, which only the runtime's HTTP client goes by.
   */
  async connect(): Promise<(() => Promise<Deno.Conn>) | undefined> {
    const { server, authority, proxy } = this.#context;
    await this.identity();
    const { tunnel, certificate } = this.#http ?? {};
    if (tunnel !== undefined) return () => Deno.connect({ transport: "unix", path: tunnel.path });
    if (proxy !== undefined || proxyVariables.some((name) => variable(name))) return undefined;
    const { protocol, hostname: written, port } = new URL(server);
    const hostname = written.replace(/^\[|\]$/g, "");
    if (protocol === "http:") return () => Deno.connect({ hostname, port: Number(port || 80) });
    const caCerts = await trusted(authority);
    const alpnProtocols = ["http/1.1"];
    return () =>
      Deno.connectTls({
        hostname,
        port: Number(port || 443),
        caCerts,
        alpnProtocols,
        ...(certificate ?? {}),
      });
  }

  /** What made a request fail: the tunnel knows it where there is one. */
  cause(cause: unknown): unknown {
    return this.#http?.tunnel?.failure ?? cause;
  }

  /** All items of a list, page by page. */
  async list<Item>(call: Call): Promise<Item[]> {
    const items: Item[] = [];
    let next = "";
    do {
      const query: Record<string, string> = { ...call.query, limit: String(pageSize) };
      if (next !== "") query["continue"] = next;
      const page: { items: Item[]; metadata?: { continue?: string } } = await this.json({ ...call, query });
      items.push(...page.items);
      next = page.metadata?.continue ?? "";
    } while (next !== "");
    return items;
  }

  /** The answer's JSON, believed to be a `Result`: the API is versioned. */
  async json<Result>(call: Call): Promise<Result> {
    const response = await this.call(call);
    return await response.json();
  }

  /** The answer of a successful request; otherwise throws KubeError. */
  async call(call: Call): Promise<Response> {
    const { purpose, signal } = call;
    for (let attempt = 0;; attempt++) {
      let response: Response;
      try {
        response = await this.#fetch(call);
      } catch (cause) {
        signal?.throwIfAborted();
        const once = call.method === "PATCH" || call.method === "POST";
        if (!(cause instanceof TypeError) || attempt >= retries || once) {
          if (cause instanceof TypeError || isTimeout(cause)) {
            throw unreachable(this.#context, this.cause(cause), purpose.action);
          }
          throw cause;
        }
        log.debug(`Kubernetes: ${purpose.action}: ${cause.message}; once more`);
        continue;
      }
      if (response.ok) return response;
      const busy = response.status === 429 || response.status === 503;
      if (busy && attempt < retries) {
        await response.body?.cancel();
        const seconds = Number(response.headers.get("retry-after") ?? 1);
        await pause(Math.min((seconds || 1) * 1000, pauseMilliseconds), signal);
        continue;
      }
      if (response.status === 401 && attempt === 0 && this.#context.credentials.refresh()) {
        await response.body?.cancel();
        continue;
      }
      throw await apiError(response, purpose, this.#context);
    }
  }

  async #fetch(
    { method = "GET", path, query = {}, body, contentType, signal, streams }: Call,
  ): Promise<Response> {
    const { headers, client } = await this.identity();
    const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "")).toString();
    const abort = new AbortController();
    const stop = () => abort.abort(signal?.reason);
    signal?.throwIfAborted();
    signal?.addEventListener("abort", stop);
    const late = () => abort.abort(new DOMException("no answer in time", "TimeoutError"));
    let timer = setTimeout(late, answerMilliseconds);
    let isStreaming = false;
    const release = () => signal?.removeEventListener("abort", stop);
    try {
      const response = await fetch(this.url(path) + (search === "" ? "" : `?${search}`), {
        method,
        client,
        headers: {
          Accept: "application/json",
          ...(body === undefined ? {} : { "Content-Type": contentType ?? "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: "error",
        signal: abort.signal,
      });
      sendSmallAtOnce();
      if (streams && response.ok) {
        this.#streams.set(response, release);
        isStreaming = true;
        return response;
      }
      clearTimeout(timer);
      timer = setTimeout(late, bodyMilliseconds);
      // Within the limit as well; the copy has no connection behind it.
      return new Response(await response.arrayBuffer(), response);
    } finally {
      clearTimeout(timer);
      if (!isStreaming) release();
    }
  }

  /** `response`, which streams, is not read on: the signal of its call is let go. */
  finish(response: Response): void {
    this.#streams.get(response)?.();
    this.#streams.delete(response);
  }

  /** The current identity and an HTTP client that presents its certificate. */
  async identity(): Promise<{ headers: Record<string, string>; client: Deno.HttpClient }> {
    const { headers, certificate } = await this.#context.credentials.get();
    if (this.#http !== undefined && this.#http.certificate?.cert === certificate?.cert) {
      return { headers, client: this.#http.client };
    }
    // Calls side by side share one: each would open a tunnel of its own.
    this.#opening ??= this.#open(certificate).finally(() => this.#opening = undefined);
    return { headers, client: await this.#opening };
  }

  async #open(certificate: Identity["certificate"]): Promise<Deno.HttpClient> {
    this.#close();
    const tunnel = this.#isTunneled ? await this.#tunnel(certificate) : undefined;
    const client = createClient(this.#context, certificate, tunnel, await trusted(this.#context.authority));
    this.#http = { client, certificate, tunnel };
    return client;
  }

  async #tunnel(certificate: Identity["certificate"]): Promise<Tunnel> {
    const { server, serverName, authority, verify = true } = this.#context;
    if (!verify && !this.#isWarned) {
      log.warning(`The identity of the API server at "${server}" is not checked`);
    }
    this.#isWarned = true;
    const { openTunnel } = await import("./tls_tunnel.ts");
    const authorities = verify ? await trusted(authority) : [];
    return await openTunnel({
      server,
      serverName,
      authorities,
      certificate,
      verify,
    });
  }
}

function createClient(
  context: KubeContext,
  certificate: Identity["certificate"],
  tunnel: Tunnel | undefined,
  caCerts: string[],
): Deno.HttpClient {
  const { proxy } = context;
  if (tunnel !== undefined) {
    return Deno.createHttpClient({ proxy: { transport: "unix", path: tunnel.path }, http2: false });
  }
  try {
    return Deno.createHttpClient({
      caCerts,
      ...(certificate ?? {}),
      ...(proxy === undefined ? {} : { proxy: { url: proxy } }),
      http2: false,
    });
  } catch (cause) {
    throw new KubeError(
      `Cannot use the context "${context.name}": its certificates or its proxy-url cannot be used`,
      {
        help: "Check client-certificate, client-key, certificate-authority and proxy-url in the kubeconfig.",
        exitCode: exitCodes.config,
        cause,
      },
    );
  }
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === "TimeoutError";
}

/** A stream of JSON objects, one a line (watch). */
export async function* jsonLines<Value>(response: Response): AsyncGenerator<Value> {
  for await (const line of textLines(response.body)) if (line !== "") yield JSON.parse(line);
}

/** Longest line that is kept whole: more is nothing that is waited for. */
const maxLine = 8 << 20;

/** The whole lines of a stream of text; what follows the last one is dropped. */
export async function* textLines(
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + text).split("\n");
    rest = (lines.pop() ?? "").slice(0, maxLine);
    yield* lines;
  }
}
