// Names in a session with a process as the target: what libc's calls give to a program under mirrord, line by
// line the same as to a program beside the target.

import assert from "node:assert/strict";
import { missingForProcess } from "../support/cases.ts";
import { askNames, DnsStage, type DnsStageOptions } from "../support/dns_stage.ts";
import { compileApp } from "../support/layer_app.ts";
import { goProgram } from "../support/packages.ts";
import { binary, userPath } from "../support/program.ts";

const ignore = missingForProcess() !== null;

const zone = {
  "both.test": { A: ["192.0.2.1"], AAAA: ["2001:db8::1"] },
  "four.test": { A: ["192.0.2.4", "192.0.2.5"] },
  "six.test": { AAAA: ["2001:db8::6", "2001:db8::7"] },
  "nothing.test": {},
  "alias.test": { CNAME: "other.test" },
  "other.test": { CNAME: "both.test" },
  "servfail.test": { rcode: 2 },
  "many.test": { A: Array.from({ length: 200 }, (_, i) => `192.0.2.${i + 1}`), cut: true },
  "short.search.test": { A: ["192.0.2.9"] },
  "1.2.0.192.in-addr.arpa": { PTR: ["both.test"] },
  "9.2.0.192.in-addr.arpa": { rcode: 2 },
};
const files = {
  resolvConf: "nameserver 127.0.0.1\nsearch search.test\noptions timeout:1 attempts:1\n",
  hosts: "127.0.0.1 localhost\n::1 localhost ip6-localhost\n192.0.2.200 file.test alias-of-file\n" +
    "192.0.2.201 ’à.test É.test\n",
};
const options: DnsStageOptions = { zone, files };

const env = { PATH: userPath(), NO_COLOR: "1" };

/** What `argv` prints under mirrord, asked `questions` on its standard input. */
async function underMirrord(
  stage: DnsStage,
  argv: readonly string[],
  config: unknown = {},
  questions: readonly string[] = [],
): Promise<string[]> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, JSON.stringify(config));
    const flags = ["--target", `process/${stage.pid}`, "--config-file", file];
    return await askNames([binary, "exec", ...flags, "--", ...argv], questions, env);
  } finally {
    await Deno.remove(file);
  }
}

function labelled(questions: readonly string[], lines: readonly string[]): string[] {
  return questions.map((question, index) => `${question}: ${lines[index]}`);
}

const hosts = [
  ...Object.keys(zone).filter((name) => name.endsWith(".test")),
  ...["short", "short.", "missing.test", "localhost", "file.test", "alias-of-file"],
  // Letters of more than one byte, some of which no single-byte encoding has.
  ...["’à.test", "É.test", "é.test"],
  ...["192.0.2.55", "2001:db8::55", "127.1", "a..b", "=", "-", "fe80::1%lo", `${"x".repeat(1100)}.test`],
];
const questions = [
  ...hosts.flatMap((host) => [
    ...["0", "4", "6"].flatMap((family) => [
      `addrinfo ${host} http ${family} 1 0`,
      `addrinfo ${host} 8080 ${family} 0 2`,
    ]),
    `addrinfo ${host} - 6 2 24`,
    `addrinfo ${host} 80 0 0 -`,
  ]),
  ...hosts.filter((host) => host !== "-").flatMap((host) => [
    `byname ${host} 4`,
    `byname ${host} 6`,
    `old ${host}`,
    ...[0, 16, 64, 100, 10_000].map((bytes) => `byname_r ${host} 4 ${bytes}`),
    `byname_r ${host} 0 10000`,
  ]),
  ...["192.0.2.1", "192.0.2.2", "192.0.2.9", "2001:db8::1", "127.0.0.1", "::1", "192.0.2.200", "192.0.2.201"]
    .flatMap((
      address,
    ) => [
      `byaddr ${address}`,
      `byaddr_r ${address} 10000`,
      `nameinfo ${address} 80 0 1000`,
      `nameinfo ${address} 80 8 1000`,
      `nameinfo ${address} 80 1 1000`,
      `nameinfo ${address} 80 2 4`,
      `nameinfo ${address} 53 16 1000`,
    ]),
  // Hints that make no sense, and services that are none.
  "addrinfo both.test nonsense 0 1 0",
  "addrinfo both.test http 99 1 0",
  "addrinfo both.test http 0 77 0",
  "addrinfo both.test http 0 1 1048576",
  "addrinfo both.test http 0 1 1024",
  "addrinfo both.test 80 0 1 1024",
  "addrinfo - - 0 1 0",
  "addrinfo - 80 0 1 1",
  "addrinfo both.test - 0 1 4",
  "hostname 200",
  "hostname 3",
  "uname",
  "twice both.test six.test",
  "twice both.test four.test",
];

/**
 * Not compared: rooms that are too small for glibc and not for us, and what glibc returns beside h_errno when
 * it must be asked again: 0 or EAGAIN by what it was busy with last.
 */
function comparable(question: string, native: string): boolean {
  const [, , , , bytes = "10000"] = question.match(/^(by\w+_r) (\S+)( \d)? (\d+)$/) ?? [];
  if (/^by\w+_r /.test(question) && / 2$/.test(native)) return false;
  return bytes === "10000" ||
    (Number(bytes) <= 16 && !/missing|nothing|servfail|six|é|a\.\.b|short\. /.test(question));
}

Deno.test({ name: "every call gives the same as beside the target", ignore }, async () => {
  await using stage = await DnsStage.create(options);
  const native = await stage.native(questions);
  const ours = await underMirrord(stage, [await compileApp("names")], {}, questions);
  assert.equal(native.length, questions.length);
  assert.ok(!ours.some((line) => line.includes("OVERRUN")));
  const chosen = questions.map((question, index) => comparable(question, native[index] ?? ""));
  const [mine, theirs] = [ours, native].map((lines) =>
    labelled(questions, lines).filter((_, index) => chosen[index])
  );
  assert.deepEqual(mine, theirs);
});

const apps = decodeURIComponent(new URL("../apps/", import.meta.url).pathname);
const programs: Record<string, string[]> = {
  "python3": ["/usr/bin/python3", `${apps}names.py`],
  "node": ["/usr/bin/node", `${apps}names.mjs`],
  "Node's own resolver": ["/usr/bin/node", `${apps}resolvers.mjs`],
  "java": ["/usr/bin/java", "-Xshare:auto", `${apps}Names.java`],
  "ruby": ["/usr/bin/ruby", `${apps}names.rb`],
  "php": ["/usr/bin/php", `${apps}names.php`],
  "getent ahosts": ["/usr/bin/getent", "ahosts"],
  "getent ahostsv6": ["/usr/bin/getent", "ahostsv6"],
  "getent hosts": ["/usr/bin/getent", "hosts"],
};
const asked = [
  ...["both.test", "four.test", "six.test", "alias.test", "short", "localhost", "file.test", "nothing.test"],
  ...["missing.test", "servfail.test", "192.0.2.1", "2001:db8::1", "many.test"],
];

for (const [name, argv] of Object.entries(programs)) {
  Deno.test({ name: `${name} finds the hosts that it finds beside the target`, ignore }, async () => {
    await using stage = await DnsStage.create(options);
    const native = await askNames(stage.inside([...argv, ...asked]), [], env);
    assert.ok(native.length > 3, native.join("\n"));
    assert.deepEqual(await underMirrord(stage, [...argv, ...asked]), native);
  });
}

Deno.test({
  name: "a Go program finds the hosts that it finds beside the target, by libc and by itself",
  ignore,
}, async () => {
  await using stage = await DnsStage.create(options);
  const argv = [await goProgram("go_names"), ...asked];
  // Under mirrord that is set: Go's own resolver would ask by itself.
  const native = await askNames(stage.inside(argv), [], { ...env, GODEBUG: "netdns=cgo" });
  assert.deepEqual(await underMirrord(stage, argv), native);
});

for (const outgoing of [{ udp: false }, { tcp: false, udp: false }, false]) {
  Deno.test({
    name: `a program's own resolver asks the target's name servers with outgoing ${JSON.stringify(outgoing)}`,
    ignore,
  }, async () => {
    await using stage = await DnsStage.create(options);
    const argv = ["/usr/bin/node", `${apps}resolvers.mjs`, "both.test", "four.test", "missing.test"];
    const native = await askNames(stage.inside(argv), [], env);
    assert.ok(native.some((line) => line.includes("192.0.2.1")), native.join("\n"));
    assert.deepEqual(await underMirrord(stage, argv, { feature: { network: { outgoing } } }), native);
  });
}
