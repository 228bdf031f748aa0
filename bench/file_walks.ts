// Walks of a target's tree against sshfs: find with lstat, git status and Python's imports, each by the same
// driver on the same files. Called by files.ts. Both links are pipes on this machine; for a way of 10 ms each
// holds every byte back for 5 ms in both directions. A session here is one of this process's, so that its
// questions to the agent are counted; each round mounts by sshfs again, with its usual caches.

import { unpackLayer } from "../core/launch/layer_file.ts";
import { launchApp } from "../core/launch/launch.ts";
import { Session } from "../core/session/session.ts";
import type { LinkStream } from "../protocol-wasm/mod.ts";
import { FakeClient } from "../tests/support/fake_client.ts";
import { FileTarget } from "../tests/support/file_target.ts";
import { filesConfig } from "../tests/support/files_config.ts";
import { Netns } from "../tests/support/netns.ts";
import { median, report } from "./measure.ts";

const python = "/usr/bin/python3";
const rounds = 3;
const oneWayMs = 5;

const fill = `
echo root:x:0:0::/:/bin/sh >etc/passwd
mkdir -p data/many data/few data/repository data/modules
for d in $(seq 100); do mkdir data/many/$d; for f in $(seq 100); do : >data/many/$d/$f; done; done
for d in $(seq 10); do mkdir data/few/$d; for f in $(seq 30); do echo $f >data/few/$d/$f; done; done
for m in $(seq 50); do echo "value = $m" >data/modules/m$m.py; done
cp -r data/few/* data/repository; touch -hd @1600000000 data/repository/*/*; cd data/repository
export HOME=/tmp GIT_CONFIG_NOSYSTEM=1
git init -q .; git add .; git -c user.name=a -c user.email=a@b commit -qm begun; echo more >>1/1; cd ../..
`;

/** The programs, with "TOP" for where the files are. */
const commands = {
  find: ["find", "TOP/many", "-printf", "%s %T@ %m\\n"],
  few: ["find", "TOP/few", "-printf", "%s %T@ %m\\n"],
  git: ["git", "-c", "safe.directory=*", "-C", "TOP/repository", "status", "--porcelain"],
  modules: [
    python,
    "-I",
    "-c",
    "import sys; sys.path.insert(0, 'TOP/modules'); sys.dont_write_bytecode = True\n" +
    `import ${Array.from({ length: 50 }, (_, index) => `m${index + 1}`).join(", ")}`,
  ],
};
type Walk = keyof typeof commands;

/** Prints the milliseconds that a command takes; argv: a file for that, the command. */
const driver = `
import os, subprocess, sys, time
os.environ["GIT_OPTIONAL_LOCKS"] = "0"
start = time.perf_counter()
subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL)
open(sys.argv[1], "w").write(str((time.perf_counter() - start) * 1000))
`;
/**
 * Mounts /data of the target by sshfs over a link with a delay, runs the driver there, and ends both. argv:
 * mount point, seconds, driver, file for the time, length of the command, command, server.
 */
const mounter = `
import os, queue, socket, subprocess, sys, threading, time
mount, delay, driver, printed, length, *rest = sys.argv[1:]
delay = float(delay); command, server = rest[:int(length)], rest[int(length):]
def carry(source, sink):
    waiting = queue.SimpleQueue()
    def take():
        while piece := source.recv(1 << 18): waiting.put((time.monotonic() + delay, piece))
        waiting.put(None)
    threading.Thread(target=take, daemon=True).start()
    while held := waiting.get():
        if (left := held[0] - time.monotonic()) > 0: time.sleep(left)
        sink.sendall(held[1])
    sink.shutdown(socket.SHUT_WR)
ours, near = socket.socketpair(); far, theirs = socket.socketpair()
if delay == 0: ours, theirs = socket.socketpair()
else:
    for ends in ((near, far), (far, near)): threading.Thread(target=carry, args=ends, daemon=True).start()
server = subprocess.Popen(server, stdin=theirs, stdout=theirs); theirs.close()
before = os.stat(mount).st_dev
client = subprocess.Popen(["sshfs", "-f", "-o", "passive", ":/data", mount], stdin=ours, stdout=ours); ours.close()
while os.stat(mount).st_dev == before and client.poll() is None: time.sleep(0.01)
try: subprocess.run([sys.executable, "-c", driver, printed, *command], check=True)
finally:
    subprocess.run(["fusermount3", "-u", mount], check=True); client.wait(); server.kill(); server.wait()
`;

export interface WalkPlaces {
  /** A folder of this bench's own. */
  folder: string;
  mount: string;
  sftpServer: string;
}

/** How many times sshfs takes what mirrord takes, as parts of the bench's line. */
export async function walks({ folder, mount, sftpServer }: WalkPlaces): Promise<string> {
  await using target = await FileTarget.create({ fill });
  const server = ["nsenter", `--target=${target.pid}`, "--mount", "--pid", "--root", "--wd=/", sftpServer];
  const printed = `${folder}/walk-ms`;
  const taken = () => Number(Deno.readTextFileSync(printed));
  const layerPath = unpackLayer(folder);
  const at = (walk: Walk, top: string) => commands[walk].map((word) => word.replaceAll("TOP", top));

  const mirrored = async (walk: Walk, delayMs: number) => {
    await using netns = await Netns.create();
    await using client = await FakeClient.start(netns, {
      options: { targetPid: target.pid },
      ...(delayMs === 0 ? {} : { wrap: (stream: LinkStream) => late(stream, delayMs) }),
    });
    const { link } = client;
    let questions = 0;
    const request = link.request.bind(link);
    link.request = (...args) => {
      questions++;
      return request(...args);
    };
    await using session = new Session({
      agent: link,
      incoming: null,
      files: {
        config: filesConfig({ readOnly: ["^/data/"], readAhead: 128_000, cache: "walk" }),
        places: { temporary: "/tmp", workingDirectory: "/usr", home: undefined },
      },
      socketPath: `${folder}/walks.sock`,
    });
    const code = await launchApp({
      program: python,
      args: ["-c", driver, printed, ...at(walk, "/data")],
      env: { PATH: "/usr/bin:/bin" },
      layerPath,
      socketPath: session.socketPath,
      lost: session.lost,
      skipped: new Set(),
    });
    if (code !== 0) throw new Error(`Cannot measure "${walk}": the app failed`);
    return { ms: taken(), questions };
  };
  const mounted = async (walk: Walk, delayMs: number) => {
    const command = at(walk, mount);
    const args = ["-c", mounter, mount, `${delayMs / 1000}`, driver, printed, `${command.length}`];
    const { success, stderr } = await new Deno.Command(python, { args: [...args, ...command, ...server] })
      .output();
    if (!success) throw new Error(`Cannot measure "${walk}" on sshfs: ${new TextDecoder().decode(stderr)}`);
    return taken();
  };

  const compare = async (what: string, walk: Walk, delayMs: number): Promise<string> => {
    const ratios: number[] = [];
    let last = "";
    for (let round = 0; round <= rounds; round++) {
      const ours = await mirrored(walk, delayMs);
      const theirs = await mounted(walk, delayMs);
      if (round > 0) ratios.push(theirs / ours.ms);
      last = `${what}: ${ours.ms.toFixed(0)} ms and ${ours.questions} questions, sshfs ${
        theirs.toFixed(0)
      } ms`;
    }
    report(last);
    return `${what}_vs_sshfs=${median(ratios).toFixed(2)}`;
  };
  return [
    await compare("find", "find", 0),
    await compare("find_at_10ms", "few", oneWayMs),
    await compare("git_status_at_10ms", "git", oneWayMs),
    await compare("import_at_10ms", "modules", oneWayMs),
  ].join(" ");
}

/** The stream, with every byte `ms` later, each way. */
function late(stream: LinkStream, ms: number): LinkStream {
  const pause = (until: number) =>
    new Promise((done) => setTimeout(done, Math.max(0, until - performance.now())));
  const arrived: { bytes: Uint8Array | null; due: number }[] = [];
  let wake = Promise.withResolvers<void>();
  let sending: Promise<void> = Promise.resolve();
  const take = async () => {
    for (let isOver = false; !isOver;) {
      const into = new Uint8Array(1 << 18);
      const count = await stream.read(into).catch(() => null);
      isOver = count === null;
      arrived.push({ bytes: count === null ? null : into.subarray(0, count), due: performance.now() + ms });
      wake.resolve();
    }
  };
  void take();
  return {
    async read(into) {
      while (arrived.length === 0) {
        await wake.promise;
        wake = Promise.withResolvers();
      }
      const [first] = arrived;
      if (first === undefined) return null;
      await pause(first.due);
      if (first.bytes === null) return null;
      const count = Math.min(into.length, first.bytes.length);
      into.set(first.bytes.subarray(0, count));
      first.bytes = first.bytes.subarray(count);
      if (first.bytes.length === 0) arrived.shift();
      return count;
    },
    write(bytes) {
      const [copy, due] = [bytes.slice(), performance.now() + ms];
      sending = sending.then(() => pause(due)).then(() => stream.write(copy)).catch(() => {});
      return Promise.resolve();
    },
    close: () => stream.close(),
  };
}
