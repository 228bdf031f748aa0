// A namespace with an HTTP original on port 80 that is stolen by a filter: requests with the header "X-User:
// me" are the app's. For the tests of filtered stealing.

import assert from "node:assert/strict";
import { type AgentStart, FakeClient, type Offered } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
import { type Original, startOriginal, Talk } from "./talk.ts";

export const filter = '{"header": "^x-user: me$"}';
export const mine = "X-User: me";

/** A namespace with an HTTP original on port 80 that is stolen by the filter. */
export class Pod implements AsyncDisposable {
  readonly netns: Netns;
  readonly original: Original | null;
  readonly client: FakeClient;

  private constructor(netns: Netns, original: Original | null, client: FakeClient) {
    this.netns = netns;
    this.original = original;
    this.client = client;
  }

  static async create(kind: string | null = "http", start: AgentStart = {}): Promise<Pod> {
    const netns = await Netns.create();
    const original = kind === null ? null : await startOriginal(netns, kind, 80);
    const client = await FakeClient.start(netns, start);
    await client.subscribe(80, filter);
    return new Pod(netns, original, client);
  }

  dial(): Promise<Talk> {
    return Talk.dial(this.netns, 80);
  }

  /** The next connection offered, taken: the app's end of it. */
  async app(): Promise<Talk> {
    const offered = await this.client.offered();
    assert.equal(offered.http, true);
    await offered.take();
    return new Talk(offered.channel);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.original?.end();
    await this.netns[Symbol.asyncDispose]();
  }
}

/**
 * An app that answers each request, until its peer closes, with its own number, the request line and the
 * body's length.
 */
export function serveApp(pod: Pod): void {
  let number = 0;
  pod.client.handle(async (offered: Offered) => {
    await offered.take();
    const app = new Talk(offered.channel);
    const own = ++number;
    try {
      for (;;) {
        const { head, body } = await app.response();
        await app.say(ok(`app ${own} ${head.split(" HTTP")[0]} ${body.length}`));
      }
    } catch {
      await offered.channel.closeWrite().catch(() => {}); // the peer closed
    }
  });
}

export function ok(body: string, header = ""): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${header}\r\n${body}`;
}

export function post(path: string, body: string, header = ""): string {
  const more = header === "" ? "" : `${header}\r\n`;
  return `POST ${path} HTTP/1.1\r\nHost: pod\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;
}
