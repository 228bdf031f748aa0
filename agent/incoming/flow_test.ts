// What a session gets of a connection whose packets come in any order, twice, or not at all. Segments go into
// a real flow with a real copy; the channel is an array.

import assert from "node:assert/strict";
import type { ByteChannel, Filter } from "../../protocol-wasm/mod.ts";
import { compileFilter } from "../../protocol-wasm/mod.ts";
import { Budget } from "./budget.ts";
import { Copy, type CopyEnd, queueLimit } from "./copy.ts";
import { Flow, heldLimit } from "./flow.ts";
import { after } from "../../core/net/reassembly.ts";
import type { Segment } from "../../core/net/segment.ts";

const encoder = new TextEncoder();

/** What the session got of one copy. */
class Got implements ByteChannel {
  text = "";
  end: "open" | "ended" | "reset" = "open";
  readonly #over = Promise.withResolvers<null>();
  /** Set: the session reads no more. */
  stalled: Promise<void> | null = null;

  read(): Promise<null> {
    return this.#over.promise;
  }
  async write(bytes: Uint8Array): Promise<void> {
    if (this.stalled !== null) await this.stalled;
    this.text += new TextDecoder().decode(bytes);
  }
  closeWrite(): Promise<void> {
    this.end = "ended";
    return Promise.resolve();
  }
  reset(): void {
    if (this.end === "open") this.end = "reset";
  }
  /** The session's app closed the connection. */
  close(): void {
    this.#over.resolve(null);
  }
}

/** A mirrored port that gets one connection. */
class Stage {
  readonly got: Got[] = [];
  readonly ends: [CopyEnd, number][] = [];
  readonly budget = new Budget(16 << 20);
  lost = 0;
  notHttp = "";
  flow: Flow | null = null;
  readonly isn: number;
  readonly #filter: Filter | null;

  constructor(isn = 4294967290, filter = "") {
    this.isn = isn;
    this.#filter = filter === "" ? null : compileFilter(filter);
  }

  /**
   * A segment whose payload begins `at` bytes into the stream; flags as letters: S A F R. True: the
   * connection is over.
   */
  segment(at: number, payload: string, flags = "A", now = 0): boolean {
    const has = (letter: string) => flags.includes(letter);
    const segment: Segment = {
      key: "",
      sourcePort: 1,
      destinationPort: 80,
      sequence: after(this.isn, at + (has("S") ? 0 : 1)),
      acknowledged: 0,
      syn: has("S"),
      ack: has("A"),
      fin: has("F"),
      rst: has("R"),
      payload: encoder.encode(payload),
    };
    this.flow ??= new Flow(
      {
        port: 80,
        filter: this.#filter,
        budget: this.budget,
        lost: (bytes) => this.lost += bytes,
        notHttp: (reason) => this.notHttp = reason,
        open: (gone) => {
          const channel = new Got();
          this.got.push(channel);
          return new Copy({
            channel,
            answer: Promise.resolve("taken"),
            budget: this.budget,
            ended: (how, bytes) => {
              this.ends.push([how, bytes]);
              gone(how);
            },
            gone() {},
          });
        },
      },
      segment,
      now,
    );
    const over = this.flow.take(segment, now);
    if (over) this.flow.end();
    return over;
  }

  /** What each copy got, once everything under way is done. */
  async texts(): Promise<string[]> {
    await new Promise((resolve) => queueMicrotask(() => setTimeout(() => resolve(null))));
    return this.got.map(({ text, end }) => end === "open" ? text : `${text}|${end}`);
  }
}

/** A flow whose three-way handshake is over. */
function opened(filter = "", isn?: number): Stage {
  const stage = new Stage(isn, filter);
  stage.segment(0, "", "S");
  stage.segment(0, "");
  return stage;
}

const request = (path: string, rest = "") => `GET ${path} HTTP/1.1\r\nHost: a\r\n${rest}\r\n`;

Deno.test("a connection is the session's from the packet after its first", async () => {
  const stage = new Stage();
  stage.segment(0, "", "S");
  stage.segment(0, "", "S");
  assert.deepEqual(await stage.texts(), []);
  assert.ok(stage.flow?.opening);
  stage.segment(0, "");
  assert.deepEqual(await stage.texts(), [""]);
});

Deno.test("order, repetition and the end are as they were sent", async () => {
  const stage = opened();
  stage.segment(3, "two");
  assert.equal(stage.segment(6, "", "AF"), false);
  stage.segment(3, "two");
  assert.equal(stage.segment(0, "one"), true);
  assert.deepEqual(await stage.texts(), ["onetwo|ended"]);
  assert.equal(stage.budget.left, 16 << 20);
});

Deno.test("bytes that came with the first packet come once", async () => {
  for (const again of [true, false]) {
    const stage = new Stage();
    stage.segment(0, "early ", "S");
    if (again) stage.segment(0, "early late");
    else stage.segment(6, "late");
    assert.deepEqual(await stage.texts(), ["early late"]);
  }
});

Deno.test("a reset ends the connection after what was sent, a stray one does not", async () => {
  const stage = opened();
  stage.segment(0, "one");
  assert.equal(stage.segment(heldLimit * 2, "", "R"), false);
  assert.equal(stage.segment(3, "", "R"), true);
  assert.deepEqual(await stage.texts(), ["one|reset"]);
});

Deno.test("a reset after a request ends the connection in order", async () => {
  const stage = opened();
  stage.segment(0, request("/"));
  assert.equal(stage.segment(request("/").length, "", "R"), true);
  assert.deepEqual(await stage.texts(), [`${request("/")}|ended`]);
});

Deno.test("the connection's own first packet is distinguished from that of the next", () => {
  const stage = opened();
  const syn = (isn: number) => ({ sequence: isn, syn: true }) as Segment;
  assert.equal(stage.flow?.isOwn(syn(stage.isn)), true);
  assert.equal(stage.flow?.isOwn(syn(after(stage.isn, 5000))), false);
});

Deno.test("what is missing is waited for, then the copy ends and the next request begins another", async () => {
  const stage = opened();
  stage.segment(0, "POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc", "A", 1);
  stage.segment(44, "lost after this", "A", 2);
  const next = request("/next");
  stage.segment(60, next.slice(0, 20), "A", 3);
  stage.segment(80, next.slice(20), "A", 4);
  assert.equal(stage.flow?.missingSince, 2);
  assert.equal(stage.flow?.giveUp(), false);
  assert.deepEqual(await stage.texts(), ["POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc|reset", next]);
  assert.ok(stage.lost > 0);
  const further = request("/further");
  stage.segment(60 + next.length, further);
  assert.deepEqual((await stage.texts())[1], next + further);
});

Deno.test("what speaks no HTTP goes on behind a gap, in a copy of its own", async () => {
  const stage = opened();
  stage.segment(0, "one\n");
  stage.segment(8, "thr", "A", 2);
  stage.segment(11, "ee\n", "A", 3);
  stage.segment(20, "six\n", "A", 4);
  await stage.texts(); // until the copy has nothing waiting, which is lost with it
  assert.equal(stage.flow?.giveUp(), false);
  assert.equal(stage.lost, 4);
  assert.deepEqual(await stage.texts(), ["one\n|reset", "three\n"]);
  assert.notEqual(stage.flow?.missingSince, null, "the second gap is given up too");
  assert.equal(stage.flow?.giveUp(), false);
  assert.equal(stage.segment(24, "seven\n"), false);
  assert.equal(stage.segment(30, "", "AF"), true);
  assert.deepEqual(await stage.texts(), ["one\n|reset", "three\n|reset", "six\nseven\n|ended"]);
  assert.equal(stage.lost, 10);
  assert.equal(stage.budget.left, 16 << 20);
});

Deno.test("what is missing shows in a packet without bytes too", async () => {
  for (
    const [first, then] of [["one\n", ["one\n|reset", "two\n"]], [request("/"), [
      `${request("/")}|reset`,
    ]]] as const
  ) {
    const stage = opened();
    stage.segment(0, first);
    stage.segment(first.length, "");
    assert.equal(stage.flow?.missingSince, null);
    stage.segment(first.length + 10, "", "A", 7);
    assert.equal(stage.flow?.missingSince, 7);
    await stage.texts();
    assert.equal(stage.flow?.giveUp(), false);
    assert.equal(stage.lost, 10);
    stage.segment(first.length + 10, "two\n");
    assert.deepEqual(await stage.texts(), then);
  }
});

Deno.test("one missing number behind a request is its client's end", async () => {
  const stage = opened();
  stage.segment(0, request("/"));
  stage.segment(request("/").length + 1, "", "A", 7);
  assert.equal(stage.flow?.giveUp(), false);
  assert.deepEqual(await stage.texts(), [`${request("/")}|ended`]);
});

Deno.test("a request line in pieces is one, and nothing of HTTP is handed on from its middle", async () => {
  for (const pieces of [["GET / HT", "TP/1.1\r\n"], ["\r", "\nGET / HTTP/1.1\r\n"], ["GE"]]) {
    const stage = opened();
    let at = 0;
    for (const piece of pieces) {
      stage.segment(at, piece);
      at += piece.length;
    }
    stage.segment(at + 10, "Host: a\r\n\r\n");
    await stage.texts();
    stage.flow?.giveUp();
    assert.deepEqual(await stage.texts(), [`${pieces.join("")}|reset`]);
  }
});

Deno.test("a missing packet that comes late changes nothing else", async () => {
  const stage = opened();
  stage.segment(4, "second", "A", 5);
  stage.segment(0, "1st ", "A", 6);
  assert.equal(stage.flow?.missingSince, null);
  assert.deepEqual(await stage.texts(), ["1st second"]);
  assert.equal(stage.lost, 0);
});

Deno.test("no more is held than the limit", async () => {
  const stage = opened();
  const block = "x".repeat(60_000);
  for (let at = 10; at < heldLimit + 200_000; at += block.length) stage.segment(at, block);
  assert.deepEqual(await stage.texts(), ["|reset"]);
  assert.ok(stage.lost > heldLimit);
  assert.equal(stage.budget.left, 16 << 20);
});

Deno.test("an end behind a gap ends the connection when the gap is given up", () => {
  const stage = opened();
  stage.segment(10, "x");
  assert.equal(stage.segment(11, "", "AF"), false);
  assert.equal(stage.flow?.giveUp(), true);
});

Deno.test("met in the middle, a connection is followed from a request on", async () => {
  const stage = new Stage();
  stage.segment(500, request("/first"));
  stage.segment(500 + request("/first").length, request("/second"));
  assert.deepEqual(await stage.texts(), [request("/first") + request("/second")]);
});

Deno.test("a session that ended a copy gets another from the next request on, which is not sent twice", async () => {
  const stage = opened();
  const [one, two] = [request("/1"), request("/2")];
  stage.segment(0, one);
  await stage.texts();
  stage.got[0]?.close();
  await stage.texts();
  stage.segment(0, one);
  stage.segment(one.length, "no request");
  stage.segment(one.length + 10, two);
  assert.deepEqual(await stage.texts(), [`${one}|reset`, two]);
  assert.deepEqual(stage.ends, [["refused", 0]]);
});

Deno.test("a session that is too slow loses the copy, counted", async () => {
  const stage = opened();
  stage.segment(0, "first");
  await stage.texts();
  const stalled = Promise.withResolvers<void>();
  const [got] = stage.got;
  assert.ok(got !== undefined);
  got.stalled = stalled.promise;
  const block = "x".repeat(60_000);
  let at = 5;
  for (; at < queueLimit + 100_000; at += block.length) stage.segment(at, block);
  assert.deepEqual(await stage.texts(), ["first|reset"]);
  const [[how, bytes] = ["", 0]] = stage.ends;
  assert.equal(how, "slow");
  assert.ok(bytes > queueLimit && bytes < at, `${bytes} bytes`);
  stalled.resolve();
  await stage.texts();
  assert.equal(stage.budget.left, 16 << 20);
});

Deno.test("an app that was too slow for what is no HTTP gets the rest a little later", async () => {
  const stage = opened();
  stage.segment(0, "\0first", "A", 1);
  const [got] = stage.got;
  assert.ok(got !== undefined);
  got.stalled = Promise.withResolvers<void>().promise;
  const block = "x".repeat(60_000);
  let at = 6;
  for (; stage.ends.length === 0; at += block.length) stage.segment(at, block, "A", 2);
  stage.segment(at, "left out", "A", 500);
  assert.equal(stage.lost, 0);
  stage.segment(at + 8, "again", "A", 1500);
  assert.equal(stage.lost, 8);
  assert.equal(stage.segment(at + 13, "", "AF", 1501), true);
  assert.deepEqual((await stage.texts()).slice(1), ["again|ended"]);
});

Deno.test("a shared budget bounds all connections", async () => {
  const stage = opened();
  assert.ok(stage.budget.take(stage.budget.left));
  stage.segment(0, "one");
  assert.deepEqual(await stage.texts(), ["|reset"]);
  assert.equal(stage.ends[0]?.[0], "slow");
});

Deno.test("a filter lets matching requests through, whole", async () => {
  const stage = opened('{"path": "^/mine"}');
  const body = "POST /mine HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
  const chunked = "POST /other HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  const whole = request("/other") + body + chunked + request("/mine/too");
  for (let at = 0; at < whole.length; at += 7) stage.segment(at, whole.slice(at, at + 7));
  assert.deepEqual(await stage.texts(), [body + request("/mine/too")]);
});

Deno.test("behind a matching upgrade everything is the session's", async () => {
  const upgrade = request("/mine", "Connection: Upgrade\r\nUpgrade: websocket\r\n");
  for (const [path, expected] of [["/mine", [upgrade + "\x02frame" + "more"]], ["/else", []]] as const) {
    const stage = opened('{"path": "^/mine"}');
    const asked = upgrade.replace("/mine", path);
    stage.segment(0, asked);
    stage.segment(asked.length, "\x02frame");
    stage.segment(asked.length + 6, "more");
    assert.deepEqual(await stage.texts(), expected);
  }
});

Deno.test("what is no HTTP is not mirrored by a filter, and that is reported", async () => {
  const stage = opened('{"path": "^/mine"}');
  stage.segment(0, "\x16\x03\x01 no http\r\n\r\n");
  stage.segment(14, request("/mine"));
  assert.deepEqual(await stage.texts(), []);
  assert.notEqual(stage.notHttp, "");
});
