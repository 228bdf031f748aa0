// Uses a tree of files (tests/apps/tree.py makes it) as an ordinary Node program does, and prints what it saw as JSON
// lines. Runs unchanged in the pod and, with the pod's files, on the developer's machine: the lines must be the same.
// Arguments: what to do (read, change) and the folder.

const { Buffer } = require("node:buffer");
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const { createReadStream, createWriteStream } = fs;
const promises = require("node:fs/promises");
const { join } = require("node:path");
const process = require("node:process");
const { pipeline } = require("node:stream/promises");

const say = (...words) => process.stdout.write(JSON.stringify(words) + "\n");

/** Says the result of `work`, or its error by name. */
async function attempt(name, work) {
  try {
    say(name, await work());
  } catch (error) {
    say(name, error.code, error.syscall);
  }
}

async function digest(path) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

async function read(root) {
  const entries = await promises.readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort();
  for (const path of paths) {
    const found = await promises.lstat(path);
    say(
      "lstat",
      path,
      found.mode,
      found.isDirectory() ? "-" : [found.size, found.nlink],
      found.uid,
      found.gid,
    );
    if (found.isSymbolicLink()) await attempt("readlink", () => promises.readlink(path));
    if (found.isFile()) say("content", path, await digest(path), fs.statSync(path).size);
  }
  const empty = await promises.stat(join(root, "empty"));
  say("mtime", empty.mtimeMs, empty.isFile());
  say("sync", fs.readdirSync(root).sort(), fs.readFileSync(join(root, "plain.txt"), "utf8"));
  for (const name of ["plain.txt", "dangling", "missing", "dir"]) {
    say("exists", name, fs.existsSync(join(root, name)));
    await attempt("access", () => promises.access(join(root, name), fs.constants.R_OK));
    await attempt("readFile", () => promises.readFile(join(root, name), "utf8"));
    await attempt("realpath", () => promises.realpath(join(root, name)));
  }
  const file = await promises.open(join(root, "large.bin"));
  const { buffer, bytesRead } = await file.read(Buffer.alloc(10), 0, 10, 1_000_003);
  say("read", bytesRead, buffer.toString("hex"), (await file.stat()).size);
  await file.close();
  const all = await Promise.all(Array.from({ length: 20 }, () => digest(join(root, "large.bin"))));
  say("side by side", new Set(all).size, all[0]);
}

async function change(root) {
  const path = join(root, "new.txt");
  await promises.writeFile(path, "first\n");
  await promises.appendFile(path, "second\n");
  fs.appendFileSync(path, "third\n");
  say("written", await promises.readFile(path, "utf8"));
  const file = await promises.open(path, "r+");
  await file.write("XX", 2);
  await file.truncate(8);
  await file.sync();
  say("truncated", (await file.stat()).size);
  await file.close();
  await attempt("exclusive", () => promises.writeFile(path, "", { flag: "wx" }));
  await promises.mkdir(join(root, "a/b/c"), { recursive: true });
  await attempt("mkdir", () => promises.mkdir(join(root, "a")));
  await attempt("rmdir", () => promises.rmdir(join(root, "a")));
  await promises.rename(path, join(root, "a/b/moved.txt"));
  await promises.rename(join(root, "a/b"), join(root, "z"));
  await attempt("unlink", () => promises.unlink(path));
  const out = createWriteStream(join(root, "big.bin"));
  for (let number = 0; number < 48; number++) {
    if (!out.write(Buffer.alloc(65536, number))) await new Promise((resolve) => out.once("drain", resolve));
  }
  await new Promise((resolve) => out.end(resolve));
  say("big", await digest(join(root, "big.bin")));
  await promises.rm(join(root, "a"), { recursive: true });
  say("left", fs.readdirSync(root).sort(), fs.readdirSync(join(root, "z")).sort());
  await promises.rm(join(root, "z"), { recursive: true });
  say("gone", fs.existsSync(join(root, "z")));
}

const [order, root] = process.argv.slice(2);
({ read, change })[order](root);
