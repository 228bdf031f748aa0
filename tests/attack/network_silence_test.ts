// A network that swallows what goes over the link, both ways or one way alone, while ports are stolen: the
// target's clients must not pay for it. Each attack is shown to succeed first on an agent whose heartbeat
// never gets old.

import assert from "node:assert/strict";
import type { LinkStream } from "../../protocol-wasm/mod.ts";
import { get, startOriginal, Talk } from "../agent/talk.ts";
import { deadline } from "../support/deadline.ts";
import { FakeClient, type Offered } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";

/** Swallows, from when it is told to, what comes to the client, or both ways. */
class Hole implements LinkStream {
  readonly #stream: LinkStream;
  #swallows: "nothing" | "to the client" | "both ways" = "nothing";

  constructor(stream: LinkStream) {
    this.#stream = stream;
  }

  swallow(what: "to the client" | "both ways"): void {
    this.#swallows = what;
  }

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      const count = await this.#stream.read(into);
      if (count === null || this.#swallows === "nothing") return count;
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#swallows !== "both ways") await this.#stream.write(bytes);
  }

  close(): void {
    this.#stream.close();
  }
}

/** Who answers a new connection soon; "nobody" if none does. */
async function ask(netns: Netns): Promise<string> {
  using peer = await Talk.dial(netns, 80);
  const body = peer.ask(get("/")).catch(() => "reset");
  return (await deadline(body, "an answer", 500).catch(() => "nobody")).split(" ")[0] ?? "";
}

async function answer({ take, channel }: Offered): Promise<void> {
  await take();
  const app = new Talk(channel);
  await app.until("\r\n\r\n");
  await app.say("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\napp");
}

/** How many of `attempts` new connections the original answers, once the network swallows. */
async function answeredBy(
  what: "to the client" | "both ways",
  heartbeatSeconds: number,
  attempts: number,
): Promise<string[]> {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "http", 80);
  let hole: Hole | undefined;
  await using client = await FakeClient.start(netns, {
    options: { heartbeatSeconds },
    wrap: (stream) => hole = new Hole(stream),
  });
  await client.subscribe(80);
  client.handle((offered) => void answer(offered).catch(() => {}));
  assert.equal(await ask(netns), "app");
  hole?.swallow(what);
  const asking = setInterval(
    () => void client.link.send("ping", client.link.nextId(), {}).catch(() => {}),
    50,
  );
  const answers: string[] = [];
  for (let i = 0; i < attempts; i++) answers.push(await ask(netns));
  clearInterval(asking);
  return answers;
}

for (const what of ["both ways", "to the client"] as const) {
  Deno.test(`a link that is swallowed ${what} costs the target nothing for long`, async () => {
    const unprotected = await answeredBy(what, 3600, 8);
    assert.deepEqual(unprotected.filter((one) => one === "original"), [], "the attack does not succeed");
    const answers = await answeredBy(what, 1, 40);
    const first = answers.indexOf("original");
    assert.ok(first >= 0, `${answers}`);
    assert.deepEqual([...new Set(answers.slice(first))], ["original"]);
  });
}
