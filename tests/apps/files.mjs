// deno-lint-ignore-file no-console
// Reads, lists and changes the tree at argv[2] in the ways of Node programs, and prints what it sees of it.
import fs from "node:fs";
import fsp from "node:fs/promises";
import { Buffer } from "node:buffer";
import crypto from "node:crypto";
import process from "node:process";

const root = process.argv[2];
const md5 = (bytes) => crypto.createHash("md5").update(bytes).digest("hex");
const fails = (call) => {
  try {
    call();
    console.log("no error");
  } catch (error) {
    console.log(error.code, error.message);
  }
};
const looks = (path) => {
  const { mode, size, nlink, uid, mtimeMs } = fs.lstatSync(path);
  console.log(path, mode.toString(8), size, nlink, uid, Math.floor(mtimeMs));
};

console.log(fs.readFileSync(`${root}/small`, "utf8"), await fsp.readFile(`${root}/a.json`, "utf8"));
console.log(md5(fs.readFileSync(`${root}/big`)));
const hash = crypto.createHash("md5");
for await (const part of fs.createReadStream(`${root}/big`)) hash.update(part);
console.log(hash.digest("hex"));
console.log(
  fs.readdirSync(root, { withFileTypes: true }).map((entry) => entry.name + (entry.isDirectory() ? "/" : ""))
    .sort(),
);
console.log(fs.readdirSync(root, { recursive: true }).sort().slice(0, 20));
console.log(fs.existsSync(`${root}/none`), fs.readlinkSync(`${root}/link`), fs.realpathSync(`${root}/link`));
console.log(fs.realpathSync.native(`${root}/link`), fs.statSync(`${root}/d`).isDirectory());
for (const name of ["small", "big", "link", "d"]) looks(`${root}/${name}`);
fails(() => fs.readFileSync(`${root}/none`));
fails(() => fs.readFileSync(`${root}/d`));
fails(() => fs.rmdirSync(`${root}/d`));
fails(() => fs.mkdirSync(`${root}/d`));
fails(() => fs.accessSync(`${root}/none`));
const names = [];
for await (const entry of await fsp.opendir(root)) names.push(entry.name);
console.log(names.sort());

fs.mkdirSync(`${root}/n/m`, { recursive: true });
fs.writeFileSync(`${root}/n/m/f`, "abc");
fs.appendFileSync(`${root}/n/m/f`, "def");
console.log(fs.readFileSync(`${root}/n/m/f`, "utf8"));
fs.copyFileSync(`${root}/big`, `${root}/n/big`);
fs.cpSync(`${root}/d`, `${root}/n/d`, { recursive: true });
console.log(md5(fs.readFileSync(`${root}/n/big`)), fs.readdirSync(`${root}/n`, { recursive: true }).sort());
const stream = fs.createWriteStream(`${root}/n/w`);
for (let i = 0; i < 1000; i++) stream.write(`line ${i}\n`);
await new Promise((resolve) => stream.end(resolve));
fs.renameSync(`${root}/n/w`, `${root}/n/v`);
console.log(fs.statSync(`${root}/n/v`).size);
fs.truncateSync(`${root}/n/v`, 3);
fs.chmodSync(`${root}/n/v`, 0o600);
fs.utimesSync(`${root}/n/v`, 1, 2);
looks(`${root}/n/v`);
const file = await fsp.open(`${root}/n/v`, "r+");
await file.write("XY", 1);
console.log(
  (await file.read(Buffer.alloc(10), 0, 10, 0)).buffer.toString("utf8", 0, 3),
  (await file.stat()).size,
);
await file.sync();
await file.datasync();
await file.truncate(1);
await file.utimes(3, 4);
await file.close();
looks(`${root}/n/v`);
fs.symlinkSync("v", `${root}/n/s`);
fs.linkSync(`${root}/n/v`, `${root}/n/h`);
await Promise.all(Array.from({ length: 50 }, (_, n) => fsp.writeFile(`${root}/n/m/${n}`, `${n}`)));
const sums = await Promise.all(
  Array.from({ length: 50 }, (_, n) => fsp.readFile(`${root}/n/m/${n}`, "utf8")),
);
console.log(sums.join());
console.log(fs.mkdtempSync(`${root}/n/t-`).length - root.length);
fs.rmSync(`${root}/n`, { recursive: true });
console.log(fs.readdirSync(root).sort());
