// The view of the sessions against sockets that answer as docs/sessions.md says.

import assert from "node:assert/strict";
import { type Node, nodeOf } from "./view.ts";
import { Watch } from "./watched.ts";

const facts = {
  id: "0123abcd",
  pid: 4711,
  kind: "ext",
  command: [],
  directory: "/home/ana/shop",
  target: "deployment/api",
  namespace: "shop",
  state: "running",
  ports: [{ port: 80, mode: "steal", filtered: true }],
};
const connection = { direction: "incoming", port: 80, peer: "10.0.0.7:5000" };
const exchange = { type: "exchange", number: 1, isOver: false, status: null, milliseconds: 0 };
const request = { head: "GET /cart?token=1 HTTP/1.1\r\nhost: a\r\n\r\n" };

/** A session's socket; `tell` sends lines to the one that watches. */
class FakeSession implements AsyncDisposable {
  readonly asked: Promise<string>;
  readonly #listener: Deno.Listener;
  readonly #conn: Promise<Deno.Conn>;

  constructor(path: string) {
    this.#listener = Deno.listen({ transport: "unix", path });
    this.#conn = this.#listener.accept();
    this.asked = this.#conn.then(async (conn) => {
      const bytes = new Uint8Array(100);
      return new TextDecoder().decode(bytes.subarray(0, await conn.read(bytes) ?? 0));
    });
  }

  async tell(...lines: unknown[]): Promise<void> {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    await (await this.#conn).write(new TextEncoder().encode(text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    (await this.#conn).close();
    this.#listener.close();
  }
}

/** The lines of the view, as a user sees them. */
function shown(watch: Watch): string[] {
  const lines = ({ label, description, children }: Node): string[] => [
    `${label} (${description})`,
    ...children.flatMap(lines).map((line) => `  ${line}`),
  ];
  return [...watch.sessions.values()].map(nodeOf).flatMap(lines);
}

Deno.test("a session is shown with ports, connections and requests as they come, until it ends", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-view-" });
  await Deno.mkdir(`${folder}/mirrord`, { mode: 0o700 });
  await Deno.writeTextFile(`${folder}/mirrord/notes`, ""); // no session's
  // It is there before: Deno begins to watch folders a moment later than Node.
  const session = new FakeSession(`${folder}/mirrord/0123abcd.4711.sock`);
  let changed = Promise.withResolvers<void>();
  const watch = new Watch({ XDG_RUNTIME_DIR: folder }, () => changed.resolve());
  /** Waits until the view differs because of `action`. */
  const after = async (action: Promise<void>): Promise<string[]> => {
    await action;
    await changed.promise;
    changed = Promise.withResolvers();
    return shown(watch);
  };
  try {
    assert.equal(await session.asked, '{"ask":"watch","details":true}\n');
    assert.deepEqual(await after(session.tell({ facts })), [
      "deployment/api (editor, process 4711)",
      "  Ports (1)",
      "    80 (stolen, filtered)",
      "  Requests (none)",
      "  Connections (none)",
    ]);
    const opened = { at: 1, event: { type: "connectionOpened", ...connection } };
    assert.deepEqual(
      (await after(session.tell(opened, opened, { at: 1, event: { type: "later" } }))).slice(4),
      [
        "  Connections (1)",
        "    10.0.0.7:5000 → port 80 (× 2)",
      ],
    );
    const asked = { at: 2, detail: { ...exchange, request } };
    assert.deepEqual((await after(session.tell(asked)))[4], "    GET /cart … ()");
    const answered = { at: 3, detail: { ...exchange, request, isOver: true, status: 200, milliseconds: 12 } };
    const closed = { at: 3, event: { type: "connectionClosed", ...connection } };
    assert.deepEqual((await after(session.tell(answered, closed, closed))).slice(3), [
      "  Requests (1)",
      "    GET /cart → 200, 12 ms ()",
      "  Connections (none)",
    ]);
    const released = { at: 4, event: { type: "released", port: 80, mode: "steal" } };
    const ended = await after(session.tell(released, { at: 4, event: { type: "silent", ports: [] } }));
    assert.deepEqual(ended.slice(0, 2), ["deployment/api (editor, process 4711, silent)", "  Ports (none)"]);
    assert.deepEqual(await after(session[Symbol.asyncDispose]()), []);
  } finally {
    watch.dispose();
    await Deno.remove(folder, { recursive: true });
  }
});
