// Raw questions to the name servers through the agent, compared with libc's own answers beside the target:
// byte for byte the same replies, the same failures, and the servers asked the same.

import assert from "node:assert/strict";
import { withNamesStage } from "../support/names_agent.ts";
import { compareResolver, nativeResolver, res, throughAgent, types } from "../support/resolver_agent.ts";

const zone = {
  "_db._tcp.host.test": {
    SRV: [[0, 5, 27017, "db-0.host.test"], [1, 5, 27018, "db-1.host.test"]],
    also: { "db-0.host.test": ["192.0.2.10"], "db-1.host.test": ["192.0.2.11"] },
  },
  "host.test": { A: ["192.0.2.1"], TXT: ["key=value", "second"], MX: [[10, "mail.host.test"]] },
  "alias.test": { CNAME: "host.test" },
  "nothing.test": {},
  "servfail.test": { rcode: 2 },
  "refused.test": { rcode: 5 },
  "notimp.test": { rcode: 4 },
  "formerr.test": { rcode: 1 },
  "odd.test": { rcode: 9 },
  "cut.test": { TXT: Array.from({ length: 30 }, (_, i) => `${i}${"x".repeat(100)}`), cut: true },
  "large.test": { TXT: Array.from({ length: 220 }, (_, i) => `${i}${"x".repeat(240)}`), cut: true },
  "many.test": { TXT: Array.from({ length: 9 }, (_, i) => `${i}${"x".repeat(100)}`) },
  "echo.test": { echo: true },
  "echo.test.host.test": { echo: true },
  "authentic.test": { A: ["192.0.2.2"], authentic: true },
  "mute.test": { drop: ["TXT"] },
  "lies.test": { TXT: ["true"], lies: true },
  "garbage.test": { garbage: true },
  "a b.test": { TXT: ["a space"] },
};
const quick = "options timeout:1 attempts:1\n";
const live = "nameserver 127.0.0.1\n";
const names = [...Object.keys(zone).filter((name) => !/garbage|mute|large| /.test(name)), "missing.test"];
const { A, CNAME, MX, SRV, TXT } = types;
const room = 65535;

Deno.test("every record is the one that libc gets beside the target", async () => {
  await withNamesStage({ zone, files: { resolvConf: live + quick } }, async (stage, link) => {
    const questions = names.flatMap((name) =>
      ["res_nquery", "res_nsearch", "res_nsend"].flatMap((call) =>
        [A, CNAME, MX, SRV, TXT].map((type) => `${call} ${name} ${type} ${room}`)
      )
    );
    const odd = [".", "a..b", `${"x".repeat(64)}.test`, "host.test.", "HOST.test", "a\\032b.test"];
    questions.push(
      ...odd.flatMap((name) => [`res_nquery ${name} ${TXT} 900`, `res_nsearch ${name} ${TXT} 900`]),
    );
    questions.push(`res_nquery = ${TXT} 900`);
    const native = await compareResolver(stage, link, questions);
    assert.ok(native.filter((line) => line.startsWith("found")).length > 100, "too few were found");
  });
});

Deno.test("a reply that does not fit comes by TCP, or cut where the program wants it so", async () => {
  await withNamesStage({ zone, files: { resolvConf: live + quick } }, async (stage, link) => {
    const [large = "", cut = ""] = await compareResolver(stage, link, [
      `res_nquery large.test ${TXT} ${room}`,
      `res_nquery cut.test ${TXT} ${room} ${res.ignoreTruncation}`,
      `res_nquery cut.test ${TXT} ${room} ${res.useTcp}`,
      `res_nsend cut.test ${TXT} ${room} ${res.ignoreTruncation}`,
      `res_nsend cut.test ${TXT} ${room} ${res.useTcp}`,
    ]);
    assert.ok(large.startsWith("found 5") && large.length > 100_000, large.slice(0, 40));
    assert.ok(cut.length < 600, cut.slice(0, 40));
    assert.deepEqual(
      stage.asked().filter((line) => line.includes("large")),
      ["udp", "tcp", "udp", "tcp"].map((way) => `large.test TXT ${way}`),
    );
  });
});

/** resolv.conf, and how the first question ends. */
const servers: Record<string, [resolvConf: string, first: RegExp]> = {
  "a dead server before a live one": [`nameserver 127.0.0.9\n${live}${quick}`, /^found/],
  "a silent server before a live one": [`nameserver 127.0.0.4\n${live}${quick}`, /^found/],
  "only a dead server": [`nameserver 127.0.0.9\n${quick}`, /^error -1 2 2 rcode 0/],
  "only a silent server": [`nameserver 127.0.0.4\nsearch x.test\n${quick}`, /^error -1 2 2 rcode 0/],
  "TCP throughout": [`${live}options use-vc\n${quick}`, /^found/],
  "EDNS": [`${live}options edns0\n${quick}`, /^found/],
  "trusted servers": [`${live}options trust-ad\n${quick}`, /^found/],
  "two servers": [`${live}nameserver 127.0.0.2\n${quick}`, /^found/],
};

for (const [title, [resolvConf, first]] of Object.entries(servers)) {
  Deno.test(`${title}: a raw question ends as libc's`, async () => {
    await withNamesStage({ zone, files: { resolvConf } }, async (stage, link) => {
      const [line = ""] = await compareResolver(stage, link, [
        `res_nquery _db._tcp.host.test ${SRV} 512`,
        `res_nsearch servfail.test ${TXT} 4000`,
        `res_nquery authentic.test ${A} 4000`,
        `res_nquery echo.test ${TXT} 600`,
        `res_nsend servfail.test ${TXT} 512`,
        `res_nsend host.test ${MX} 512`,
      ]);
      assert.match(line, first);
    });
  });
}

Deno.test("what a program set in its own state of the resolver is in the query", async () => {
  await withNamesStage({ zone, files: { resolvConf: live + quick } }, async (stage, link) => {
    const sets = [0, res.edns, res.dnssec, res.trustAd, res.edns | res.dnssec | res.trustAd];
    const native = await compareResolver(stage, link, [
      ...sets.flatMap((set) =>
        [100, 512, 700, 1200, 4000].map((bytes) => `res_nquery echo.test ${TXT} ${bytes} ${set}`)
      ),
      `res_nquery echo.test ${TXT} 512 0 ${res.recurse}`,
      ...sets.map((set) => `res_nquery authentic.test ${A} 512 ${set}`),
      ...sets.map((set) => `res_nsend authentic.test ${A} 512 ${set}`),
    ]);
    assert.ok(new Set(native).size > 8, native.join("\n"));
  });
});

const searchZone = {
  "a.one.test": { TXT: ["one"] },
  "a.two.test": { TXT: ["two"] },
  "nodata.one.test": {},
  "nodata.two.test": { TXT: ["two"] },
  "fails.one.test": { rcode: 2 },
  "fails.two.test": { TXT: ["two"] },
  "refused.one.test": { rcode: 5 },
  "refused.two.test": { TXT: ["two"] },
  "onlynodata.one.test": {},
  "onlyfails.one.test": { rcode: 2 },
  "odd.one.test": { rcode: 1 },
  "odd.two.test": { TXT: ["two"] },
  "x.y": { TXT: ["as it is"] },
  "x.y.two.test": { TXT: ["two"] },
  "_db._tcp.a.two.test": { SRV: [[0, 0, 1, "a.two.test"]] },
  "top": { TXT: ["top"] },
};

Deno.test("search domains and ndots lead a raw question where they lead libc", async () => {
  const base = `${live}${quick}`;
  const settings = [
    "search one.test two.test\n",
    "search one.test two.test\noptions ndots:5\n",
    "search . two.test\n",
    "search .two.test one.test.\n",
    "search one.test two.test\noptions no-tld-query\n",
    "search one.test two.test\noptions use-vc\n",
    "",
  ];
  const names = [
    "a",
    "nodata",
    "fails",
    "refused",
    "onlynodata",
    "onlyfails",
    "odd",
    "x.y",
    "_db._tcp.a",
    "top",
  ];
  names.push("missing", "none.at.all", "a.", "x.y.", "a.one.test.");
  await withNamesStage({ zone: searchZone, files: { resolvConf: base } }, async (stage, link) => {
    for (const setting of settings) {
      stage.write({ resolvConf: base + setting });
      const removes = setting === settings[0]
        ? [0, res.defNames, res.dnsSearch, res.defNames | res.dnsSearch]
        : [0];
      const questions = names.flatMap((name) =>
        removes.flatMap((remove) => {
          const type = name.startsWith("_") ? SRV : TXT;
          return [
            `res_nsearch ${name} ${type} 900 0 ${remove}`,
            `res_nquery ${name} ${type} 900 0 ${remove}`,
          ];
        })
      );
      stage.asked();
      const native = await nativeResolver(stage, questions);
      const askedByLibc = stage.asked();
      const ours: string[] = [];
      for (const question of questions) ours.push(await throughAgent(link, question));
      const pairs = (lines: string[]) => lines.map((line, i) => `${questions[i]}: ${line}`);
      assert.deepEqual(pairs(ours), pairs(native), setting);
      assert.deepEqual(stage.asked(), askedByLibc, setting);
    }
  });
});

Deno.test("garbage and silence are no answer to a raw question, and hold up no other", async () => {
  const resolvConf = `${live}options timeout:1 attempts:1\n`;
  await withNamesStage({ zone, files: { resolvConf } }, async (_stage, link) => {
    const slow = ["garbage", "mute"].map((name) => throughAgent(link, `res_nquery ${name}.test ${TXT} 900`));
    assert.match(await throughAgent(link, `res_nquery host.test ${TXT} 900`), /^found/);
    assert.deepEqual(await Promise.all(slow), new Array(2).fill("error -1 2 2 rcode 0"));
  });
});
