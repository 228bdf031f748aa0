// Walks of a target's tree by unmodified programs: what they print is what they print inside, with a fraction
// of the questions to the agent that each name would be.

import assert from "node:assert/strict";
import { Session } from "../../core/session/session.ts";
import { missingForProcess } from "../support/cases.ts";
import { FakeClient } from "../support/fake_client.ts";
import { FileTarget } from "../support/file_target.ts";
import { filesConfig } from "../support/files_config.ts";
import { builtLayer } from "../support/layer_app.ts";
import { layerEnv } from "../support/layer_door.ts";
import { Netns } from "../support/netns.ts";

const missing = missingForProcess();
const folders = 10;
const files = 40;
const modules = 40;

const fill = `
for d in $(seq ${folders}); do
  mkdir -p data/tree/d$d/below
  for f in $(seq ${files}); do echo $d >data/tree/d$d/f$f; done
  ln -s f1 data/tree/d$d/link; ln -s nowhere data/tree/d$d/dangling; mkfifo data/tree/d$d/pipe
done
chown -R 12:34 data/tree/d1; chmod 640 data/tree/d2/f*
touch -h -d @1600000000.123456789 data/tree/*/* data/tree/*
mkdir -p data/modules/package; touch data/modules/package/__init__.py
for m in $(seq ${modules}); do echo "value = $m" >data/modules/m$m.py; done
mkdir -p data/repository data/way; cd data/repository
export HOME=/tmp GIT_CONFIG_NOSYSTEM=1
git init -q .; cp -r ../tree/d1 ../tree/d3 .; rm */pipe; touch -hd @1600000000 */*; git add .
git -c user.name=a -c user.email=a@b commit -qm begun; echo more >>d1/f3; rm d3/f4; echo new >d3/new
cd ../..
`;

/** Runs programs beside a target, and counts what they ask the agent. */
async function stage(cache: "off" | "walk", mode: "read" | "write" = "read") {
  const stack = new AsyncDisposableStack();
  const folder = stack.adopt(Deno.makeTempDirSync(), (path) => Deno.removeSync(path, { recursive: true }));
  const netns = stack.use(await Netns.create());
  const target = stack.use(await FileTarget.create({ fill }));
  const { link } = stack.use(await FakeClient.start(netns, { options: { targetPid: target.pid } }));
  const asked: Record<string, number> = {};
  const request = link.request.bind(link);
  link.request = (...args) => {
    asked[args[0]] = (asked[args[0]] ?? 0) + 1;
    return request(...args);
  };
  const rules = mode === "write" ? { readWrite: ["^/data/"] } : { readOnly: ["^/data/"] };
  const session = stack.use(
    new Session({
      agent: link,
      incoming: null,
      files: {
        config: filesConfig({ mode, ...rules, readAhead: 128_000, cache }),
        places: { temporary: "/tmp", workingDirectory: "/usr", home: undefined },
      },
      socketPath: `${folder}/layer.sock`,
    }),
  );
  /** What a shell command prints under the session, and its questions to the agent. */
  const run = async (command: string) => {
    for (const kind of Object.keys(asked)) delete asked[kind];
    const { code, stdout, stderr } = await new Deno.Command("/usr/bin/sh", {
      args: ["-c", command],
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin", HOME: "/tmp", ...layerEnv(builtLayer, session.socketPath) },
      cwd: "/usr",
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    const text = decoder.decode(stdout);
    assert.equal(code, 0, decoder.decode(stderr));
    const questions = Object.values(asked).reduce((sum, count) => sum + count, 0);
    return { text, questions, asked: { ...asked } };
  };
  return { target, run, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const import_ = `import sys; sys.path.insert(0, "/data/modules"); sys.dont_write_bytecode = True
import ${Array.from({ length: modules }, (_, index) => `m${index + 1}`).join(", ")}, package
print(sum(value.value for name, value in sys.modules.items() if name[0] == "m" and name[1:].isdigit()))
try: import absent
except ImportError as error: print(error)`;

/** Walks, and how many times fewer questions they need at least. */
const walks: [name: string, command: string, times: number][] = [
  ["find", "find /data/tree -printf '%p %i %m %n %U %G %s %T@ %C@ %y %l\\n' | sort", 4],
  ["ls", "LC_ALL=C ls -lniR --full-time /data/tree", 4],
  ["du", "du -ab --time --time-style=full-iso /data/tree | sort", 4],
  [
    "git status",
    "GIT_OPTIONAL_LOCKS=0 git -c safe.directory='*' -C /data/repository status --porcelain",
    1.5,
  ],
  ["Python's imports", `/usr/bin/python3 -I -c '${import_}'`, 1.5],
];

for (const [name, command, times] of walks) {
  Deno.test({
    name: `${name} prints what it prints inside, with few questions`,
    ignore: missing !== null,
    fn: async () => {
      await using each = await stage("off");
      await using walk = await stage("walk");
      const [before, after] = [await each.run(command), await walk.run(command)];
      assert.equal(before.asked["scan"], undefined);
      const counts = `${before.questions} questions, ${after.questions} with scans`;
      assert.ok(after.questions * times < before.questions, `${counts}: ${JSON.stringify(after.asked)}`);
      assert.equal(after.text, await walk.target.run(command));
    },
  });
}

/** Looks at a folder by names and by its list, between changes of its own. */
const changer = `
import os, sys
top = sys.argv[1]
def look(what):
    with os.scandir(top) as entries:
        seen = sorted((e.name, e.stat(follow_symlinks=False).st_size, oct(e.stat(follow_symlinks=False).st_mode)) for e in entries)
    print(what, len(seen), seen[:4], seen[-4:])
    for name in ("f1", "f2", "new", "moved", "made", "hard", "soft", "link", "gone"):
        for path in (top + "/" + name, "/data/way/" + name):
            try: s = os.lstat(path); print(name, s.st_size, oct(s.st_mode), s.st_nlink, int(s.st_mtime) == 5)
            except OSError as e: print(name, e.errno)
            print(os.path.exists(path), os.path.islink(path))
os.rmdir("/data/way"); os.symlink(top, "/data/way")
look("begun")
with open(top + "/new", "w") as f:
    look("created"); f.write("12345"); f.flush(); look("written")
    f.truncate(2); look("truncated"); os.fchmod(f.fileno(), 0o600); look("fchmod")
os.rename(top + "/new", "/data/way/moved"); look("renamed")
os.chmod(top + "/f1", 0o600); look("chmod")
os.utime(top + "/f2", (5, 5)); look("utime")
os.truncate(top + "/f2", 77); look("truncated by name")
os.mkdir(top + "/made"); look("mkdir"); os.rmdir("/data/way/made"); look("rmdir")
os.link(top + "/f1", top + "/hard"); look("linked")
os.symlink("f1", top + "/soft"); look("symlink")
os.unlink("/data/way/f1"); look("unlinked"); os.unlink(top + "/hard"); look("unlinked, too")
`;

Deno.test({
  name: "a program sees its own changes at once, whatever path they go by",
  ignore: missing !== null,
  fn: async () => {
    await using here = await stage("walk", "write");
    await using there = await stage("walk", "write");
    const command = `/usr/bin/python3 -I -c '${changer}' /data/tree/d3`;
    const { text, asked } = await here.run(command);
    assert.equal(text, await there.target.run(command));
    assert.ok((asked["scan"] ?? 0) > 0, JSON.stringify(asked));
  },
});
