// The working directory in the target, under programs nobody here wrote: as files_test.ts does, each runs on
// a tree here and on a fake target's, and must say the same. What is not the target's business is looked at
// alone.

import assert from "node:assert/strict";
import { FakeFiles } from "../support/fake_files.ts";
import { FakeSession } from "../support/fake_session.ts";
import { App, compileApp, type RunOptions } from "../support/layer_app.ts";
import { goProgram } from "../support/packages.ts";
import { missing, same } from "../support/same_tree.ts";

/** Commands of a shell; $1 is the tree. */
const commands: Record<string, string> = {
  "cd, pwd, cd -, pushd and popd go about":
    'cd "$1/d" && pwd && ls && cat e && cd .. && pwd && cat small && cd - && /bin/pwd; pushd ../many > /dev/null; ' +
    "ls | wc -l; pwd; popd > /dev/null; pwd; dirs; cd; cd /; pwd; ls -d usr",
  "cd says why not":
    'cd "$1/none"; cd "$1/small"; pwd > /dev/null; cd "$1"; cd small; cd none; pwd; cd empty; pwd; ls -A',
  "a link to a directory has two names":
    'ln -s d/.. "$1/up"; ln -s d "$1/s"; cd "$1/s"; pwd; /bin/pwd; /bin/pwd -L; cat ../small; ls ..; cd -P .; pwd; ' +
    'cd -P "$1/up"; pwd; cat s/e; rm "$1/s" "$1/up"',
  "relative paths are read and written":
    'cd "$1/d"; echo new > new; cat new < e; cat ./new ../small ../d/./e; stat -c "%n %s" . .. e ../big; cp e copy; ' +
    "mv copy ../moved; rm new; ls -a . ..; ln -s e l; readlink l; readlink -f l; realpath ../link .; touch -d @5 t; " +
    'chmod 600 t; stat -c "%a %Y" t; : > ../moved; test -s ../moved || echo empty; rm l t ../moved; echo *; echo ../a*; ' +
    "ls -d */ ../*/; head -c 4 ../big; cat none; rmdir ../empty; mkdir ../empty; mktemp -d XXXXXX | wc -c; mktemp XXXXXX | wc -c; ls | wc -l",
  "this machine's files are found behind dots":
    'cd "$1/d"; d=$(printf "../%.0s" 1 2 3 4 5 6); cat "${d}etc/hostname" | wc -l; ls -d "${d}usr"; cd "${d}usr"; pwd; ls -d bin; ' +
    'cd "$1/d"; "${d}bin/echo" hello; ls "${d}none"; cat etc/hostname; realpath "${d}usr/./lib" "${d}dev/fd" > /dev/null && echo yes',
  "mkdir -p, rm -r and rmdir -p":
    'mkdir -p "$1/a/b/c" "$1/a/x/../y"; cd "$1/a"; mkdir -p p/q/r ../z/w; rmdir -p p/q/r; find .. -name "?" | sort; rm -r b; ' +
    'cd ..; rm -r a z; mkdir -m 700 -p k/l; stat -c %a k k/l; rm -rf "$1/k"; ls',
  "cp -a and install copy trees":
    'cd "$1"; cp -a d d2; cp -a many d2/; ls d2 d2/many | wc -l; cp -a . ../"$(basename "$1")"/d2/all 2>&1 | wc -l; ' +
    'here=$(mktemp -d); cp -a . "$here"; (cd "$here"; ls | wc -l; cp -a d "$1/back"); ls back; install -D -m 640 small i/j/k; ' +
    'stat -c "%a %s" i/j/k; rm -r d2 back i "$here"; diff -r d d && echo same',
  "tar -C packs and unpacks": 'tar -C "$1" -cf - d a.json link | tar -tf -; mkdir "$1/x"; here=$(mktemp); ' +
    'tar -C "$1" --exclude=./x --exclude=./many -cf "$here" .; tar -xf "$here" -C "$1/x"; rm "$here"; ' +
    'find "$1/x" | sort; cd "$1/x"; tar -cf t.tar d link; mkdir u; tar -C u -xf t.tar; cat u/d/e; cat u/link; cd ..; rm -r x',
  "find -execdir, -delete and xargs":
    'find "$1" -name e -execdir pwd \\; -execdir cat {} \\; ; cd "$1"; find . -name "1*" | sort | head -n 3; mkdir f; touch f/1 f/2; ' +
    "find f -type f -delete; ls f; rmdir f; find d -type f -exec cat {} +; echo e | (cd d; xargs cat)",
  "children start where they are started":
    'cd "$1/d"; sh -c "pwd; cat e; cd ../empty; sh -c pwd"; (cd ..; env -u PWD sh -c pwd); env -i /bin/sh -c "/bin/cat e"; ' +
    'exec bash -c "cat e; exec ls"',
};
for (const [name, script] of Object.entries(commands)) {
  Deno.test(name, () => same((tree) => ["bash", "-c", script, "bash", tree]));
}

const python = String.raw`
import glob, os, pathlib, subprocess, sys, tempfile, threading
top = sys.argv[1]
def show(*what): print(*what, flush=True)
def fails(call, *args):
    try: call(*args)
    except OSError as e: show(e.errno)
os.chdir(top + "/d")
show(os.getcwd(), os.getcwdb(), os.listdir(), os.path.abspath("x"), os.path.realpath("../link"), open("e").read())
show(sorted(glob.glob("*")), sorted(glob.glob("../*n*")), sorted(p.name for p in pathlib.Path("..").iterdir())[:3], pathlib.Path.cwd())
fails(os.chdir, "none"); fails(os.chdir, "e"); fails(os.chdir, "x" * 300); fails(os.chdir, "x/" * 2100); fails(os.chdir, ""); show(os.getcwd())
fails(os.rmdir, "."); fails(os.rmdir, ".."); fails(os.rename, ".", "../y"); fails(os.mkdir, "."); fails(open, "x/" * 2100)
fd = os.open(".", os.O_RDONLY); up = os.open("..", os.O_RDONLY | os.O_DIRECTORY); here = os.open("/usr", os.O_RDONLY)
os.chdir(up); show(os.getcwd(), os.stat("small").st_size); os.fchdir(fd); show(os.getcwd(), os.path.exists("e"))
os.fchdir(here); show(os.getcwd(), os.path.exists("bin"), os.path.exists("e")); os.chdir(fd); fails(os.fchdir, 999); show(os.getcwd())
pid = os.fork()
if pid == 0:
    show("child", os.getcwd(), open("e").read()); os.chdir(".."); show(os.getcwd()); os._exit(0)
os.waitpid(pid, 0); show("parent", os.getcwd())
for directory in (top, "..", ".", "/usr", top + "/many"):
    show(subprocess.run(["pwd"], cwd=directory, capture_output=True, text=True).stdout, os.getcwd())
fails(lambda: subprocess.run(["pwd"], cwd="none")); fails(lambda: subprocess.run(["pwd"], cwd=top + "/small"))
show(subprocess.run("pwd; cat e", shell=True, capture_output=True, text=True).stdout, subprocess.run(["cat", "../small"], capture_output=True).stdout)
done = []
def work(n):
    for i in range(50): done.append(os.getcwd() == top + "/d" and open("e").read() == "deep")
threads = [threading.Thread(target=work, args=[n]) for n in range(8)]; [t.start() for t in threads]; [t.join() for t in threads]; show(all(done), len(done))
thread = threading.Thread(target=lambda: os.chdir("..")); thread.start(); thread.join(); show(os.getcwd(), os.stat("small").st_size)
for i in range(300): os.chdir("d"); os.chdir("..")
with tempfile.TemporaryDirectory(dir=".") as name: os.chdir(name); show(len(os.listdir("..")), os.listdir()); os.chdir("..")
os.chdir("/"); os.chdir(top); os.execvp("sh", ["sh", "-c", "pwd; ls; cd d; pwd"])
`;
Deno.test(
  "Python changes directories, in threads, children and programs that it becomes",
  { ignore: missing("python3") },
  () => same((tree) => ["python3", "-c", python, tree]),
);

const fromRoot = `
import glob, os, subprocess, sys
top = sys.argv[1].strip("/"); root = os.open("/", os.O_PATH | os.O_DIRECTORY); fd = root
for part in top.split("/"):
    assert os.stat(part, dir_fd=fd, follow_symlinks=False).st_mode
    fd = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
print(sorted(os.listdir(fd))[:3], os.stat(top + "/small", dir_fd=root).st_size, os.stat("usr/bin", dir_fd=root).st_mode)
usr = os.open("usr", os.O_RDONLY | os.O_DIRECTORY, dir_fd=root); print(os.path.isdir(usr), os.stat("bin", dir_fd=usr).st_mode)
def look(*paths):
    for path in paths:
        try: print(os.stat(path).st_size)
        except OSError as e: print(e.errno)
os.chdir("/"); look(top + "/small", "./" + top + "/none", top + "/small/x", "../" + top + "/d/../small"); print(open(top + "/small").read(), os.getcwd())
os.mkdir(top + "/made", dir_fd=root); os.rename(top + "/made", top + "/moved"); print(os.path.isdir("/" + top + "/moved")); os.rmdir(top + "/moved")
print(*(t.replace(top, "TOP") for t in glob.glob(top + "/d/*") + [os.path.realpath(top + "/link")]), len(list(os.walk(top))))
for command in ("find", "ls"): print(subprocess.check_output([command, top + "/d"], text=True).replace(top, "TOP"))
os.chdir("usr"); look(top + "/small"); os.fchdir(root); look(top + "/small"); os.chdir(top); look("small"); os.chdir("/")
if os.fork() == 0: os.execvp("cat", ["cat", top + "/small"])
os.wait()
`;
Deno.test(
  "what is relative to the root is the target's where the whole path says so",
  { ignore: missing("python3") },
  () =>
    same((tree) => ["python3", "-c", fromRoot, tree], ({ asked }) => {
      assert.deepEqual(asked.filter((one) => one.includes("/usr")), []);
    }),
);

const node = String.raw`
const fs = require("fs"), { execFileSync, spawnSync } = require("child_process"), top = process.argv[1];
process.chdir(top + "/d"); console.log(process.cwd(), fs.readdirSync("."), fs.readFileSync("e", "utf8"), fs.realpathSync.native("../link"));
try { process.chdir("none"); } catch (error) { console.log(error.code); }
console.log(String(execFileSync("pwd")), String(execFileSync("pwd", { cwd: top })), String(execFileSync("pwd", { cwd: "/usr" })), spawnSync("ls", { cwd: ".." }).stdout + "");
console.log(spawnSync("pwd", { cwd: "none" }).error.code); process.chdir(".."); console.log(process.cwd(), fs.statSync("small").size);
fs.mkdirSync("n/o/p", { recursive: true }); fs.writeFileSync("n/o/p/x", "1"); fs.renameSync("n/o/p/x", "n/y"); console.log(fs.readdirSync("n"));
fs.rmSync("n", { recursive: true }); process.chdir("/usr"); console.log(process.cwd(), fs.existsSync("bin"));
`;
Deno.test(
  "Node changes directories",
  { ignore: missing("node") },
  () => same((tree) => ["node", "-e", node, tree]),
);

Deno.test(
  "Java starts in a directory, and its children elsewhere",
  { ignore: missing("java") },
  () =>
    same((
      tree,
    ) => ["bash", "-c", 'p=$PWD; cd "$1/d"; exec java -Xshare:auto "$p/Folder.java"', "bash", tree]),
);

const ruby = `
  Dir.chdir(ARGV[0] + "/d") { puts Dir.pwd, Dir.children("."), File.read("e"), File.expand_path("x"), \`pwd\` }
  Dir.chdir(ARGV[0]); puts Dir.pwd, Dir.glob("*").sort, system("pwd"), \`cat d/e\`; puts \`ls\`
  puts Process.wait2(spawn("pwd", chdir: "d"))[1].exitstatus, Dir.exist?("d"), File.realpath("link")
`;
Deno.test(
  "Ruby changes directories",
  { ignore: missing("ruby") },
  () => same((tree) => ["ruby", "-e", ruby, tree]),
);

const php = `
  chdir($argv[1] . "/d"); echo getcwd(), file_get_contents("e"), realpath("../link"), "\\n"; print_r(scandir(".")); print_r(glob("../*n*"));
  echo shell_exec("pwd; cat e"); system("cat ../small"); chdir(".."); echo getcwd(), var_dump(@chdir("none")), is_file("small"), "\\n"; passthru("ls");
`;
Deno.test(
  "PHP changes directories",
  { ignore: missing("php") },
  () => same((tree) => ["php", "-r", php, tree]),
);

const perl = `
  use Cwd; chdir("$ARGV[0]/d") or die; $| = 1; print getcwd(), "\\n", \`pwd\`, \`cat e\`; system("cat", "../small"); system("pwd; ls");
  open(F, "e"); print <F>; open(P, "ls ..|"); print <P>; chdir("none") or print "$!\\n"; chdir("..") && print getcwd(), "\\n"; exec "pwd";
`;
Deno.test(
  "Perl changes directories",
  { ignore: missing("perl") },
  () => same((tree) => ["perl", "-e", perl, tree]),
);

const awk =
  'BEGIN { system("pwd; cat e"); while (("ls .." | getline line) > 0) print line; print "x" | "cat - e"; ' +
  'close("cat - e"); while ((getline line < "e") > 0) print line }';
Deno.test(
  "awk's system and pipes start where it is",
  { ignore: missing("awk") },
  () => same((tree) => ["bash", "-c", 'cd "$1/d"; awk "$2"', "bash", tree, awk]),
);

Deno.test("libc's walks of relative trees", async () => {
  const walks = await compileApp("walks");
  const script =
    'cd "$1/d"; "$2" nftw 1 -=0 .; "$2" nftw 1 -=0 e; "$2" nftw 9 -=0 ../many/ | sort; "$2" fts 20 -=- ../d; ' +
    '"$2" ftw .. | sort; "$2" nftw 1 -=0 none';
  await same((tree) => ["bash", "-c", script, "bash", tree, walks]);
});

Deno.test(
  { name: "Go changes directories", ignore: Deno.build.arch !== "x86_64" },
  async () => {
    const program = await goProgram("go_folder");
    await same((tree) => [program, tree]);
  },
);

/** Starts `argv` on a fake target's tree. */
async function withApp(
  argv: string[],
  body: (app: App, files: FakeFiles, session: FakeSession) => Promise<void>,
  options: RunOptions = {},
): Promise<void> {
  await using files = new FakeFiles();
  files.fill();
  await using session = new FakeSession({ files });
  await using app = new App(session, argv, options);
  await body(app, files, session);
}

Deno.test("what no hook sees finds nothing, instead of this machine's file of that name", () =>
  withApp([
    "bash",
    "-c",
    "cd /usr; cd /pod; stat -Lc %h /proc/self/cwd/.; ls /proc/$$/cwd/ | wc -l; cd /usr; ls -d /proc/$$/cwd/bin",
  ], async (app) => {
    assert.equal(await app.line(), "0");
    assert.equal(await app.line(), "0");
    assert.match(await app.line(), /bin$/);
  }));

Deno.test("a directory that the session rewrites is entered where it says", () =>
  withApp([
    "sh",
    "-c",
    "mkdir /mapped/deep; cd /mapped/deep && echo here > x && /bin/pwd -P && ls",
  ], async (app, files) => {
    assert.equal(await app.line(), `${files.mapped}/deep`);
    assert.equal(await app.line(), "x");
  }));

/** What execs.c's `call` of a program prints, and how it ends, started in `cwd` of a fake target. */
async function started(cwd: string, call: string, argv: string[]): Promise<string[]> {
  await using files = new FakeFiles();
  files.fill();
  await using session = new FakeSession({ files });
  const script = 'cd "$1"; shift; "$@" 2>&1; echo $?';
  const program = [await compileApp("execs"), call, ...argv];
  await using app = new App(session, ["sh", "-c", script, "sh", cwd, ...program]);
  const lines: string[] = [];
  while (!/^\d+$/.test(lines.at(-1) ?? "")) lines.push(await app.line());
  return lines;
}

Deno.test("posix_spawn's actions lead into the target and out of it", async () => {
  for (const cwd of ["/usr", "/pod/many"]) {
    for (const call of ["chdir", "fchdir"]) {
      assert.deepEqual(await started(cwd, `${call}:/pod/d`, ["pwd"]), ["/pod/d", "0"]);
      assert.deepEqual(await started(cwd, `${call}:/pod/d`, ["ls"]), ["e", "0"]);
      assert.deepEqual(await started(cwd, `${call}:/tmp`, ["pwd"]), ["/tmp", "0"]);
      assert.deepEqual(await started(cwd, `${call}:/usr`, ["bin/echo", "hello"]), ["hello", "0"]);
    }
    assert.deepEqual(await started(cwd, "chdir:bin", ["pwd"]), ["/usr/bin", "0"]);
    assert.deepEqual(await started(cwd, "chdir:/pod/none", ["ls"]), ["ENOENT", "1"]);
    assert.deepEqual(await started(cwd, "chdir:/pod/small", ["ls"]), ["ENOTDIR", "1"]);
    assert.deepEqual(await started(cwd, "chdir:/pod/d", ["./e"]), ["EACCES", "1"]);
    assert.deepEqual(await started(cwd, "chdir:/pod/d", ["./none"]), ["ENOENT", "1"]);
  }
});

for (const call of ["execve", "execvp", "execl", "execveat", "posix_spawn", "vfork"]) {
  Deno.test(`a program started by ${call} starts in the target's directory`, async () => {
    assert.deepEqual(await started("/pod/d", call, ["/bin/pwd", "-P"]), ["/pod/d", "0"]);
    assert.deepEqual(await started("/pod/d", call, ["../../bin/pwd", "-P"]), ["/pod/d", "0"]);
    const code = call === "posix_spawn" ? "1" : "127";
    const said = call === "vfork" ? [] : ["EACCES"];
    assert.deepEqual(await started("/pod/d", call, ["./e"]), [...said, code]);
    assert.deepEqual(await started("/pod/d", call, ["../small/x"]), [...said.map(() => "ENOTDIR"), code]);
  });
}

Deno.test("a directory of this machine costs no question and no link", () =>
  withApp(
    ["sh", "-c", "cd /usr && cd bin && cd .. && ls -d lib && cd /tmp && pwd"],
    async (app, files, session) => {
      assert.equal(await app.line(), "lib");
      assert.equal(await app.line(), "/tmp");
      assert.deepEqual(files.asked, []);
      assert.equal(session.links, 0);
    },
  ));

Deno.test("a lost session is an input/output error, and nothing is local", () =>
  withApp([
    "python3",
    "-u",
    "-c",
    [
      "import os; os.chdir('/pod/d'); print('there'); input()",
      "for call in (lambda: os.chdir('/pod'), lambda: os.chdir('..'), lambda: open('e'), lambda: os.listdir(), lambda: os.chdir('/usr')):",
      "  try: call(); print('no error')",
      "  except OSError as e: print(e.errno)",
      "print(os.getcwd())",
    ].join("\n"),
  ], async (app, _files, session) => {
    assert.equal(await app.line(), "there");
    session.lose();
    await app.write("");
    const lines: string[] = [];
    while (lines.length < 6) lines.push(await app.line());
    assert.deepEqual(lines, ["5", "5", "5", "5", "no error", "/usr"]);
  }));

Deno.test("a parent's variable counts only where no process went elsewhere on the way", () =>
  withApp(
    ["bash", "-c", "cd /pod/d; env /bin/pwd; env -C /usr /bin/pwd; env -C /usr ls -d bin; env ls"],
    async (app) => {
      for (const line of ["/pod/d", "/usr", "bin", "e"]) assert.equal(await app.line(), line);
    },
    { env: { MIRRORD_SKIP: "env" } },
  ));

Deno.test("another session's variable does not count", () =>
  withApp(
    [
      "bash",
      "-c",
      'cd /pod/d; e=$(env | grep MIRRORD_CWD=); cd ../empty; exec env "${e/=/=x}" sh -c "/bin/pwd; ls; env | grep -c CWD="',
    ],
    async (app) => {
      for (const line of ["/pod/empty", "1"]) assert.equal(await app.line(), line);
    },
  ));
