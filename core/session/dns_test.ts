// Names in the session: which side is asked, how often, what is remembered; the test plays the agent's end of
// the link, the layer's end is a real link.

import assert from "node:assert/strict";
import {
  agentMessages,
  connStream,
  decode,
  type LayerLink,
  layerMessages,
  Link,
  lookupFlags,
  packAddresses,
  RemoteError,
  resolveFlags,
  tableHash,
  unpackAddresses,
} from "../../protocol-wasm/mod.ts";
import { type AgentPair, agentPair } from "../../tests/support/fake_agent.ts";
import { deadline } from "../../tests/support/deadline.ts";
import type { DnsConfig } from "../config/config.ts";
import { encodeQuery } from "../net/dns_message.ts";
import { libcResolves } from "./dns.ts";
import { KnownNames } from "./known_names.ts";
import { Session } from "./session.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const nothing = new Uint8Array();

interface Stage extends AsyncDisposable {
  agents: AgentPair;
  /** A link of a process of the app, past its hello: of a new one unless `identity` is given. */
  layer(identity?: bigint): Promise<LayerLink>;
  /** What the agent was asked: `lookup NAME FAMILY FLAGS` and the like. */
  asked: string[];
}

/**
 * A session with `config`, and an agent that answers every name with 192.0.2.1, when `before` has resolved.
 */
async function stage(
  config: Partial<DnsConfig>,
  options: AgentOptions = {},
): Promise<Stage> {
  const folder = await Deno.makeTempDir();
  const agents = await agentPair();
  const socketPath = `${folder}/layer.sock`;
  const dns = { enabled: true, filter: null, hostname: true, ...config };
  const session = new Session({ agent: agents.client, incoming: null, dns, socketPath });
  const asked: string[] = [];
  const serving = serve(agents, asked, options);
  const links: LayerLink[] = [];
  return {
    agents,
    asked,
    async layer(identity) {
      const conn = await Deno.connect({ transport: "unix", path: socketPath });
      const link = new Link(connStream(conn), layerMessages, { side: "client" });
      links.push(link);
      const hello = {
        tables: tableHash(layerMessages),
        process: identity ?? BigInt(1000 + links.length),
        pid: 1,
        parent: 0,
      };
      const [reply] = await link.request("hello", { ...hello, executable: new TextEncoder().encode("app") });
      assert.equal(decode(layerMessages.helloReply, reply?.body ?? nothing).dns, true);
      return link;
    },
    async [Symbol.asyncDispose]() {
      for (const link of links) await link[Symbol.asyncDispose]();
      await session[Symbol.asyncDispose]();
      await agents[Symbol.asyncDispose]();
      await serving;
      await Deno.remove(folder, { recursive: true });
    },
  };
}

interface AgentOptions {
  search?: string;
  before?: Promise<void>;
  errno?: number;
}

async function serve({ agent }: AgentPair, asked: string[], options: AgentOptions): Promise<void> {
  const { search = "", before, errno } = options;
  const answerLookup = async (frame: { name: string; id: number }, name: string): Promise<void> => {
    await before;
    if (errno !== undefined) return await agent.fail(frame, errno, "refused by the test");
    const addresses = packAddresses(["192.0.2.1"]);
    await agent.reply(frame, "lookupReply", { ending: 0, name: `${name}.full`, aliases: "", addresses });
  };
  const answerQuestion = async (frame: { name: string; id: number }, name: string): Promise<void> => {
    await before;
    if (errno !== undefined) return await agent.fail(frame, errno, "refused by the test");
    const reply = { ending: 0, errno: 0, stream: true, reply: dnsReply(`${name}.full`, [192, 0, 2, 7]) };
    await agent.reply(frame, "resolveReply", reply);
  };
  for await (const frame of agent.received()) {
    if (frame.name === "hostName") {
      asked.push("hostName");
      await agent.reply(frame, "hostNameReply", { name: "pod-1", search });
    } else if (frame.name === "lookup") {
      const { name, family, flags } = decode(agentMessages.lookup, frame.body);
      asked.push(`lookup ${name} ${family} ${flags}`);
      void answerLookup(frame, name).catch(() => {}); // the test is over
    } else if (frame.name === "resolve") {
      const { name, type, flags, query } = decode(agentMessages.resolve, frame.body);
      asked.push(`resolve ${query.length > 0 ? `query ${query.length}` : name} ${type} ${flags}`);
      void answerQuestion(frame, name).catch(() => {}); // the test is over
    } else if (frame.name === "reverse") {
      asked.push(`reverse ${decode(agentMessages.reverse, frame.body).address.address}`);
      await agent.reply(frame, "reverseReply", { ending: 0, name: "named", aliases: "" });
    }
  }
}

async function lookup(
  link: LayerLink,
  name: string,
  options: { flags?: number; port?: number; again?: boolean } = {},
) {
  const { flags = lookupFlags.sorted, port = 0, again = false } = options;
  const [frame] = await deadline(
    link.request("lookup", { again, family: 0, flags, port, name: bytes(name) }),
    name,
  );
  const reply = decode(layerMessages.lookupReply, frame?.body ?? nothing);
  if (reply.pending) return "pending";
  if (reply.local) return "local";
  if (reply.ending !== 0) return `ending ${reply.ending}`;
  return `${new TextDecoder().decode(reply.name)} ${unpackAddresses(reply.addresses).join(" ")}`;
}

/** A reply by which `name` has `address`. */
function dnsReply(name: string, address: number[]): Uint8Array {
  const query = encodeQuery(7, { name, type: 1 }) ?? nothing;
  const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address];
  const reply = Uint8Array.from([...query, ...record]);
  reply[2] = 0x85;
  reply[7] = 1;
  return reply;
}

async function resolve(
  link: LayerLink,
  name: string,
  options: { flags?: number; again?: boolean; query?: Uint8Array } = {},
): Promise<string> {
  const { flags = resolveFlags.search, again = false, query = nothing } = options;
  const body = { again, flags, class: 1, type: 1, room: 512, name: bytes(name), query };
  const [frame] = await deadline(link.request("resolve", body), name);
  const reply = decode(layerMessages.resolveReply, frame?.body ?? nothing);
  if (reply.pending) return "pending";
  if (reply.local) return "local";
  return `${reply.ending} ${reply.stream} ${reply.reply.length}`;
}

async function reverse(link: LayerLink, address: string): Promise<string> {
  const [frame] = await link.request("reverse", { again: false, address: { address, port: 0 } });
  const reply = decode(layerMessages.reverseReply, frame?.body ?? nothing);
  return reply.local ? "local" : new TextDecoder().decode(reply.name);
}

Deno.test("a name is the agent's, its answer the layer's", async () => {
  await using s = await stage({});
  const link = await s.layer();
  assert.equal(await lookup(link, "db"), "db.full 192.0.2.1");
  assert.equal(await reverse(link, "192.0.2.1"), "named");
  assert.deepEqual(s.asked, ["lookup db 0 1", "reverse 192.0.2.1"]);
});

Deno.test("processes that ask for the same at the same time share one question, and none gets an old answer", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using s = await stage({}, { before: promise });
  const links = await Promise.all(Array.from({ length: 8 }, () => s.layer()));
  const answers = Promise.all(links.map((link) => lookup(link, "db")));
  await lookupStarted(s);
  resolve();
  assert.deepEqual(new Set(await answers), new Set(["db.full 192.0.2.1"]));
  const lookups = () => s.asked.filter((one) => one.startsWith("lookup")).length;
  assert.equal(lookups(), 1);
  const [link] = links;
  assert.ok(link !== undefined);
  await lookup(link, "db");
  assert.equal(lookups(), 2);
});

/**
 * Resolves when every link's question has reached the session: a question of another kind has been answered
 * on each.
 */
async function lookupStarted(s: Stage): Promise<void> {
  const other = await s.layer();
  await other.request("hostName", {});
  await other.request("hostName", {});
}

Deno.test("questions that wait for long leave links for others, and get their answer when it is there", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using s = await stage({}, { before: promise });
  const links: LayerLink[] = [];
  for (let index = 0; index < 20; index++) links.push(await s.layer(7n));
  const evicted: number[] = [];
  const four = Promise.withResolvers<void>();
  const waiting = links.map(async (link, index) => {
    const answer = await lookup(link, `n${index}`);
    if (answer === "pending" && evicted.push(index) === 4) four.resolve();
    return answer;
  });
  await deadline(four.promise, "four make room");
  const [index = 0] = evicted;
  const [link, name] = [links[index], `n${index}`];
  assert.ok(link !== undefined);
  assert.equal(
    await lookup(link, name, { again: true }),
    "pending",
    "no process gives way to one that asks again",
  );
  resolve();
  const answers = await Promise.all(waiting);
  assert.deepEqual(
    answers,
    answers.map((_, index) => evicted.includes(index) ? "pending" : `n${index}.full 192.0.2.1`),
  );
  assert.equal(evicted.length, 4);
  const before = s.asked.length;
  assert.equal(await lookup(link, name, { again: true }), `${name}.full 192.0.2.1`);
  assert.equal(s.asked.length, before, "the answer that came meanwhile");
  assert.equal(await lookup(link, name), `${name}.full 192.0.2.1`);
  assert.equal(s.asked.length, before + 1, "asked again, it is looked up again");
});

Deno.test("a filter sends names one way, as they are written or whole", async () => {
  const search = "ns.svc.cluster.local\nsvc.cluster.local";
  const rules = ["db", "*.svc.cluster.local", "203.0.113.0/24", "api.test:443"];
  for (const side of ["remote", "local"] as const) {
    await using s = await stage({ filter: { side, rules } }, { search });
    const link = await s.layer();
    const matched = side === "remote" ? /full/ : /^local$/;
    const other = side === "remote" ? /^local$/ : /full/;
    for (const name of ["db", "DB.", "web", "web.ns.svc.cluster.local"]) {
      assert.match(await lookup(link, name), matched, `${side} ${name}`);
    }
    assert.match(await lookup(link, "example.com."), other);
    assert.match(await lookup(link, "api.test.", { port: 443 }), matched);
    assert.match(await lookup(link, "api.test.", { port: 80 }), other);
    assert.equal(await reverse(link, "203.0.113.5"), side === "remote" ? "named" : "local");
    assert.equal(await reverse(link, "198.51.100.1"), side === "remote" ? "local" : "named");
    assert.equal(s.asked.filter((one) => one === "hostName").length, 1);
  }
});

Deno.test("names off leave the host's name, and the other way round", async () => {
  const hostName = async (link: LayerLink) => {
    const [frame] = await link.request("hostName", {});
    const { local, name } = decode(layerMessages.hostNameReply, frame?.body ?? nothing);
    return local ? "local" : new TextDecoder().decode(name);
  };
  {
    await using s = await stage({ enabled: false });
    const link = await s.layer();
    assert.deepEqual([await lookup(link, "db"), await hostName(link)], ["local", "pod-1"]);
  }
  await using s = await stage({ hostname: false });
  const link = await s.layer();
  assert.deepEqual([await lookup(link, "db"), await hostName(link)], ["db.full 192.0.2.1", "local"]);
  assert.equal(await lookup(link, Deno.hostname()), "local", "this machine's name is known here alone");
});

Deno.test("an agent that is too busy is asked again later, one that fails fails the app", async () => {
  {
    await using s = await stage({}, { errno: 11 });
    assert.equal(await lookup(await s.layer(), "db"), "ending 2");
  }
  await using s = await stage({}, { errno: 5 });
  await assert.rejects(lookup(await s.layer(), "db"), RemoteError);
});

Deno.test("a raw question is the agent's, its reply the layer's", async () => {
  await using s = await stage({});
  const link = await s.layer();
  const length = dnsReply("db.full", [192, 0, 2, 7]).length;
  assert.equal(await resolve(link, "db"), `0 true ${length}`);
  const query = encodeQuery(1, { name: "db.test", type: 1 }) ?? nothing;
  assert.match(await resolve(link, "", { query, flags: 2 }), /^0 true/);
  assert.deepEqual(s.asked, ["resolve db 1 1", `resolve query ${query.length} 1 2`]);
});

Deno.test("a filter sends raw questions the way of other names", async () => {
  const filter = { side: "remote" as const, rules: ["db.one.test", "tcp://exact.test"] };
  await using s = await stage({ filter }, { search: "one.test" });
  const link = await s.layer();
  const query = (name: string) => encodeQuery(1, { name, type: 1 }) ?? nothing;
  assert.match(await resolve(link, "db"), /^0/);
  assert.equal(await resolve(link, "db", { flags: 0 }), "local"); // as it is, that is another name
  assert.match(await resolve(link, "exact.test", { flags: 0 }), /^0/);
  assert.equal(await resolve(link, "other.test"), "local");
  assert.match(await resolve(link, "", { query: query("db.one.test") }), /^0/);
  assert.equal(await resolve(link, "", { query: query("other.test") }), "local");
  assert.equal(await resolve(link, "", { query: Uint8Array.of(1, 2, 3) }), "local");
});

Deno.test("what a filter names as local is left to this machine, the rest is not", async () => {
  await using s = await stage({ filter: { side: "local", rules: ["db.test"] } });
  const link = await s.layer();
  assert.equal(await resolve(link, "db.test"), "local");
  assert.match(await resolve(link, "a.db.test"), /^0/);
});

Deno.test("rules over names know the addresses of raw replies, libc's own too", async () => {
  await using s = await stage({ filter: { side: "local", rules: ["db", "far.test", "x.test.full"] } });
  const link = await s.layer();
  assert.equal(await reverse(link, "192.0.2.7"), "named");
  assert.match(await resolve(link, "x.test"), /^0/);
  assert.equal(await reverse(link, "192.0.2.7"), "local");
  await link.request("resolved", { name: bytes("db"), reply: dnsReply("db.here", [192, 0, 2, 8]) });
  assert.equal(await reverse(link, "192.0.2.8"), "local"); // as the app wrote it
  await link.request("resolved", { name: nothing, reply: dnsReply("far.test", [192, 0, 2, 9]) });
  assert.equal(await reverse(link, "192.0.2.9"), "local"); // as the reply has it
  await link.request("resolved", { name: nothing, reply: Uint8Array.of(1, 2, 3) });
});

Deno.test("a busy agent, or one that knows no raw questions, is no reason to ask here", async () => {
  {
    await using s = await stage({}, { errno: 11 });
    assert.equal(await resolve(await s.layer(), "db"), "2 false 0");
  }
  await using s = await stage({});
  s.agents.client.version = 1;
  assert.equal(await resolve(await s.layer(), "db"), "2 false 0");
  assert.deepEqual(s.asked, []);
});

Deno.test("raw questions that wait for long leave links for others", async () => {
  const { promise, resolve: answer } = Promise.withResolvers<void>();
  await using s = await stage({}, { before: promise });
  const links = await Promise.all(Array.from({ length: 17 }, () => s.layer(5n)));
  const answers = links.map((link, index) => resolve(link, `n${index}`));
  assert.equal(await Promise.race(answers), "pending");
  answer();
  const all = await Promise.all(answers);
  assert.equal(all.filter((one) => one === "pending").length, 1);
  const late = links[all.indexOf("pending")];
  assert.ok(late !== undefined);
  assert.match(await resolve(late, `n${all.indexOf("pending")}`, { again: true }), /^0/);
});

Deno.test("international names are converted where the app asks for it, other bytes travel as they are", async () => {
  await using s = await stage({});
  const link = await s.layer();
  const utf8 = String.fromCharCode(...new TextEncoder().encode("bücher.test"));
  await lookup(link, utf8, { flags: lookupFlags.sorted | lookupFlags.idn });
  await lookup(link, utf8);
  await lookup(link, "\xff\x01");
  assert.deepEqual(s.asked, ["lookup xn--bcher-kva.test 0 1", `lookup ${utf8} 0 1`, "lookup \xff\x01 0 1"]);
});

Deno.test("names of an address are remembered, the latest last, not without end", () => {
  const known = new KnownNames();
  known.add(["Db.Test.", "db.test", "whole.test"], ["192.0.2.1", "192.0.2.2"]);
  known.add(["other.test"], ["192.0.2.1"]);
  known.add(["db.test"], ["192.0.2.1"]);
  assert.deepEqual(known.of("192.0.2.1"), ["whole.test", "other.test", "db.test"]);
  assert.deepEqual(known.of("192.0.2.2"), ["db.test", "whole.test"]);
  for (let index = 0; index < 5000; index++) known.add([`n${index}`], [`10.0.${index >> 8}.${index & 255}`]);
  for (let index = 0; index < 100; index++) known.add([`m${index}`], ["10.0.19.0"]);
  assert.deepEqual(known.of("192.0.2.1"), []);
  assert.equal(known.of("10.0.19.0").length, 32);
});

Deno.test("Go is set to ask libc, unless a choice was made", () => {
  assert.deepEqual(libcResolves({ A: "b" }), { A: "b", GODEBUG: "netdns=cgo" });
  assert.deepEqual(libcResolves({ GODEBUG: "http2client=0" }), { GODEBUG: "http2client=0,netdns=cgo" });
  assert.deepEqual(libcResolves({ GODEBUG: "netdns=go,x=1" }), { GODEBUG: "netdns=go,x=1" });
});
