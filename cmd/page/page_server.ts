// The web server of `mirrord ui`: the page, and to those who have come by the one-time token what all
// sessions of this user say. On loopback, where every user of this machine and every web page of the
// browser can send requests: each is checked here. Invariant: the page itself holds nothing; whatever does
// needs the cookie and the key that the token was exchanged for, so neither another site, nor a program at
// another port that the browser shows the cookie to, gets at it.

import { timingSafeEqual } from "node:crypto";
import { within } from "../../core/base/pause.ts";
import { endSession, listSessions } from "../../core/control/sessions.ts";
import { SessionsWatch } from "../../core/control/sessions_watch.ts";

/** Messages that may wait for a page that does not read. */
const mostWaiting = 5000;
/** Bytes that a request may have behind its head. */
const mostBody = 4096;
/** How long requests that are under way may hold up the end. */
const endMs = 1000;

/** Files of the page, by their path. */
const files: Record<string, { name: string; type: string }> = {
  "/": { name: "page.html", type: "text/html; charset=utf-8" },
  "/page.js": { name: "page.js", type: "text/javascript; charset=utf-8" },
  "/page.css": { name: "page.css", type: "text/css; charset=utf-8" },
};

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const always = {
  "content-security-policy": policy,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cache-control": "no-store",
};

export class PageServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #cookie = secret();
  readonly #key = secret();
  /** null: it was used. */
  #token: string | null = secret();
  #watch: SessionsWatch | null = null;
  /** The pages that are open. */
  readonly #pages = new Set<ReadableStreamDefaultController>();

  /** Listens on loopback; port 0: a free one. Throws Deno.errors.AddrInUse. */
  constructor(port: number) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, onListen() {}, onError: () => refused(500, "this is a bug in mirrord") },
      (request) => this.#answer(request),
    );
  }

  get port(): number {
    return this.#server.addr.port;
  }

  /** For the user. What stands behind the # is not sent with requests, nor kept by servers. */
  get address(): string {
    return `http://127.0.0.1:${this.port}/#${this.#token ?? ""}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch?.[Symbol.dispose]();
    for (const page of this.#pages) page.close();
    await within(this.#server.shutdown(), endMs, undefined);
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const refusal = this.#refusal(request);
    if (refusal !== null) return refusal;
    const file = files[pathname];
    if (file !== undefined && request.method === "GET") {
      const bytes = await Deno.readFile(new URL(`./${file.name}`, import.meta.url));
      return new Response(bytes, { headers: { ...always, "content-type": file.type } });
    }
    if (pathname === "/enter" && request.method === "POST") return this.#enter(await request.text());
    if (!this.#isKnown(request)) return refused(403, "open the address that mirrord ui prints");
    if (pathname === "/events" && request.method === "GET") return this.#events();
    if (pathname === "/end" && request.method === "POST") return await end(await request.json());
    return refused(404, "there is nothing here");
  }

  /**
   * A name that leads here by another's DNS has another Host; what another site's page sends has its Origin,
   * or says so itself.
   */
  #refusal({ headers, method }: Request): Response | null {
    const hosts = [`127.0.0.1:${this.port}`, `localhost:${this.port}`];
    const host = headers.get("host") ?? "";
    if (!hosts.includes(host)) return refused(421, "this is not the host of the page");
    const length = headers.get("content-length");
    // HTTP/2, which the server speaks too, may have a body without either field.
    const hasBody = method === "POST" || length !== null || headers.has("transfer-encoding");
    if (hasBody && !(Number(length ?? NaN) <= mostBody)) return refused(413, "that is too much");
    const origin = headers.get("origin");
    if (origin !== null && origin !== `http://${host}`) return refused(403, "another site asks");
    const site = headers.get("sec-fetch-site");
    const isOther = site === "cross-site" || site === "same-site";
    const isVisit = headers.get("sec-fetch-mode") === "navigate";
    return isOther && !isVisit ? refused(403, "another site asks") : null;
  }

  /** Exchanges the token, once. */
  #enter(token: string): Response {
    if (this.#token === null || !isSame(token, this.#token)) {
      return refused(403, "this address was used already, or is wrong; start mirrord ui again");
    }
    this.#token = null;
    const cookie = `mirrord-${this.port}=${this.#cookie}; HttpOnly; SameSite=Strict; Path=/`;
    return Response.json({ key: this.#key }, { headers: { ...always, "set-cookie": cookie } });
  }

  #isKnown({ headers }: Request): boolean {
    const name = `mirrord-${this.port}=`;
    const cookies = (headers.get("cookie") ?? "").split(/; */);
    const cookie = cookies.find((one) => one.startsWith(name))?.slice(name.length) ?? "";
    return isSame(cookie, this.#cookie) && isSame(headers.get("x-mirrord-key") ?? "", this.#key);
  }

  /** Lines of JSON without end. Sessions are watched from the first page on. */
  #events(): Response {
    const watch = this.#watch ??= new SessionsWatch();
    const encoder = new TextEncoder();
    const pages = this.#pages;
    let left = (): void => {};
    let dropped = 0;
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        const send = (message: unknown) => controller.enqueue(encoder.encode(`${JSON.stringify(message)}\n`));
        const heard = watch.hear((watched) => {
          if ((controller.desiredSize ?? 0) <= 0) return void dropped++;
          if (dropped > 0) send({ dropped });
          dropped = 0;
          send(watched);
        });
        for (const watched of heard.before) send(watched);
        send({ present: true });
        pages.add(controller);
        left = () => {
          heard[Symbol.dispose]();
          pages.delete(controller);
        };
      },
      cancel: () => left(),
    }, { highWaterMark: mostWaiting });
    return new Response(stream, { headers: { ...always, "content-type": "application/x-ndjson" } });
  }
}

/** Asks a session to end, and answers at once: the page sees the end. */
async function end(order: unknown): Promise<Response> {
  const { session, how } = order as { session?: unknown; how?: unknown };
  const found = (await listSessions()).find(({ id }) => id === session);
  if (found === undefined || (how !== "stop" && how !== "kill")) {
    return refused(404, "there is no such session");
  }
  const ending = await endSession(found, how);
  ending?.gone.finally(() => ending[Symbol.dispose]());
  return Response.json({ asked: ending !== null }, { headers: always });
}

function refused(status: number, reason: string): Response {
  return new Response(`${reason}\n`, { status, headers: { ...always, "content-type": "text/plain" } });
}

function secret(): string {
  return crypto.getRandomValues(new Uint8Array(24)).toBase64({ alphabet: "base64url" });
}

function isSame(given: string, right: string): boolean {
  const [one, other] = [given, right].map((text) => new TextEncoder().encode(text));
  return one !== undefined && other !== undefined && one.length === other.length &&
    timingSafeEqual(one, other);
}
