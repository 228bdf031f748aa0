// The files floor of the layer under programs nobody here wrote: each runs twice, on a tree of this machine
// without the layer, and with it on a fake target's tree that this machine has not. What it prints must be
// the same.

import assert from "node:assert/strict";
import { FakeFiles } from "../support/fake_files.ts";
import { FakeSession } from "../support/fake_session.ts";
import { App, type RunOptions } from "../support/layer_app.ts";
import { deadline } from "../support/deadline.ts";
import { missing, run, same } from "../support/same_tree.ts";

Deno.test(
  "a Python program sees the target's tree",
  { ignore: missing("python3") },
  () => same((tree) => ["python3", "files.py", tree]),
);

Deno.test(
  "a Node program sees the target's tree",
  { ignore: missing("node") },
  () => same((tree) => ["node", "files.mjs", tree]),
);

Deno.test(
  "a Java program sees the target's tree",
  { ignore: missing("java") },
  () => same((tree) => ["java", "-Xshare:auto", "Tree.java", tree]),
);

const ruby = `
  root = ARGV[0]
  puts File.read(root + "/small"), File.size(root + "/big"), Dir.children(root).sort.inspect
  puts Dir.glob(root + "/**/*").sort.first(20).inspect, File.readlines(root + "/big").size
  begin; File.read(root + "/none"); rescue => e; puts e.class; end
  Dir.mkdir(root + "/r"); File.write(root + "/r/x", "abc"); File.open(root + "/r/x", "a") { |f| f.puts "def" }
  puts File.read(root + "/r/x"), File.stat(root + "/r/x").size, File.realpath(root + "/link")
  require "fileutils"; FileUtils.cp(root + "/big", root + "/r/big"); puts File.size(root + "/r/big")
  FileUtils.rm_r(root + "/r"); puts File.exist?(root + "/r")
`;
Deno.test(
  "a Ruby program sees the target's tree",
  { ignore: missing("ruby") },
  () => same((tree) => ["ruby", "-e", ruby, tree]),
);

const php = `
  $root = $argv[1];
  echo file_get_contents("$root/small"), filesize("$root/big"), "\\n", md5_file("$root/big"), "\\n";
  print_r(scandir($root)); print_r(glob("$root/*/*")); echo count(file("$root/big")), realpath("$root/link"), "\\n";
  var_dump(@file_get_contents("$root/none"), is_dir("$root/d"), is_link("$root/link"));
  mkdir("$root/p"); file_put_contents("$root/p/x", "abc"); file_put_contents("$root/p/x", "def", FILE_APPEND);
  copy("$root/big", "$root/p/big"); rename("$root/p/x", "$root/p/y"); touch("$root/p/y", 2);
  echo file_get_contents("$root/p/y"), filemtime("$root/p/y"), filesize("$root/p/big"), "\\n";
  unlink("$root/p/y"); unlink("$root/p/big"); rmdir("$root/p"); var_dump(file_exists("$root/p"));
`;
Deno.test(
  "a PHP program sees the target's tree",
  { ignore: missing("php") },
  async () => {
    // PHP's SNMP extension makes its folder at root's first start, and writes that to standard error.
    await new Deno.Command("php", { args: ["-r", ""], stdout: "null", stderr: "null" }).output();
    await same((tree) => ["php", "-r", php, tree]);
  },
);

/**
 * A descriptor that is closed past every hook, as io_uring closes it; its number is a pipe's then, which
 * nobody writes to.
 */
const closedPast = `
import ctypes, fcntl, os, select, sys
def again(flags):
    fd = os.open(sys.argv[1] + "/big", flags)
    ctypes.CDLL("libc.so.6")["__close_nocancel"](fd)
    ends = os.pipe()
    assert ends[0] == fd
    return ends
for check in (
    lambda end: select.select([end], [], [], 0)[0],
    lambda end: (poll := select.poll(), poll.register(end, select.POLLIN), poll.poll(0))[2],
    lambda end: select.epoll().register(end, select.EPOLLIN),
    lambda end: fcntl.flock(end, fcntl.LOCK_SH),
):
    ends = again(os.O_RDONLY)
    try:
        print(check(ends[0]))
    except OSError as error:
        print(error)
    for end in ends:
        os.close(end)
`;
Deno.test("a descriptor that was closed past the layer is no file when its number comes back", () =>
  same((tree) => ["python3", "-c", closedPast, tree]));

const nodeAgain = `
  const { openSync, closeSync } = require("fs");
  const all = Array.from({ length: 20 }, () => openSync(process.argv[1] + "/big"));
  for (const fd of all) closeSync(fd);
  console.log(require("child_process").execFileSync("echo", ["child"], { encoding: "utf8" }));
`;
Deno.test(
  "Node starts a child after it has closed files",
  { ignore: missing("node") },
  () => same((tree) => ["node", "-e", nodeAgain, tree]),
);

/** Commands of a shell; $1 is the tree. */
const commands: Record<string, string> = {
  "cat, head, tail, wc and cmp read": 'cat "$1/small" "$1/a.json"; head -n 3 "$1/big"; tail -n 3 "$1/big"; ' +
    'wc "$1/big" "$1/small"; cmp "$1/big" "$1/big" && md5sum "$1/big"; tac "$1/big" | head -n 2',
  "ls, stat and du look":
    'ls -lR --time-style=+%Y "$1"; stat -c "%n %s %A %u %h %F" "$1"/*; ls -d "$1"/*/; ' +
    'test -d "$1/d" -a -L "$1/link" -a -r "$1/small" -a ! -e "$1/none" && echo yes; readlink -f "$1/link"',
  "find and grep search":
    'find "$1" | sort; find "$1" -type f -size +100k; grep -rl deep "$1"; grep -c 9 "$1/big"',
  "redirections read":
    'read -r line < "$1/small"; echo "$line"; while read -r n; do last=$n; test $n -lt 500 || break; done < "$1/big"; ' +
    'echo "$last"; exec 5< "$1/big"; head -c 4 <&5; cat <&5 | wc -c; sed -n 5p "$1/big"; sort -rn < "$1/big" | head -n 1',
  "redirections write":
    'echo one > "$1/out"; echo two >> "$1/out"; cat "$1/out"; seq 100000 > "$1/many_lines"; ' +
    'wc -l < "$1/many_lines"; (echo a; sh -c "echo b; echo c >&2") > "$1/both" 2>&1; cat "$1/both"; : > "$1/out"; ' +
    'test -s "$1/out" || echo empty; echo x | tee "$1/tee"; cat "$1/tee"',
  "cp, mv, ln, touch, chmod and rm change":
    'cp "$1/big" "$1/copy" && cmp "$1/big" "$1/copy"; mv "$1/copy" "$1/moved"; ' +
    'mkdir "$1/x" "$1/x/y" "$1/x/y/z"; touch -d @5 "$1/x/f"; chmod 711 "$1/x/f"; ln -s f "$1/x/l"; stat -c "%A %Y" "$1/x/f"; ' +
    'cp -a "$1/x" "$1/w"; ls -l --time-style=+ "$1/w" | tail -n +2; rm -r "$1/x" "$1/w"; ls "$1"; ' +
    'dd if="$1/big" of="$1/part" bs=1000 skip=3 count=2 status=none; wc -c "$1/part"; truncate -s 10 "$1/part"; ' +
    'sed -i s/1/7/ "$1/a.json"; cat "$1/a.json"; rmdir "$1/d"; rm "$1/none"; mkdir "$1/d"',
  "cp copies into this machine and back":
    'here=$(mktemp -d); cp -a "$1/." "$here"; ls -l --time-style=+%Y "$here" | ' +
    'tail -n +2; cmp "$1/big" "$here/big"; echo new > "$here/new"; cp "$here/new" "$1/"; cat "$1/new"; ' +
    'mv "$here/new" "$1/newer"; cat "$1/newer"; mv "$1/newer" "$here"; cat "$here/newer"; rm -r "$here"',
  "tar packs and unpacks":
    'tar -cPf "$1/all.tar" "$1/d" "$1/big"; tar -tPf "$1/all.tar"; rm -r "$1/d" "$1/big"; tar -xPf "$1/all.tar"; ' +
    'cat "$1/d/e"; wc -l "$1/big"; here=$(mktemp -d); tar -xf "$1/all.tar" -C "$here" 2> /dev/null; find "$here" -type f | wc -l; rm -r "$here"',
  "gzip and diff": 'gzip -c "$1/big" | gzip -dc | md5sum; cp "$1/small" "$1/other"; echo >> "$1/other"; ' +
    'diff "$1/small" "$1/other"; diff -r "$1/d" "$1/d" && echo same',
};
for (const [name, script] of Object.entries(commands)) {
  Deno.test(name, () => same((tree) => ["bash", "-c", script, "bash", tree]));
}

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

Deno.test("a small file costs one question", () =>
  withApp(["cat", "/pod/small"], async (app, files) => {
    assert.equal(await app.line(), "hello target");
    await app.status;
    assert.deepEqual(files.asked, ["open /pod/small"]);
  }));

Deno.test("a folder of many entries comes page by page", () =>
  withApp([
    "sh",
    "-c",
    "mkdir /pod/l; for i in $(seq 300); do : > /pod/l/$i; done; ls -U /pod/l | sort -n | md5sum",
  ], async (app, files) => {
    files.pageEntries = 7;
    const expected = await run(["sh", "-c", "seq 300 | md5sum"], {});
    assert.equal(`${await app.line()}\n`, expected.text);
  }));

Deno.test("a path that the session rewrites is opened where it says", () =>
  withApp([
    "sh",
    "-c",
    "echo here > /mapped/x; cat /mapped/x; ls /mapped/; stat -c %s /mapped/x; rm /mapped/x",
  ], async (app, files) => {
    assert.equal(await app.line(), "here");
    assert.equal(await app.line(), "x");
    assert.equal(await app.line(), "5");
    await app.status;
    assert.deepEqual([...Deno.readDirSync(files.mapped)], []);
  }));

Deno.test("what the rules call local is not asked about and needs no link", () =>
  withApp(
    ["sh", "-c", "cat /etc/hostname > /dev/null; ls / > /dev/null; test -e /usr/none; echo done"],
    async (app, files, session) => {
      assert.equal(await app.line(), "done");
      assert.deepEqual(files.asked, []);
      assert.equal(session.links, 0);
    },
  ));

Deno.test("an inherited file is read on by an exec'd program", () =>
  withApp([
    "bash",
    "-c",
    "exec 7< /pod/big; head -n 1 <&7 > /dev/null; exec env - LD_PRELOAD=$LD_PRELOAD " +
    "MIRRORD_LAYER_SOCKET=$MIRRORD_LAYER_SOCKET sh -c 'dd bs=1 count=0 status=none; cat <&7 | wc -c; ls -l /proc/self/fd/7 | wc -l'",
  ], async (app) => {
    assert.match(await app.line(), /^\d+$/);
  }));

Deno.test("files end with their last descriptor, however the app ends", () =>
  withApp([
    "python3",
    "-c",
    "import os; f = open('/pod/big'); os.dup(f.fileno()); print('open', flush=True); os.fork(); input(); import time; time.sleep(60)",
  ], async (app, files) => {
    assert.equal(await app.line(), "open");
    assert.equal(files.open, 1);
    app.kill("SIGKILL");
    await deadline(files.closed(), "the file is closed");
  }));

Deno.test("a lost session is an input/output error, never a local file", () =>
  withApp([
    "python3",
    "-u",
    "-c",
    [
      "import os",
      "f = open('/pod/big'); g = open('/pod/small'); print('open'); input()",
      "for call in (lambda: f.read(), lambda: open('/pod/small'), lambda: open('/tmp/nowhere'), lambda: os.stat('/pod'), lambda: os.listdir('/pod')):",
      "  try: call(); print('no error')",
      "  except OSError as e: print(e.errno)",
      "print(g.read())",
    ].join("\n"),
  ], async (app, _files, session) => {
    assert.equal(await app.line(), "open");
    session.lose();
    await app.write("");
    const lines: string[] = [];
    while (lines.length < 6) lines.push(await app.line());
    assert.deepEqual(lines, ["5", "5", "2", "5", "5", "hello target"]);
  }));

Deno.test("sixteen threads read, write and list at once", () =>
  withApp([
    "python3",
    "-c",
    [
      "import threading, hashlib, os",
      "def work(n):",
      "  for i in range(20):",
      "    p = f'/pod/t{n}'; open(p, 'w').write(str(i) * 1000); assert open(p).read() == str(i) * 1000",
      "    f = open('/pod/big', 'rb'); f.seek(n); f.read(10); assert os.fstat(f.fileno()).st_size == 588895; f.close()",
      "    os.listdir('/pod'); os.unlink(p)",
      "  done.append(n)",
      "done = []; threads = [threading.Thread(target=work, args=[n]) for n in range(16)]",
      "[t.start() for t in threads]; [t.join() for t in threads]; print(len(done), len(os.listdir('/proc/self/fd')) < 40)",
    ].join("\n"),
  ], async (app, files) => {
    assert.equal(await app.line(), "16 True");
    await app.status;
    await deadline(files.closed(), "every file is closed");
  }));

Deno.test("a watch of the target's files is refused and told, one of this machine's files is none of our business", () =>
  withApp([
    "python3",
    "-c",
    [
      "import ctypes, os",
      "libc = ctypes.CDLL(None, use_errno=True); fd = libc.inotify_init1(0)",
      "for path in (b'/pod/small', b'/pod/none', b'/usr', b'/mapped/'):",
      "  print(libc.inotify_add_watch(fd, path, 2), ctypes.get_errno()); ctypes.set_errno(0)",
    ].join("\n"),
  ], async (app, files) => {
    const lines: string[] = [];
    while (lines.length < 4) lines.push(await app.line());
    assert.deepEqual(lines, ["-1 28", "-1 2", "1 0", "2 0"]);
    await app.status;
    assert.deepEqual(files.asked.filter((one) => one.startsWith("unwatched")), ["unwatched /pod/small"]);
  }));
