// The same program twice: run by mirrord beside a target, and inside the target by nsenter; its output is
// compared. Used by tests/program/files_test.ts. Programs come as text on the command line, since a file
// would have to be on both sides.

/** Reads the tree at argv[1]: content, lists, status, links, errors. */
export const pythonReads = String.raw`
import errno, hashlib, os, stat, sys
top = sys.argv[1]
def show(*what): print(*what)
def fails(call, *args):
    try: call(*args)
    except OSError as e: show(call.__name__, errno.errorcode[e.errno])
    else: show(call.__name__, "no error")
def status(s): return (stat.filemode(s.st_mode), s.st_nlink, s.st_uid, s.st_gid, s.st_size, s.st_ino, s.st_blocks, s.st_mtime_ns)
show(open(top + "/small").read())
show(repr(open(top + "/binary", "rb").read()))
with open(top + "/lines") as f:
    show(f.readline(), f.tell(), f.readline(), f.read(10)); f.seek(3); show(f.read(4)); show(len(f.readlines()))
for name in ("small", "link", "dir", "dir/", "pipe", "lines"):
    show(name, status(os.stat(top + "/" + name)), status(os.lstat(top + "/" + name)))
show(os.readlink(top + "/link"), os.path.realpath(top + "/link") == top + "/small")
show(sorted(os.listdir(top)))
for path, dirs, files in os.walk(top):
    dirs.sort(); show(path[len(top):], dirs, sorted(files))
with os.scandir(top + "/dir") as entries: show(sorted((e.name, e.is_dir(), e.is_symlink(), e.inode()) for e in entries))
fails(open, top + "/missing"); fails(open, top + "/forbidden"); fails(open, top + "/dir"); fails(open, top + "/small/x")
fails(os.listdir, top + "/small"); fails(os.readlink, top + "/small"); fails(os.stat, top + "/loop"); fails(os.stat, top + "/dangling")
show(os.path.exists(top + "/small"), os.path.isdir(top + "/dir"), os.path.exists(top + "/none"), os.access(top + "/small", os.R_OK), os.access(top + "/small", os.X_OK))
fd = os.open(top + "/lines", os.O_RDONLY)
show(os.pread(fd, 5, 7), os.read(fd, 4), os.lseek(fd, 0, os.SEEK_CUR), os.lseek(fd, -4, os.SEEK_END), os.read(fd, 10), os.read(fd, 10))
show(status(os.fstat(fd)), stat.S_ISREG(os.fstat(fd).st_mode))
copy = os.dup(fd); os.lseek(fd, 2, 0); show(os.read(copy, 3)); os.close(fd); show(os.read(copy, 3)); os.close(copy)
d = os.open(top + "/dir", os.O_RDONLY | os.O_DIRECTORY)
show(sorted(os.listdir(d)), os.stat("inner.txt", dir_fd=d).st_size, os.readlink("up", dir_fd=d))
with open(os.open("inner.txt", os.O_RDONLY, dir_fd=d)) as f: show(f.read())
os.close(d)
show(hashlib.sha256(open(top + "/large", "rb").read()).hexdigest())
h = hashlib.sha256()
with open(top + "/large", "rb", buffering=0) as f:
    while piece := f.read(70001): h.update(piece)
show(h.hexdigest())
h = hashlib.sha256()
for index in range(300): h.update(open(top + "/many/%d" % index, "rb").read())
show(h.hexdigest(), len(os.listdir(top + "/many")))
sys.stdout.flush()
pid = os.fork()
if pid == 0:
    print("child", open(top + "/small").read(), flush=True)
    os._exit(0)
os.waitpid(pid, 0)
s = os.statvfs(top); show(s.f_bsize, s.f_blocks, s.f_namemax)
import mmap
with open(top + "/small", "rb") as f, mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as m: show(m[:])
`;

/** Changes the tree at argv[1]. */
export const pythonWrites = String.raw`
import errno, os, shutil, stat, sys, tempfile
top = sys.argv[1]
def show(*what): print(*what)
def fails(call, *args):
    try: call(*args)
    except OSError as e: show(call.__name__, errno.errorcode[e.errno])
    else: show(call.__name__, "no error")
os.umask(0o027)
os.mkdir(top + "/new"); os.makedirs(top + "/new/a/b/c")
with open(top + "/new/file", "w") as f: show(f.write("first\n")); f.flush(); os.fsync(f.fileno())
with open(top + "/new/file", "a") as f: f.write("second\n"); show(f.tell())
with open(top + "/new/file", "r+") as f: f.seek(2); f.write("XX"); f.truncate(9); f.seek(0); show(f.read())
show(open(top + "/new/file").read(), oct(os.stat(top + "/new/file").st_mode), oct(os.stat(top + "/new").st_mode))
with open(top + "/new/big", "wb") as f:
    for index in range(40): f.write(bytes([index]) * 100003)
show(os.stat(top + "/new/big").st_size, open(top + "/new/big", "rb").read()[100002:100005])
os.chmod(top + "/new/file", 0o604); os.utime(top + "/new/file", (1000, 2000.5)); s = os.stat(top + "/new/file")
show(oct(s.st_mode), s.st_atime, s.st_mtime, s.st_uid, s.st_gid)
os.rename(top + "/new/file", top + "/new/renamed"); os.link(top + "/new/renamed", top + "/new/hard"); os.symlink("renamed", top + "/new/soft")
show(os.stat(top + "/new/hard").st_nlink, os.readlink(top + "/new/soft"), sorted(os.listdir(top + "/new")))
fails(os.mkdir, top + "/new"); fails(os.rmdir, top + "/new"); fails(os.unlink, top + "/new"); fails(os.rmdir, top + "/nowhere")
fails(os.mkdir, "/data/forbidden/x"); fails(open, "/data/forbidden/x", "w")
os.truncate(top + "/new/big", 10); show(os.path.getsize(top + "/new/big"))
shutil.copyfile(top + "/new/big", top + "/new/copy"); shutil.copy2(top + "/new/renamed", top + "/new/copy2"); show(os.stat(top + "/new/copy2").st_mtime)
with tempfile.NamedTemporaryFile(dir=top + "/new", suffix=".part", delete=False) as f: f.write(b"temp")
os.replace(f.name, top + "/new/final"); show(open(top + "/new/final").read())
fd = os.open(top + "/new/x", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666); show(os.write(fd, b"0123456789"), os.pwrite(fd, b"ab", 4), os.pread(fd, 10, 0), os.lseek(fd, 0, 1)); os.ftruncate(fd, 6); show(os.fstat(fd).st_size); os.close(fd)
fails(os.open, top + "/new/x", os.O_CREAT | os.O_EXCL | os.O_RDWR)
r, w = os.pipe(); pid = os.fork()
fd = os.open(top + "/new/log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600) if pid else -1
if pid == 0: os.read(r, 1); f = open(top + "/new/log", "a"); f.write("child\n"); f.close(); os._exit(0)
os.write(fd, b"parent\n"); os.write(w, b"x"); os.waitpid(pid, 0); os.write(fd, b"again\n"); os.close(fd); show(open(top + "/new/log").read())
try:
    with open(top + "/full/x", "wb") as f: f.write(b"x" * 3000000)
except OSError as e: show("full", errno.errorcode[e.errno])
os.unlink(top + "/new/soft"); os.remove(top + "/new/hard"); shutil.rmtree(top + "/new/a"); show(sorted(os.listdir(top + "/new")))
`;

export const nodeReads = String.raw`
const fs = require("fs"), crypto = require("crypto"), path = require("path");
const top = process.argv[1], show = (...what) => console.log(...what.map((one) => JSON.stringify(one, (k, v) => typeof v === "bigint" ? String(v) : v)));
const code = (call) => { try { call(); return "no error"; } catch (error) { return error.code; } };
const status = (s) => [s.mode, s.nlink, s.uid, s.gid, s.size, s.ino, s.blocks, s.mtimeMs, s.isFile(), s.isDirectory()];
show(fs.readFileSync(top + "/small", "utf8"), fs.readFileSync(top + "/binary").toString("hex"));
show(status(fs.statSync(top + "/small")), status(fs.lstatSync(top + "/link")), status(fs.statSync(top + "/dir")));
show(fs.readdirSync(top).sort(), fs.readdirSync(top + "/dir", { withFileTypes: true }).map((e) => [e.name, e.isDirectory(), e.isSymbolicLink()]).sort());
show(fs.readlinkSync(top + "/link"), fs.realpathSync(top + "/link") === top + "/small", fs.realpathSync.native(top + "/link") === top + "/small");
for (const name of ["missing", "forbidden", "dir", "small/x", "loop", "dangling"]) show(name, code(() => fs.readFileSync(top + "/" + name)));
show(code(() => fs.accessSync(top + "/small", fs.constants.R_OK)), code(() => fs.accessSync(top + "/small", fs.constants.X_OK)), fs.existsSync(top + "/none"));
const fd = fs.openSync(top + "/lines"), buffer = Buffer.alloc(6);
show(fs.readSync(fd, buffer, 0, 6, 3), buffer.toString(), fs.readSync(fd, buffer, 0, 6, null), buffer.toString(), fs.fstatSync(fd).size); fs.closeSync(fd);
(async () => {
  const hash = crypto.createHash("sha256");
  for await (const piece of fs.createReadStream(top + "/large")) hash.update(piece);
  show(hash.digest("hex"));
  const all = await Promise.all(Array.from({ length: 300 }, (_, i) => fs.promises.readFile(top + "/many/" + i)));
  show(crypto.createHash("sha256").update(Buffer.concat(all)).digest("hex"), (await fs.promises.readdir(top + "/many")).length);
  const names = []; for await (const one of await fs.promises.opendir(top + "/many")) names.push(one.name); show(names.length, new Set(names).size);
  show(await fs.promises.stat(top + "/missing").catch((error) => error.code));
})();
`;

export const nodeWrites = String.raw`
const fs = require("fs");
const top = process.argv[1], show = (...what) => console.log(...what.map((one) => JSON.stringify(one)));
const code = (call) => { try { call(); return "no error"; } catch (error) { return error.code; } };
process.umask(0o027);
fs.mkdirSync(top + "/new/a/b", { recursive: true });
fs.writeFileSync(top + "/new/file", "first\n"); fs.appendFileSync(top + "/new/file", "second\n");
show(fs.readFileSync(top + "/new/file", "utf8"), fs.statSync(top + "/new/file").mode.toString(8));
const fd = fs.openSync(top + "/new/file", "r+"); show(fs.writeSync(fd, "XX", 2)); fs.ftruncateSync(fd, 9); fs.fsyncSync(fd); fs.fchmodSync(fd, 0o604); fs.futimesSync(fd, 1000, 2000); fs.closeSync(fd);
const s = fs.statSync(top + "/new/file"); show(fs.readFileSync(top + "/new/file", "utf8"), s.mode.toString(8), s.mtimeMs);
fs.renameSync(top + "/new/file", top + "/new/renamed"); fs.linkSync(top + "/new/renamed", top + "/new/hard"); fs.symlinkSync("renamed", top + "/new/soft");
show(fs.readdirSync(top + "/new").sort(), fs.statSync(top + "/new/hard").nlink, fs.readlinkSync(top + "/new/soft"));
fs.copyFileSync(top + "/new/renamed", top + "/new/copy"); show(fs.readFileSync(top + "/new/copy", "utf8"));
show(code(() => fs.mkdirSync(top + "/new")), code(() => fs.rmdirSync(top + "/new")), code(() => fs.unlinkSync(top + "/nowhere")), code(() => fs.writeFileSync("/data/forbidden/x", "")));
show(code(() => fs.writeFileSync(top + "/full/y", Buffer.alloc(3000000))));
(async () => {
  await fs.promises.writeFile(top + "/new/async", Buffer.alloc(2500000, 7)); show((await fs.promises.stat(top + "/new/async")).size);
  await new Promise((done, fail) => fs.createReadStream(top + "/new/async").pipe(fs.createWriteStream(top + "/new/piped")).on("finish", done).on("error", fail));
  show(fs.readFileSync(top + "/new/piped").equals(fs.readFileSync(top + "/new/async")));
  await fs.promises.rm(top + "/new/a", { recursive: true }); fs.unlinkSync(top + "/new/soft"); fs.truncateSync(top + "/new/async", 5);
  show(fs.readdirSync(top + "/new").sort(), fs.readFileSync(top + "/new/async").length);
})();
`;
