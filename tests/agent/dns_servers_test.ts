// Name servers that are dead, silent, slow, lying or short of room, and files of the target that change: what
// libc beside the target makes of them, the agent makes of them too.

import assert from "node:assert/strict";
import { compareNames, throughAgent, withNamesStage } from "../support/names_agent.ts";

const zone = {
  "a.test": { A: ["192.0.2.1"] },
  "both.test": { A: ["192.0.2.1"], AAAA: ["2001:db8::1"] },
  "dropped.test": { A: ["192.0.2.2"], drop: ["AAAA"] },
  "mute.test": { drop: ["A", "AAAA"] },
  "late.test": { A: ["192.0.2.3"], delay: 0.3 },
  "cut.test": { A: Array.from({ length: 60 }, (_, i) => `192.0.2.${i + 1}`), cut: true },
  "garbage.test": { A: ["192.0.2.4"], garbage: true },
  "servfail.test": { rcode: 2 },
};
const quick = "options timeout:1 attempts:1\n";
const live = "nameserver 127.0.0.1\n";
const silent = "nameserver 127.0.0.4\n";
const dead = "nameserver 127.0.0.9\n";
/** <netdb.h> */
const AI_ADDRCONFIG = 32;

/** resolv.conf, the names that are asked with it, and how the first of them ends. */
const cases: Record<string, [resolvConf: string, names: string[], first: RegExp]> = {
  "a dead server before a live one": [dead + live + quick, ["a.test", "none.test"], /^found 192/],
  "a silent server before a live one": [silent + live + quick, ["a.test"], /^found 192/],
  "only a dead server": [dead + quick, ["a.test", "a"], /^error -3/],
  "only a silent server": [silent + quick, ["a.test"], /^error -3/],
  "only a dead server, with a search list": [
    `${dead}search x.test y.test\n${quick}`,
    ["a.b.c", "a"],
    /^error -3/,
  ],
  "only a silent server, with a search list": [`${silent}search x.test y.test\n${quick}`, ["a"], /^error -3/],
  "no server at all": [quick, ["a.test"], /^found 192/], // 127.0.0.1 then
  "four servers, of which three count": [dead + dead + dead + live + quick, ["a.test"], /^error -3/],
  "a server that leaves out IPv6": [live + quick, ["dropped.test"], /^found 192/],
  "a server that answers nothing": [live + quick, ["mute.test"], /^error -3/],
  "a slow server": [live + quick, ["late.test"], /^found 192/],
  "an answer that does not fit": [live + quick, ["cut.test"], /^found 192/],
  "TCP throughout": [
    `${live}options use-vc\n${quick}`,
    ["both.test", "none.test", "servfail.test"],
    /^found/,
  ],
  "TCP to a dead server": [`${dead}options use-vc\n${quick}`, ["a.test"], /^error -3/],
  "one question at a time": [`${live}options single-request\n${quick}`, ["both.test"], /^found/],
  "a socket for each question": [`${live}options single-request-reopen\n${quick}`, ["both.test"], /^found/],
  "EDNS": [`${live}options edns0\n${quick}`, ["both.test", "cut.test", "none.test"], /^found/],
  "rotation": [`${live}nameserver 127.0.0.2\noptions rotate\n${quick}`, ["both.test"], /^found/],
  "no question for IPv6": [`${live}options no-aaaa\n${quick}`, ["both.test"], /^found 192/],
  "a failing server before another": [
    `${live}nameserver 127.0.0.2\n${quick}`,
    ["servfail.test"],
    /^error -3/,
  ],
};

for (const [title, [resolvConf, names, first]] of Object.entries(cases)) {
  Deno.test(`${title}: the agent does as libc does`, async () => {
    await withNamesStage({ zone, files: { resolvConf } }, async (stage, link) => {
      const questions = names.flatMap((name) => [`addrinfo ${name} - 0 1 0`, `addrinfo ${name} - 4 1 0`]);
      const [line = ""] = await compareNames(stage, link, questions);
      assert.match(line, first);
    });
  });
}

Deno.test("garbage is no answer: the question is asked again, then given up", async () => {
  await withNamesStage({ zone, files: { resolvConf: live + quick } }, async (_stage, link) => {
    assert.match(await throughAgent(link, "addrinfo garbage.test - 4 1 0"), /^error -3/);
    assert.match(await throughAgent(link, "addrinfo a.test - 4 1 0"), /^found/);
  });
});

Deno.test("files that change count from the next question on", async () => {
  await withNamesStage({ zone, files: { resolvConf: live + quick } }, async (stage, link) => {
    await compareNames(stage, link, ["addrinfo later.test - 0 1 0", "addrinfo a - 0 1 2"]);
    stage.write({ hosts: "192.0.2.99 later.test\n", resolvConf: `${live}search test\n${quick}` });
    const native = await compareNames(stage, link, ["addrinfo later.test - 0 1 0", "addrinfo a - 0 1 2"]);
    assert.deepEqual(native, ["found 192.0.2.99", "found [a.test] 192.0.2.1"]);
    stage.write({ hosts: "", nsswitch: "hosts: dns\n" });
    await compareNames(stage, link, ["addrinfo later.test - 0 1 0", "addrinfo a - 0 1 2"]);
  });
});

Deno.test("nsswitch.conf decides which sources are asked, and when to stop", async () => {
  const hosts = "192.0.2.50 a.test\n192.0.2.51 file.test\n";
  await withNamesStage({ zone, files: { resolvConf: live + quick, hosts } }, async (stage, link) => {
    const lines = [
      "hosts: files dns",
      "hosts: dns files",
      "hosts: files",
      "hosts: dns",
      "hosts: dns [!UNAVAIL=return] files",
      "hosts: dns [NOTFOUND=return] files",
      "hosts: files [NOTFOUND=return] dns",
      "hosts: mdns4_minimal [NOTFOUND=return] dns files",
      "hosts:files dns",
      "passwd: files",
      "",
    ];
    for (const line of lines) {
      stage.write({ nsswitch: `${line}\n` });
      // Where a module of nsswitch.conf is not installed, libc itself fails for want of it.
      const names = ["a.test", "file.test", "both.test", ...(line.includes("mdns") ? [] : ["none.test"])];
      await compareNames(
        stage,
        link,
        names.flatMap((name) => [`addrinfo ${name} - 0 1 0`, `byname ${name} 4`]),
      );
    }
    stage.write({ nsswitch: "hosts: dns [!UNAVAIL=return] files\n", resolvConf: dead + quick });
    await compareNames(stage, link, ["addrinfo file.test - 0 1 0", "addrinfo none.test - 0 1 0"]);
  });
});

Deno.test("host.conf says whether further lines of the hosts file count", async () => {
  const hosts =
    "192.0.2.1 a.test x\n2001:db8::1 a.test y\n192.0.2.2 a.test x\n::1 localhost\n127.0.0.1 localhost\n";
  await withNamesStage({ zone, files: { resolvConf: live + quick, hosts } }, async (stage, link) => {
    for (const hostConf of ["multi on\n", "multi off\n", ""]) {
      stage.write({ hostConf });
      const names = ["a.test", "x", "y", "localhost"];
      const questions = names.flatMap((name) => [
        ...[0, 4, 6].map((family) => `addrinfo ${name} - ${family} 1 2`),
        `byname ${name} 4`,
        `byname ${name} 6`,
      ]);
      await compareNames(stage, link, questions);
    }
  });
});

Deno.test("addresses come in the order that the target's routes give them", async () => {
  const many = {
    "mixed.test": {
      A: ["192.0.2.1", "198.51.100.1", "127.0.0.3", "169.254.1.1", "10.1.2.3"],
      AAAA: ["2001:db8::1", "fe80::1", "::1", "fd00::1", "2002:c000:201::1", "2001:0:1::1", "fec0::1"],
    },
  };
  for (const ipv6 of [true, false]) {
    await withNamesStage({ zone: many, files: { resolvConf: live + quick }, ipv6 }, async (stage, link) => {
      const questions = [0, 4, 6].flatMap((family) =>
        [0, 32].map((flags) => `addrinfo mixed.test - ${family} 1 ${flags}`)
      );
      await compareNames(stage, link, questions);
      const { name, ipv4, hostIpv4 } = stage.netns;
      assert.ok(ipv4 !== hostIpv4);
      await stage.netns.run(["ip", "route", "add", "default", "via", hostIpv4]);
      await compareNames(stage, link, questions);
      if (!ipv6) return;
      await stage.netns.run(["ip", "-6", "route", "add", "default", "via", stage.netns.hostIpv6]);
      await stage.netns.run(["ip", "addr", "add", "2001:db8::77/64", "dev", "eth0", "nodad"]);
      await compareNames(stage, link, questions);
      assert.ok(name !== "");
    });
  }
});

Deno.test("addresses of the target that come and go count from the next question on", async () => {
  const both = { "both.test": { A: ["192.0.2.1"], AAAA: ["2001:db8::1"] } };
  await withNamesStage(
    { zone: both, files: { resolvConf: live + quick }, ipv6: true },
    async (stage, link) => {
      const ask = () => compareNames(stage, link, [`addrinfo both.test - 0 1 ${AI_ADDRCONFIG}`]);
      const changed = async (...words: string[]) => {
        await stage.netns.run(["ip", ...words]);
        return await ask();
      };
      const before = await ask();
      const without = await changed("-6", "addr", "flush", "dev", "eth0");
      assert.deepEqual(without, ["found 192.0.2.1"]);
      assert.notDeepEqual(before, without);
      assert.notDeepEqual(await changed("addr", "add", "2001:db8::77/64", "dev", "eth0", "nodad"), without);
      await changed("-4", "addr", "flush", "dev", "eth0");
    },
  );
});

Deno.test("one name that hangs holds up no other, and nothing outlives the client", async () => {
  await withNamesStage(
    { zone, files: { resolvConf: live + "options timeout:30 attempts:5\n" } },
    async (_stage, link) => {
      const hanging = Array.from({ length: 100 }, () => throughAgent(link, "addrinfo mute.test - 0 1 0"));
      const ended = Promise.allSettled(hanging);
      const lines = await Promise.all(
        Array.from({ length: 50 }, () => throughAgent(link, "addrinfo a.test - 4 1 0")),
      );
      assert.deepEqual(new Set(lines), new Set(["found 192.0.2.1"]));
      link.close();
      await ended;
    },
  );
});
