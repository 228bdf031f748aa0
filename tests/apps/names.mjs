// Looks the hosts of the arguments up as Node programs do, and prints what comes: a line each.
// deno-lint-ignore-file no-console
import dns from "node:dns/promises";
import os from "node:os";
import process from "node:process";

const say = async (host, call) => {
  const result = await call.catch((error) => `${error.code} ${error.syscall}`);
  console.log(host, JSON.stringify(result));
};
const hosts = process.argv.slice(2);
for (const host of hosts) {
  await say(host, dns.lookup(host, { all: true }));
  await say(host, dns.lookup(host, { family: 4 }));
  await say(host, dns.lookup(host, { family: 6, hints: 0 }));
  await say(host, dns.lookup(host, { all: true, order: "verbatim", hints: 32 }));
}
await say("192.0.2.1", dns.lookupService("192.0.2.1", 80));
console.log(os.hostname());
const all = await Promise.allSettled(
  hosts.concat(hosts, hosts).map((host) => dns.lookup(host, { all: true })),
);
console.log(JSON.stringify(all.map(({ value, reason }) => value ?? reason.code)));
