// Asks for the names given, by the system's resolver and by Node's own (c-ares: its own packets to the servers of
// resolv.conf), and prints each answer as a JSON line. Runs unchanged in the pod and, with the pod's names, here.

const { lookup, resolve4, resolve6, resolveCname, reverse } = require("node:dns/promises");
const os = require("node:os");
const process = require("node:process");

async function attempt(name, word, work) {
  let found;
  try {
    const answer = await work();
    found = Array.isArray(answer) ? answer.map((one) => one.address ?? one).sort() : answer;
  } catch (error) {
    found = [error.code, error.syscall];
  }
  process.stdout.write(JSON.stringify([name, word, found]) + "\n");
}

async function main() {
  for (const word of process.argv.slice(2)) {
    if (word.startsWith("@")) {
      await attempt("reverse", word, () => reverse(word.slice(1)));
      continue;
    }
    await attempt("lookup", word, () => lookup(word, { all: true }));
    await attempt("resolve4", word, () => resolve4(word));
    await attempt("resolve6", word, () => resolve6(word));
    await attempt("resolveCname", word, () => resolveCname(word));
  }
  process.stdout.write(JSON.stringify(["hostname", os.hostname()]) + "\n");
}

main();
