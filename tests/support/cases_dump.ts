// The cases of `mirrord dump`, for every stage: requests with their answers as lines and as JSON, the files
// that it writes, and its ends. Used by tests/program/dump_test.ts and tests/e2e/dump_test.ts.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import type { Case } from "./cases.ts";
import { sequence } from "./client.ts";
import { readHar } from "./har.ts";
import { assertTargetClean } from "./postcondition.ts";
import { Mirrord } from "./program.ts";
import type { Stage } from "./stage.ts";
import { missingForTshark, tshark } from "./tshark.ts";

/** Standard output goes where standard error goes, so that it can be waited for. */
const oneStream = ["sh", "-c", 'exec "$@" >&2', "sh"];

/** A running `mirrord dump` with both files. */
export class Dump extends Mirrord {
  readonly folder: string;

  constructor({ targetFlags, prefix }: Pick<Stage, "targetFlags" | "prefix">, flags: string[] = []) {
    const folder = Deno.makeTempDirSync({ prefix: "mirrord-dump-" });
    const files = ["--har", `${folder}/dump.har`, "--pcap", `${folder}/dump.pcapng`];
    super(["dump", ...targetFlags, ...files, ...flags], { prefix: [...prefix, ...oneStream] });
    this.folder = folder;
  }

  static async watching(stage: Pick<Stage, "targetFlags" | "prefix">, flags: string[] = []): Promise<Dump> {
    const dump = new Dump(stage, flags);
    try {
      await dump.until(/Showing what goes to and from port/);
      return dump;
    } catch (error) {
      await dump[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The lines of JSON so far. */
  json(): Record<string, unknown>[] {
    return this.said().filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  }

  get har(): string {
    return `${this.folder}/dump.har`;
  }

  /** The answers that tshark finds. */
  async answers(): Promise<string[]> {
    return await tshark(`${this.folder}/dump.pcapng`, ["http.response.code"], "http.response");
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    Deno.removeSync(this.folder, { recursive: true });
  }
}

const requests = [
  { path: "/one?token=1" },
  { path: "/two", method: "POST", size: 3000, chunked: true },
  { path: "/chunked/70000" },
];

async function shows(stage: Stage): Promise<void> {
  const identity = await stage.identity();
  await using dump = await Dump.watching(stage);
  await sequence(stage, requests);
  await dump.until(/^[\d:.]+ #3 < 200 OK/);
  const client = stage.clients.ipv4.replaceAll(".", "\\.");
  await dump.until(
    new RegExp(`^[\\d:.]+ #1 > GET http://${stage.hosts.ipv4}/one\\?token=1 \\(${client}:\\d+ > `),
  );
  await dump.until(/^ {4}.*"by": ?"original"/);
  await until("the file has all", async () => (await readHar(dump.har)).entries.length === 3 || "fewer", 20);
  dump.kill("SIGINT");
  const { code, stderr } = await dump.finished();
  assert.equal(code, 0, stderr);
  assert.match(stderr, /3 requests seen$/m);
  const { entries, comment } = await readHar(dump.har);
  assert.equal(comment, undefined);
  assert.deepEqual(entries.map(({ response }) => response.status), [200, 200, 200]);
  assert.equal(entries[1]?.request.postData?.text.length, 4000); // base64 of 3000 bytes that are no text
  assert.equal(entries[2]?.response.content.size, 70_000);
  for (const name of ["dump.har", "dump.pcapng"]) {
    assert.equal((Deno.statSync(`${dump.folder}/${name}`).mode ?? 0) & 0o777, 0o600);
  }
  if (missingForTshark() === null) assert.deepEqual(await dump.answers(), ["200", "200", "200"]);
  await assertTargetClean(stage, identity);
}

async function tellsPrograms(stage: Stage): Promise<void> {
  await using dump = await Dump.watching(stage, ["-p", "80", "-o", "json", "--preview", "20"]);
  await sequence(stage, requests);
  await dump.until(/^\{"type":"response","request":3/);
  const json = dump.json();
  const of = (type: string) => json.filter((one) => one["type"] === type);
  assert.deepEqual(of("request").map((one) => one["method"]), ["GET", "POST", "GET"]);
  assert.deepEqual(of("response").map((one) => one["status"]), [200, 200, 200]);
  const [, , large] = of("response");
  const body = large?.["body"] as { size: number; base64?: string; truncated?: boolean };
  assert.deepEqual([body.size, body.truncated, body.base64?.length], [70_000, true, 28]);
  dump.kill("SIGTERM");
  assert.equal((await dump.finished()).code, 0);
}

async function filters(stage: Stage): Promise<void> {
  const filter = ["--http-filter", "path: ^/(two|chunked)"];
  await using dump = await Dump.watching(stage, ["-o", "json", ...filter]);
  await sequence(stage, requests);
  await dump.until(/^\{"type":"response","request":3/);
  dump.kill("SIGINT");
  const { code, stderr } = await dump.finished();
  assert.deepEqual(
    [code, dump.json().filter(({ type }) => type === "request").map(({ request }) => request)],
    [0, [2, 3]],
  );
  assert.match(stderr, /2 requests seen$/m);
  assert.equal((await readHar(dump.har)).entries.length, 2);
}

async function endsWhole(stage: Stage): Promise<void> {
  await using dump = await Dump.watching(stage);
  await sequence(stage, [...requests, ...requests, ...requests]);
  dump.kill("SIGINT"); // whether or not they were shown yet
  const { code, stderr } = await dump.finished();
  assert.equal(code, 0, stderr);
  assert.match(stderr, /9 requests seen$/m);
  assert.equal((await readHar(dump.har)).entries.length, 9);
}

async function saysLosses(stage: Stage): Promise<void> {
  await using dump = await Dump.watching(stage);
  dump.kill("SIGSTOP");
  try {
    await sequence(stage, [{ path: "/large", method: "POST", size: 100_000_000 }]);
  } finally {
    dump.kill("SIGCONT");
  }
  await sequence(stage, requests.slice(0, 1));
  await dump.until(/\/one\?token=1/);
  await dump.until(/packets were not copied: they came faster than (the agent|this session) took them/);
  dump.kill("SIGINT");
  const { code, stderr } = await dump.finished();
  assert.equal(code, 0, stderr);
  assert.match(stderr, /\d+ packets were not copied/);
  assert.match(
    (await readHar(dump.har)).comment ?? "",
    /^The recording is incomplete: \d+ packets were not copied/,
  );
  if (missingForTshark() !== null) return;
  const comments = await tshark(`${dump.folder}/dump.pcapng`, ["frame.comment"], "frame.comment");
  assert.match(comments.join("\n"), /packets were not copied/);
}

/** All of them. */
export const dumpCases: Case[] = [
  { name: "requests and answers are shown and recorded, until Ctrl-C", run: shows },
  {
    name: "JSON lines hold what a program needs, and no more of a body than was asked for",
    run: tellsPrograms,
  },
  { name: "what passed before Ctrl-C is shown and recorded", run: endsWhole },
  { name: "a filter leaves out other requests", run: filters },
  { name: "the output and both files name what was not copied", run: saysLosses },
];
