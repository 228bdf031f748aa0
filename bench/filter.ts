// HTTP filters. How many request heads a filter judges per second, against the same filter by JavaScript's
// RegExp, which backtracks; then with a pattern that makes a backtracking engine explode. And what a request
// that no filter wants pays on its way through the agent, against the untouched server (root). Last line:
// heads per second, mirrord / RegExp, more is better.

import { compileFilter } from "../protocol-wasm/mod.ts";
import { FakeClient } from "../tests/support/fake_client.ts";
import { Netns } from "../tests/support/netns.ts";
import { compileLoad, figure, serve } from "./load.ts";
import { compare, median, report } from "./measure.ts";

const rounds = 5;
const batchMilliseconds = 150;
const port = 80;

/** A filter as the configuration has it, of the kinds that are compared. */
type Leaf = { header: string } | { path: string } | { method: string };
type Shape = Leaf | { all_of: Shape[] } | { any_of: Shape[] } | { not: Shape };

const sets: Record<string, Shape> = {
  "one header": { header: "^x-user: alice$" },
  "baggage": { header: "^baggage: .*\\bsession=[a-z0-9]{8}\\b" },
  "a path": { path: "^/api/v[0-9]+/orders/[0-9]+(/items)?$" },
  "all of three": {
    all_of: [{ method: "GET" }, { path: "^/api/" }, { header: "^x-tenant: (shop|bank)-[0-9]+$" }],
  },
  "any of eight": {
    any_of: ["ann", "bob", "cleo", "dan", "eve", "fay", "gus", "hal"].map((name) => ({
      header: `^x-user: ${name}$`,
    })),
  },
};

/** Twenty-two letters and no end to them: a backtracking engine tries four million ways. */
const exploding: Shape = { header: "^x-user: (a+)+$" };
const explodingHead = head("/", [["X-User", `${"a".repeat(22)}!`]]);

function head(path: string, more: [name: string, value: string][]): Uint8Array {
  const usual: [string, string][] = [
    ["Host", "shop.example"],
    ["User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"],
    ["Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
    ["Accept-Language", "en-GB,en;q=0.5"],
    ["Accept-Encoding", "gzip, deflate, br"],
    ["Cookie", "theme=dark; consent=yes; id=9f8c7b6a5d4e3f2a1b0c"],
    ["X-Request-Id", "7d3c1b9e-5f44-4f6a-9d0e-2c1a8b7f6e5d"],
  ];
  const lines = [...usual, ...more].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return new TextEncoder().encode(`GET ${path} HTTP/1.1\r\n${lines}\r\n`);
}

/** One in ten is wanted by each filter. */
const heads = Array.from({ length: 20 }, (_, index) =>
  index % 10 === 0
    ? head(`/api/v2/orders/${index}`, [
      ["X-User", index === 0 ? "alice" : "hal"],
      ["X-Tenant", "shop-7"],
      ["Baggage", `region=eu,session=abcd${1000 + index}`],
    ])
    : head(`/static/${index}/app.js?v=${index}`, [["X-User", `user${index}`], ["Baggage", "region=us"]]));

/** The same filter by RegExp, over the head's text. */
function byRegExp(shape: Shape): (head: Uint8Array) => boolean {
  type Parts = { method: string; path: string; headers: string[] };
  const compile = (part: Shape): (parts: Parts) => boolean => {
    if ("all_of" in part) {
      const members = part.all_of.map(compile);
      return (parts) => members.every((one) => one(parts));
    }
    if ("any_of" in part) {
      const members = part.any_of.map(compile);
      return (parts) => members.some((one) => one(parts));
    }
    if ("not" in part) {
      const member = compile(part.not);
      return (parts) => !member(parts);
    }
    const [pattern = ""] = Object.values(part);
    const regex = new RegExp("method" in part ? `^${pattern}$` : pattern, "i");
    if ("header" in part) return ({ headers }) => headers.some((line) => regex.test(line));
    if ("method" in part) return ({ method }) => regex.test(method);
    return ({ path }) => regex.test(path) || regex.test(path.replace(/\?.*/, ""));
  };
  const compiled = compile(shape);
  const decoder = new TextDecoder();
  return (bytes) => {
    const [start = "", ...headers] = decoder.decode(bytes).split("\r\n");
    const [method = "", path = ""] = start.split(" ");
    return compiled({ method, path, headers });
  };
}

/** Heads that `matches` judges in a second. */
function rate(matches: (head: Uint8Array) => boolean, list: readonly Uint8Array[]): number {
  let judged = 0;
  const from = performance.now();
  let took = 0;
  do {
    for (const one of list) matches(one);
    judged += list.length;
    took = performance.now() - from;
  } while (took < batchMilliseconds);
  return judged / took * 1000;
}

async function judge(name: string, shape: Shape, list: readonly Uint8Array[]): Promise<number> {
  using filter = compileFilter(JSON.stringify(shape));
  const peer = byRegExp(shape);
  for (const one of list) {
    if (filter.matches(one) !== peer(one)) throw new Error(`Cannot compare "${name}": the verdicts differ`);
  }
  const result = await compare(
    () => Promise.resolve(rate((one) => filter.matches(one), list)),
    () => Promise.resolve(rate(peer, list)),
    rounds,
  );
  report(
    `${name.padEnd(14)} ${result.ours.toFixed(0).padStart(8)} heads/s, RegExp ${
      result.peer.toFixed(0)
    }, ratio ${result.ratio.toFixed(2)}`,
  );
  return result.ratio;
}

/** Requests that a filter does not want, through the agent, and to the same server without one. */
async function passing(folder: string): Promise<void> {
  const load = await compileLoad(folder, "dynamic");
  await using netns = await Netns.create();
  await using _server = await serve(netns.inside([load, "serve", String(port)]));
  const ask = (connections: number) =>
    figure([load, "http", netns.ipv4, String(port), "2", String(connections)]);
  for (const connections of [1, 10]) {
    const filtered = async () => {
      await using client = await FakeClient.start(netns);
      await client.subscribe(port, '{"header": "^x-user: alice$"}');
      return await ask(connections);
    };
    const { ours, peer, ratio } = await compare(filtered, () => ask(connections), 3);
    report(
      `passed on by the agent, ${connections} connection${connections === 1 ? "" : "s"}: ${
        ours.toFixed(0)
      } requests/s, untouched ${peer.toFixed(0)}, ratio ${ratio.toFixed(2)}`,
    );
  }
}

const ratios: number[] = [];
for (const [name, shape] of Object.entries(sets)) ratios.push(await judge(name, shape, heads));
const redos = await judge("exploding", exploding, [explodingHead]);
const folder = Deno.makeTempDirSync();
try {
  await passing(folder);
} finally {
  Deno.removeSync(folder, { recursive: true });
}
report(`filter ratio=${median(ratios).toFixed(2)} redos_ratio=${redos.toFixed(2)}`);
