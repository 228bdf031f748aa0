// What a Node program uses of the pod, by Node's own calls: getaddrinfo in libuv's threads, fetch, fs. Express and
// Fastify answer their /walk with it.

const { lookup } = require("node:dns/promises");
const { readFile } = require("node:fs/promises");
const process = require("node:process");

/** Says on standard error that a request for `path` came. */
exports.say = (path) => process.stderr.write(`seen ${path}\n`);

exports.walk = async ({ variable, name, url, file }) => ({
  by: "local",
  variable: process.env[variable] ?? null,
  addresses: (await lookup(name, { all: true })).map(({ address }) => address),
  answer: await (await fetch(url)).text(),
  content: await readFile(file, "utf8"),
});
