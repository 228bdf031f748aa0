// Names through the agent, compared with libc's own answers beside the target: the same addresses in the same
// order, the same names, the same failures.

import assert from "node:assert/strict";
import { compareNames, plain, throughAgent, withNamesStage } from "../support/names_agent.ts";

const zone = {
  "both.test": { A: ["192.0.2.1"], AAAA: ["2001:db8::1"] },
  "four.test": { A: ["192.0.2.4", "192.0.2.5"] },
  "six.test": { AAAA: ["2001:db8::6", "2001:db8::7"] },
  "nothing.test": {},
  "alias.test": { CNAME: "other.test" },
  "other.test": { CNAME: "both.test" },
  "dangling.test": { CNAME: "nowhere.test" },
  "loop.test": { CNAME: "loop2.test" },
  "loop2.test": { CNAME: "loop.test" },
  "servfail.test": { rcode: 2 },
  "refused.test": { rcode: 5 },
  "formerr.test": { rcode: 1 },
  "notimp.test": { rcode: 4 },
  "half.test": { A: ["192.0.2.9"], rcode: { AAAA: 2 } },
  "otherhalf.test": { AAAA: ["2001:db8::9"], rcode: { A: 2 } },
  "halfnx.test": { A: ["192.0.2.9"], rcode: { AAAA: 3 } },
  "cut.test": { A: Array.from({ length: 60 }, (_, i) => `192.0.2.${i + 1}`), cut: true },
  "many.test": { A: Array.from({ length: 25 }, (_, i) => `192.0.2.${i + 1}`) },
  "lies.test": { A: ["192.0.2.77"], lies: true },
  "UPPER.test": { A: ["192.0.2.8"] },
  "under_score.test": { A: ["192.0.2.8"] },
  "1.2.0.192.in-addr.arpa": { PTR: ["both.test", "second.test"] },
  "9.2.0.192.in-addr.arpa": { rcode: 2 },
  "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": { PTR: ["six.test"] },
};
const files = {
  resolvConf: "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
  hosts: [
    "127.0.0.1 localhost loop",
    "::1 localhost ip6-localhost",
    "192.0.2.200 file.test Alias # a comment",
    "192.0.2.201 second FILE.test",
    "2001:db8::200\tfile.test\tsix-alias",
    "::ffff:192.0.2.202 mapped.test",
    "999.1.1.1 bad.test",
    "192.0.2.203",
    "",
  ].join("\n"),
};

const everyName = [
  ...Object.keys(zone).filter((name) => name.endsWith(".test")),
  "missing.test",
  "localhost",
  "loop",
  "file.test",
  "File.Test",
  "alias",
  "second",
  "six-alias",
  "bad.test",
  "both.test.",
  "a..b",
  ".",
  "-dash.test",
  `${"x".repeat(64)}.test`,
];

Deno.test("every name has the answers that libc gives beside the target", async () => {
  await withNamesStage({ zone, files }, async (stage, link) => {
    const questions = everyName.flatMap((name) => [
      ...[0, 4, 6].flatMap((family) => [0, 2].map((flags) => `addrinfo ${name} - ${family} 1 ${flags}`)),
      ...[4, 6].map((family) => `byname ${name} ${family}`),
      `addrinfo ${name} - 6 1 8`,
      `addrinfo ${name} - 6 1 24`,
      `addrinfo ${name} - 0 1 32`,
    ]);
    const native = await compareNames(stage, link, questions);
    assert.ok(native.filter((line) => line.startsWith("found")).length > 60, "too few were found");
  });
});

Deno.test("an address has the names that libc gives beside the target", async () => {
  await withNamesStage({ zone, files }, async (stage, link) => {
    const addresses = [
      ...["192.0.2.1", "192.0.2.2", "192.0.2.9", "2001:db8::1", "2001:db8::2"],
      ...["127.0.0.1", "::1", "192.0.2.200", "2001:db8::200", "192.0.2.202"],
    ];
    await compareNames(stage, link, addresses.map((address) => `byaddr ${address}`));
    await compareNames(stage, link, ["hostname 200"]);
  });
});

const searchZone = {
  "a.one.test": { A: ["192.0.2.1"] },
  "a.two.test": { A: ["192.0.2.2"] },
  "b.two.test": { A: ["192.0.2.3"] },
  "nodata.one.test": {},
  "nodata.two.test": { A: ["192.0.2.4"] },
  "fails.one.test": { rcode: 2 },
  "fails.two.test": { A: ["192.0.2.5"] },
  "refused.one.test": { rcode: 5 },
  "refused.two.test": { A: ["192.0.2.5"] },
  "onlynodata.one.test": {},
  "onlyfails.one.test": { rcode: 2 },
  "odd.one.test": { rcode: 1 },
  "odd.two.test": { A: ["192.0.2.6"] },
  "x.y": { A: ["192.0.2.7"] },
  "x.y.two.test": { A: ["192.0.2.8"] },
  "p.q.r": { A: ["192.0.2.9"] },
  "p.q.r.one.test": { A: ["192.0.2.10"] },
  "top": { A: ["192.0.2.11"] },
  "half.one.test": { AAAA: ["2001:db8::5"] },
  "half.two.test": { A: ["192.0.2.12"] },
  "asis.nodata": {},
  "asis.fails": { rcode: 2 },
  "asis.fails.two.test": { A: ["192.0.2.13"] },
};

Deno.test("search domains and ndots lead where they lead libc", async () => {
  const base = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n";
  const settings = [
    "search one.test two.test\n",
    "search one.test two.test\noptions ndots:2\n",
    "search one.test two.test\noptions ndots:5\n",
    "search one.test two.test\noptions ndots:0\n",
    "domain two.test\n",
    "search one.test\nsearch two.test\n",
    "search .\n",
    "search . two.test\n",
    "search .two.test one.test.\n",
    "search one.test two.test\noptions no-tld-query\n",
    "; comment\n# comment\nsearch\tone.test\ttwo.test \noptions  ndots:3  single-request\n",
    "",
  ];
  const names = [
    ...Object.keys(searchZone).filter((name) => !name.endsWith("e.test")),
    ...["a", "b", "nodata", "fails", "refused", "onlynodata", "onlyfails", "odd", "half", "missing"],
    ...["a.", "a.one.test.", "x.y.", "none.at.all"],
  ];
  await withNamesStage({ zone: searchZone, files: { resolvConf: base } }, async (stage, link) => {
    for (const setting of settings) {
      stage.write({ resolvConf: base + setting });
      const questions = names.flatMap((name) => [
        `addrinfo ${name} - 0 1 2`,
        `addrinfo ${name} - 4 1 0`,
        `byname ${name} 4`,
      ]);
      stage.asked();
      const native = (await stage.native(questions)).map(plain);
      const askedByLibc = stage.asked();
      const ours: string[] = [];
      for (const question of questions) ours.push(await throughAgent(link, question));
      assert.deepEqual(
        ours.map((line, i) => `${questions[i]}: ${line}`),
        native.map((line, i) => `${questions[i]}: ${line}`),
        setting,
      );
      assert.deepEqual([...stage.asked()].sort(), askedByLibc.sort(), setting);
    }
  });
});

Deno.test("a host name with dots gives the search domain where resolv.conf names none", async () => {
  const files = { resolvConf: "nameserver 127.0.0.1\n" };
  await withNamesStage({ zone: searchZone, files, hostName: "pod-1.two.test" }, async (stage, link) => {
    await compareNames(stage, link, ["addrinfo a - 0 1 2", "hostname 200"]);
  });
});
