// Files of a target, end to end with the compiled binary: unmodified programs, whose every word is compared
// with what the same program says inside the target.

import assert from "node:assert/strict";
import { missingForProcess } from "../support/cases.ts";
import { nodeReads, nodeWrites, pythonReads, pythonWrites } from "../support/file_programs.ts";
import { FileTarget } from "../support/file_target.ts";
import { bunProgram, goProgram } from "../support/packages.ts";
import { Mirrord } from "../support/program.ts";

const missing = missingForProcess();
const uid = 4321;
const python = "/usr/bin/python3";
const node = "/usr/bin/node";
const limitMs = 120_000;

/** Two equal trees, one for the program under mirrord and one for the program inside. */
const fill = `
for tree in one two; do
  mkdir -p data/$tree/dir/deep data/$tree/many data/$tree/full
  cd data/$tree
  printf 'some text' >small; printf '\\000\\377\\012x' >binary; seq 1 90000 >lines; chmod 640 small
  ln -s small link; ln -s loop loop; ln -s nowhere dangling; mkfifo pipe
  printf inner >dir/inner.txt; ln -s ../small dir/up; printf no >forbidden; chmod 600 forbidden
  yes 0123456789abcdef | head -c 3000000 >large
  for i in $(seq 0 299); do echo "content $i" >many/$i; done
  chown -R ${uid}:${uid} .; chown 0:0 forbidden
  mount -t tmpfs -o size=1m,uid=${uid} full full
  cd ../..
done
mkdir data/forbidden
touch -h -d @1600000000 data/*/* data/*/dir/* data/*/many data/*/dir
`;

/** What a program says, and how it ends. */
interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

async function inside(target: FileTarget, argv: string[]): Promise<Said> {
  const enter = [
    "--target",
    `${target.pid}`,
    "--mount",
    "--pid",
    "--root",
    "--wd",
    "--setuid",
    `${uid}`,
    "--setgid",
    `${uid}`,
  ];
  const { code, stdout, stderr } = await new Deno.Command("nsenter", {
    args: [...enter, ...argv],
    stdin: "null",
    clearEnv: true,
  })
    .output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

async function beside(target: FileTarget, mode: string, argv: string[]): Promise<Said> {
  const flags = ["exec", "--target", `process/${target.pid}`, "--fs-mode", mode, "--"];
  await using run = new Mirrord([...flags, ...argv], { cwd: "/usr", env: { PATH: "/usr/bin:/bin" } });
  return await run.finished(limitMs);
}

async function same(mode: string, argv: (tree: string) => string[]): Promise<void> {
  await using target = await FileTarget.create({ fill, uid });
  const here = await beside(target, mode, argv("/data/one"));
  // What only reads is compared on one tree, the numbers of inodes too.
  const there = await inside(target, argv(mode === "read" ? "/data/one" : "/data/two"));
  assert.equal(there.code, 0, there.stderr);
  assert.equal(here.code, 0, here.stderr);
  assert.equal(here.stdout, there.stdout, here.stderr);
}

const cases: [name: string, mode: string, argv: (tree: string) => string[]][] = [
  ["Python reads a tree as inside", "read", (tree) => [python, "-c", pythonReads, tree]],
  ["Node reads a tree as inside", "read", (tree) => [node, "-e", nodeReads, tree]],
  ["Python changes a tree as inside", "write", (tree) => [python, "-c", pythonWrites, tree]],
  ["Node changes a tree as inside", "write", (tree) => [node, "-e", nodeWrites, tree]],
];
for (const [name, mode, argv] of cases) {
  Deno.test({ name, ignore: missing !== null, fn: () => same(mode, argv) });
}

Deno.test(
  { name: "Go goes about in a tree as inside", ignore: missing !== null || Deno.build.arch !== "x86_64" },
  async () => {
    const program = await goProgram("go_folder");
    const fill =
      `for tree in one two; do mkdir -p data/$tree/d; printf deep >data/$tree/d/e; touch data/$tree/d/x; ` +
      `chown -R ${uid}:${uid} data/$tree; done; cp ${program} data/go_folder`;
    await using target = await FileTarget.create({ fill, uid });
    const here = await beside(target, "write", [program, "/data/one"]);
    const there = await inside(target, [
      "/usr/bin/env",
      "PATH=/usr/bin:/bin",
      "/data/go_folder",
      "/data/two",
    ]);
    assert.equal(here.stdout.replaceAll("/data/one", "/data/two"), there.stdout, here.stderr);
    assert.match(here.stdout, /\[e x\]/, here.stderr);
  },
);

Deno.test(
  { name: "Java starts a child in a directory of the target", ignore: missing !== null },
  async () => {
    await using target = await FileTarget.create({
      fill: "mkdir data/dir; printf text >data/dir/file",
    });
    const folder = await Deno.makeTempDir({ dir: "/tmp" }); // where this machine's files are its own
    try {
      await Deno.copyFile(new URL("../apps/Children.java", import.meta.url), `${folder}/Children.java`);
      const argv = ["/usr/bin/java", "-Xshare:auto", `${folder}/Children.java`, "/data/dir"];
      const here = await beside(target, "read", argv);
      assert.equal(here.stdout, "/data/dir\ntext", here.stderr);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

/**
 * Argument 1: is the target asked for something before, and 2: by whom the rights are given up, this process
 * or its child.
 */
const givesUpRoot = `
import os, socket, sys, threading
if sys.argv[1] == "asks":
    open("/data/small").read()
if sys.argv[2] == "child" and os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
if sys.argv[2] == "closed":
    os.closerange(3, 4096)
os.setgroups([])
os.setgid(${uid})
os.setuid(${uid})
print(os.getuid(), open("/data/small").read(), len(open("/data/large", "rb").read()), sorted(os.listdir("/data")), flush=True)
folder = os.open("/data", os.O_RDONLY)
threads = [threading.Thread(target=lambda: os.write(1, b"%d\\n" % len(os.listdir(folder)))) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(socket.gethostbyname("beside"))
`;
for (const before of ["asks", "is silent"]) {
  for (const who of ["itself", "child", "closed"]) {
    const name = `an app of root that ${before} and gives its rights up stays in the session: ${who}`;
    Deno.test({ name, ignore: missing !== null }, async () => {
      await using target = await FileTarget.create({
        fill:
          "printf text >data/small; head -c 1000000 /dev/zero >data/large; printf '127.0.0.9 beside\\n' >etc/hosts",
      });
      const here = await beside(target, "read", [python, "-c", givesUpRoot, before, who]);
      assert.equal(here.stdout, `${uid} text 1000000 ['large', 'small']\n2\n2\n2\n127.0.0.9\n`, here.stderr);
      assert.equal(here.code, 0);
    });
  }
}

Deno.test({ name: "a file of 200 MiB arrives with an equal hash", ignore: missing !== null }, async () => {
  await using target = await FileTarget.create({
    fill: "head -c 209715200 /dev/urandom >data/large",
    size: "300m",
  });
  const script =
    "import hashlib; print(hashlib.file_digest(open('/data/large', 'rb'), 'sha256').hexdigest())";
  const here = await beside(target, "read", [python, "-c", script]);
  assert.equal(here.stdout.trim(), (await target.run("sha256sum </data/large")).split(" ")[0], here.stderr);
});

Deno.test({ name: "a directory of 10,000 entries is listed whole", ignore: missing !== null }, async () => {
  await using target = await FileTarget.create({
    fill: "mkdir data/many; cd data/many; seq 1 10000 | xargs touch; cd ../..",
  });
  const script = "import os; names = os.listdir('/data/many'); print(len(names), len(set(names)))";
  const here = await beside(target, "read", [python, "-c", script]);
  assert.equal(here.stdout, "10000 10000\n", here.stderr);
});

Deno.test({ name: "the shell's tools work on the target's files", ignore: missing !== null }, async () => {
  await using target = await FileTarget.create({ fill: "printf 'b\\na\\n' >data/list; mkdir data/dir" });
  const script =
    "cat /data/list; sort </data/list; ls -la /data | wc -l; echo new >/data/dir/new; cat /data/dir/new; " +
    "cp /data/list /data/dir/copy; mv /data/dir/copy /data/dir/moved; rm /data/dir/new; ls /data/dir; find /data -type f | sort; wc -c /data/list; tail -n1 /data/list";
  const here = await beside(target, "write", ["/bin/sh", "-c", script]);
  assert.equal(
    here.stdout,
    "b\na\na\nb\n5\nnew\nmoved\n/data/dir/moved\n/data/list\n4 /data/list\na\n",
    here.stderr,
  );
  assert.equal(await target.run("cat /data/dir/moved"), "b\na\n");
});

/** Scripts of bash in a target's /data; each says the same inside, and leaves the same tree. */
const scripts: Record<string, string> = {
  "cd, pushd and cd - go about":
    "cd /data && ls && cat file && cd dir && pwd && ls && cd .. && pwd; cd - && /bin/pwd; pushd ../many >/dev/null; ls | wc -l; " +
    "popd; cd ../locked; cd ../none; cd ../file; pwd; cd /; pwd; cd /usr && ls -d bin",
  "a link leads where the target has it":
    "cd /data/secrets && cat token && ls && pwd && pwd -P && /bin/pwd -P; cd -P . && pwd; cd /data/deep && cat ../inner && ls .. && pwd -P",
  "mkdir -p, rm -r and cp -a":
    "mkdir -p /data/a/b/c && cd /data/a && mkdir -p p/q/r ../dir/x && touch b/c/f && cp -a . ../copy && " +
    "rm -r b && cp -a ../dir . && chmod 700 dir && find .. | sort; rm -r ../copy; rmdir -p p/q/r; ls -R; rmdir .",
  "tar -C packs and unpacks":
    "mkdir /data/x && tar -C /data -cf - dir many link | tar -xf - -C /data/x && find /data/x | sort && cd /data/x && " +
    "tar -cf ../t.tar . && mkdir y && tar -xf ../t.tar -C y && diff -r dir y/dir && rm -r many && cat y/link",
  "find -execdir":
    "find /data -name inner -execdir pwd \\; -execdir cat {} +; cd /data && find . -type f -newer none; " +
    "find many -type f -execdir rm {} +; ls many; find /data/dir -depth -delete; ls",
  "a program that is not in the session has its own directory, or none":
    "cd /data/dir; here=$(mktemp -d); git init -q $here; git -C $here status --short | wc -l; cd $here; git rev-parse --is-inside-work-tree; " +
    "cd /; rm -r $here",
};
for (const [name, script] of Object.entries(scripts)) {
  Deno.test({ name, ignore: missing !== null }, async () => {
    const fill =
      `cd data; printf 'some text\\n' >file; mkdir -p dir/deep many locked ../run/secrets; printf inner >dir/inner; ` +
      `touch many/1 many/2 many/3; ln -s file link; ln -s dir/deep deep; ln -s ../run/secrets/app secrets; mkdir ../run/secrets/app; ` +
      `printf token >../run/secrets/app/token; printf other >../run/secrets/app/other; chown -R ${uid}:${uid} . ; chown 0:0 locked; ` +
      `chmod 700 locked; chmod 777 .; cd ..`;
    await using target = await FileTarget.create({ fill, uid });
    await using other = await FileTarget.create({ fill, uid });
    const argv = ["/bin/bash", "-c", `export LC_ALL=C HOME=/nowhere; ${script}`];
    const [here, there] = [await beside(target, "write", argv), await inside(other, argv)];
    assert.equal(here.stdout, there.stdout, here.stderr);
    const said = (text: string) =>
      text.split("\n").filter((line) => line !== "" && !line.includes("mirrord"));
    assert.deepEqual(said(here.stderr), said(there.stderr));
    assert.equal(here.code, there.code);
    const tree = "cd /data; find . -printf '%p %y %m %U %s %l\\n' | sort";
    assert.equal(await target.run(tree), await other.run(tree));
  });
}

// This test is to be turned round by the change that gives Bun the target's files.
Deno.test(
  { name: "Bun, which opens files past libc, is called that, once", ignore: missing !== null },
  async () => {
    await using target = await FileTarget.create({
      fill: "printf inside >data/file; printf '127.0.0.9 beside\\n' >etc/hosts",
    });
    const script =
      `try { console.log(require("fs").readFileSync("/data/file", "utf8")) } catch (error) { console.log(error.code) }
    console.log((await require("dns").promises.lookup("beside")).address);`;
    const bun = await bunProgram();
    const warning = `${await Deno.realPath(bun)} opens files without the C library: ` +
      "it reads and writes this machine's files, not the target's";
    const lines = ({ stderr }: Said) => stderr.split("\n").filter((line) => line.includes(warning)).length;
    const here = await beside(target, "read", [bun, "-e", script]);
    assert.equal(here.stdout, "ENOENT\n127.0.0.9\n", here.stderr);
    assert.equal(lines(here), 1, here.stderr);
    assert.equal(lines(await beside(target, "read", ["/bin/sh", "-c", `${bun} -e '${script}'; true`])), 1);
    assert.equal(lines(await beside(target, "local", [bun, "-e", script])), 0);
  },
);
