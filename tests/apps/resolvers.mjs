// Looks the hosts of the arguments up by Node's own resolver (c-ares), which reads resolv.conf and asks the name servers by
// itself, and prints what comes: a line each.
// deno-lint-ignore-file no-console
import dns from "node:dns";
import process from "node:process";

console.log(JSON.stringify(dns.getServers()));
for (const host of process.argv.slice(2)) {
  for (const kind of ["A", "AAAA", "SRV"]) {
    const found = await dns.promises.resolve(host, kind).catch((error) => error.code);
    console.log(host, kind, JSON.stringify(found));
  }
}
