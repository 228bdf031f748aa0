// Raw questions to the name servers, and asynchronous look-ups, in a session with a process as the target: a
// program under mirrord gets what a program beside the target gets, line by line.

import assert from "node:assert/strict";
import { missingForProcess } from "../support/cases.ts";
import { askNames, DnsStage, type DnsStageOptions } from "../support/dns_stage.ts";
import { compileApp } from "../support/layer_app.ts";
import { binary, userPath } from "../support/program.ts";
import { res, types } from "../support/resolver_agent.ts";

const ignore = missingForProcess() !== null;

const zone = {
  "_db._tcp.host.test": {
    SRV: [[0, 5, 27017, "db-0.host.test"], [1, 5, 27018, "db-1.host.test"]],
    also: { "db-0.host.test": ["192.0.2.10"] },
  },
  "host.test": { A: ["192.0.2.1"], TXT: ["key=value", "second"], MX: [[10, "mail.host.test"]] },
  "short.search.test": { A: ["192.0.2.9"], TXT: ["by the search list"] },
  "_db._tcp.short.search.test": { SRV: [[0, 0, 1, "db.search.test"]] },
  "alias.test": { CNAME: "host.test" },
  "nothing.test": {},
  "servfail.test": { rcode: 2 },
  "large.test": { TXT: Array.from({ length: 60 }, (_, i) => `${i}${"x".repeat(200)}`), cut: true },
};
const resolvConf = "nameserver 127.0.0.1\nsearch search.test\noptions timeout:1 attempts:1\n";
const options: DnsStageOptions = { zone, files: { resolvConf, hosts: "192.0.2.200 file.test\n" } };
const env = { PATH: userPath(), NO_COLOR: "1" };

/** What `argv` prints under mirrord, asked `questions` on its standard input. */
async function underMirrord(
  stage: DnsStage,
  argv: readonly string[],
  questions: readonly string[] = [],
): Promise<string[]> {
  return await askNames([binary, "exec", "--target", `process/${stage.pid}`, "--", ...argv], questions, env);
}

const hosts = [...Object.keys(zone), "short", "_db._tcp.short", "missing.test", "host.test.", "a..b"];
const { A, MX, SRV, TXT } = types;
const questions = [
  ...["res_query", "res_nquery", "res_search", "res_nsearch", "res_send", "res_nsend"].flatMap((call) =>
    hosts.filter((host) => !(call.includes("send") && host === "a..b")).flatMap((host) =>
      [A, MX, SRV, TXT].map((type) => `${call} ${host} ${type} 65535`)
    )
  ),
  ...["res_querydomain", "res_nquerydomain"].map((call) => `${call} host ${TXT} 512 0 0 test`),
  // Rooms that are too small, by UDP and by TCP.
  ...[11, 12, 60, 512, 4000].flatMap((room) => [
    `res_nquery _db._tcp.host.test ${SRV} ${room}`,
    `res_nquery large.test ${TXT} ${room}`,
    `res_nsend large.test ${TXT} ${room}`,
  ]),
  ...[res.edns, res.dnssec, res.useTcp, res.ignoreTruncation].map((set) =>
    `res_nsearch large.test ${TXT} 900 ${set}`
  ),
  `res_nsearch short ${TXT} 900 0 ${res.defNames}`,
];

Deno.test({ name: "every raw question gives the same as beside the target", ignore }, async () => {
  await using stage = await DnsStage.create(options);
  const app = await compileApp("resolver");
  const native = await askNames(stage.inside([app]), questions);
  assert.equal(native.length, questions.length);
  assert.ok(native.filter((line) => line.startsWith("found")).length > 40, native.join("\n"));
  const ours = await underMirrord(stage, [app], questions);
  const labelled = (lines: string[]) => questions.map((question, index) => `${question}: ${lines[index]}`);
  assert.deepEqual(labelled(ours), labelled(native));
});

Deno.test({ name: "PHP gets the records that it gets beside the target", ignore }, async () => {
  await using stage = await DnsStage.create(options);
  const apps = decodeURIComponent(new URL("../apps/", import.meta.url).pathname);
  const argv = ["/usr/bin/php", `${apps}records.php`, ...hosts];
  const native = await askNames(stage.inside(argv), [], env);
  assert.match(native[0] ?? "", /27017.*27018/);
  assert.deepEqual(await underMirrord(stage, argv), native);
});

Deno.test({ name: "asynchronous look-ups end as beside the target", ignore }, async () => {
  await using stage = await DnsStage.create(options);
  const names = "host.test short alias.test file.test missing.test nothing.test servfail.test = 192.0.2.44";
  // One at a time for gai_suspend(3): with several libc's own writes to where its caller's frame was, and
  // sometimes ends the app.
  const orders = [`wait ${names}`, `signal ${names}`, "suspend host.test", "suspend missing.test", "argue"];
  const many = Array.from({ length: 50 }, (_, index) => index % 2 === 0 ? "host.test" : "short").join(" ");
  orders.push(`wait ${many}`);
  const app = await compileApp("addrinfo_a");
  const native = await askNames(stage.inside([app]), orders);
  assert.match(native[0] ?? "", /^0 host\.test 0 192\.0\.2\.1 short 0 192\.0\.2\.9/);
  assert.deepEqual(await underMirrord(stage, [app], orders), native);
});
