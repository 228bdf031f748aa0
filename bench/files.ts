// Reading a target's files: how many questions a small file costs the agent, and the time for a thousand
// small files and for one of 200 MiB, against sshfs over the same kind of link (a socket to sftp-server
// inside the target, no encryption) and against `cat` inside the target through a pipe, which is as fast as
// the link gets; of these, less is better. Of walks (file_walks.ts) more is: sshfs's time by mirrord's. With
// a test cluster up, or one that MIRRORD_TEST_KUBECONFIG names, also against sshfs and `cat` through `kubectl
// exec`, the cluster's own link. Needs root, sshfs, openssh-sftp-server.

import { unpackLayer } from "../core/launch/layer_file.ts";
import { launchApp } from "../core/launch/launch.ts";
import { Session } from "../core/session/session.ts";
import { clusterAccess, kubectlCommand } from "../tests/cluster/access.ts";
import { ClusterStage } from "../tests/support/cluster_stage.ts";
import { FakeClient } from "../tests/support/fake_client.ts";
import { FileTarget } from "../tests/support/file_target.ts";
import { Netns } from "../tests/support/netns.ts";
import { runMirrord } from "../tests/support/program.ts";
import { walks } from "./file_walks.ts";
import { compare, median, report } from "./measure.ts";

const python = "/usr/bin/python3";
const rounds = 5;
const largeBytes = 200 << 20;
const folder = Deno.makeTempDirSync({ prefix: "mirrord-bench-" });
const config = `${folder}/config.json`;
const mount = `${folder}/mount`;

/**
 * Prints milliseconds: each small file opened and read (median), all of them, the large one in pieces of 1
 * MiB.
 */
const reader = `
import sys, time
top = sys.argv[1]; each = []; start = time.perf_counter()
for index in range(1000):
    t = time.perf_counter()
    with open(top + "/many/%d" % index, "rb") as f: assert len(f.read()) == 4096
    each.append(time.perf_counter() - t)
small = time.perf_counter() - start; start = time.perf_counter(); length = 0
if len(sys.argv) < 3:
    with open(top + "/large", "rb", buffering=0) as f:
        while piece := f.read(1 << 20): length += len(piece)
    assert length == ${largeBytes}, length
print(sorted(each)[500] * 1000, small * 1000, (time.perf_counter() - start) * 1000)
`;
/**
 * Mounts a folder of the target by sshfs, runs the reader on it, and ends both. argv: mount point, reader,
 * folder, server.
 */
const mounter = `
import os, socket, subprocess, sys, time
mount, reader, folder, *server = sys.argv[1:]
ours, theirs = socket.socketpair()
server = subprocess.Popen(server, stdin=theirs, stdout=theirs); theirs.close()
before = os.stat(mount).st_dev
client = subprocess.Popen(["sshfs", "-f", "-o", "passive", ":" + folder, mount], stdin=ours, stdout=ours)
while os.stat(mount).st_dev == before: time.sleep(0.01)
try: subprocess.run([sys.executable, "-c", reader, mount], check=True)
finally:
    subprocess.run(["fusermount3", "-u", mount], check=True); client.wait(); server.kill(); server.wait()
`;
/** Milliseconds for what a command prints, read to its end; argv: the command. */
const drainer = `
import subprocess, sys, time
start = time.perf_counter(); length = 0
with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE) as p:
    while piece := p.stdout.read(1 << 20): length += len(piece)
print(length, (time.perf_counter() - start) * 1000)
`;
const fill =
  "echo root:x:0:0::/:/bin/sh >etc/passwd; mkdir data/many; for i in $(seq 0 999); do head -c 4096 /dev/urandom >data/many/$i; done; " +
  `head -c ${largeBytes} /dev/urandom >data/large`;

const sftpServer = "/usr/lib/openssh/sftp-server";

type Figures = [each: number, small: number, large: number];

async function output(argv: string[]): Promise<string> {
  const [program = "", ...args] = argv;
  const { success, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`Cannot run "${argv[0]} ${argv[1]}": ${text.decode(stderr)}`);
  return text.decode(stdout);
}

function figures(printed: string): Figures {
  const [each = NaN, small = NaN, large = NaN] = printed.trim().split(" ").map(Number);
  return [each, small, large];
}

/** What the reader says under mirrord. */
async function ours(
  targetFlags: string[],
  prefix: string[],
  top: string,
  more: string[] = [],
): Promise<Figures> {
  const args = ["exec", "--config-file", config, ...targetFlags, "--", python, "-c", reader, top, ...more];
  const { code, stdout, stderr } = await runMirrord(args, { cwd: "/usr", prefix });
  if (code !== 0) throw new Error(`Cannot measure: ${stderr}`);
  return figures(stdout);
}

/** What the reader says on an sshfs mount of `top` through `server`'s standard input and output. */
async function mounted(top: string, server: string[]): Promise<Figures> {
  return figures(await output([python, "-c", mounter, mount, reader, top, ...server]));
}

async function drained(argv: string[]): Promise<{ bytes: number; ms: number }> {
  const [bytes = NaN, ms = NaN] = (await output([python, "-c", drainer, ...argv])).trim().split(" ").map(
    Number,
  );
  return { bytes, ms };
}

/** Requests to the agent for each small file that an app reads. */
async function questions(): Promise<number> {
  await using netns = await Netns.create();
  await using target = await FileTarget.create({ fill });
  await using client = await FakeClient.start(netns, { options: { targetPid: target.pid } });
  let asked = 0;
  const { link } = client;
  const request = link.request.bind(link);
  link.request = (...args) => {
    asked++;
    return request(...args);
  };
  const patterns = { readWrite: [], readOnly: [], local: [], notFound: [], mapping: [] };
  await using session = new Session({
    agent: link,
    incoming: null,
    files: {
      config: { mode: "read", ...patterns, readAhead: 128_000, cache: "walk", autoMount: false },
      places: { temporary: "/tmp", workingDirectory: "/usr", home: undefined },
    },
    socketPath: `${folder}/layer.sock`,
  });
  const run = async (count: number) => {
    const before = asked;
    const program = `for i in range(${count}): open("/data/many/%d" % i, "rb").read()`;
    const code = await launchApp({
      program: python,
      args: ["-c", program],
      env: { PATH: "/usr/bin:/bin" },
      layerPath,
      socketPath: session.socketPath,
      lost: session.lost,
      skipped: new Set(),
    });
    if (code !== 0) throw new Error("Cannot count: the app failed");
    return asked - before;
  };
  const layerPath = unpackLayer(folder);
  const [few, many] = [await run(0), await run(500)];
  return (many - few) / 500;
}

async function process(): Promise<{ small: number; large: number }> {
  await using target = await FileTarget.create({ fill });
  const flags = ["--target", `process/${target.pid}`];
  const server = ["nsenter", `--target=${target.pid}`, "--mount", "--pid", "--root", "--wd=/", sftpServer];
  const all: { ours: Figures[]; sshfs: Figures[] } = { ours: [], sshfs: [] };
  for (let round = 0; round <= rounds; round++) {
    const mine = await ours(flags, [], "/data");
    const theirs = await mounted("/data", server);
    if (round > 0) all.ours.push(mine), all.sshfs.push(theirs);
  }
  const middle = (list: Figures[], at: 0 | 1 | 2) => median(list.map((one) => one[at]));
  const ratio = (at: 0 | 1 | 2) =>
    median(all.ours.map((one, round) => one[at] / (all.sshfs[round]?.[at] ?? NaN)));
  const say = (at: 0 | 1 | 2, what: string) =>
    report(
      `process target, ${what}: ${middle(all.ours, at).toFixed(2)} ms, sshfs ${
        middle(all.sshfs, at).toFixed(2)
      } ms, ` +
        `ratio ${ratio(at).toFixed(2)}`,
    );
  say(0, "a file of 4 KiB");
  say(1, "1,000 files of 4 KiB");
  say(2, "a file of 200 MiB");
  const cat = ["nsenter", `--target=${target.pid}`, "--mount", "--root", "cat", "/data/large"];
  const link = await compare(
    async () => (await ours(flags, [], "/data"))[2],
    async () => (await drained(cat)).ms,
    3,
  );
  const speed = (ms: number) => (largeBytes / ms / 1000).toFixed(0);
  report(
    `process target, 200 MiB: ${speed(link.ours)} MB/s, cat through a pipe ${
      speed(link.peer)
    } MB/s, time ratio ${link.ratio.toFixed(2)}`,
  );
  return { small: ratio(1), large: link.ratio };
}

/** On a cluster's own link, sftp-server's too; null when there is none. */
async function cluster(): Promise<{ small: number; large: number } | null> {
  if (await clusterAccess() === null) {
    report("cluster: skipped, none is up (./dev cluster up)");
    return null;
  }
  await using stage = await ClusterStage.create();
  const pod = await stage.podName();
  const enter = (...flags: string[]) =>
    kubectlCommand(["-n", stage.namespace, "exec", ...flags, pod, "-c", "app", "--"]);
  const inPod = await enter();
  const make = `
import os
os.makedirs("/srv/data/many", exist_ok=True)
for i in range(1000): open("/srv/data/many/%d" % i, "wb").write(os.urandom(4096))
with open("/srv/data/large", "wb") as f:
    for i in range(200): f.write(os.urandom(1 << 20))`;
  await output([...inPod, "python3", "-c", make]);
  const server = [...await enter("-i"), "/srv/sftp-server"];
  const put = "import os, sys; os.fchmod(os.open('/srv/sftp-server', os.O_CREAT), 0o755); " +
    "open('/srv/sftp-server', 'wb').write(sys.stdin.buffer.read())";
  await fed(sftpServer, [...await enter("-i"), "python3", "-c", put]);
  const mirrored = () => ours(stage.targetFlags, stage.prefix, "/srv/data");
  const large = await compare(
    async () => (await mirrored())[2],
    async () => (await drained([...inPod, "cat", "/srv/data/large"])).ms,
    3,
  );
  const tar = "import sys, tarfile; tarfile.open(fileobj=sys.stdout.buffer, mode='w|').add('/srv/data/many')";
  const small = await compare(
    async () => (await mirrored())[1],
    async () => (await drained([...inPod, "python3", "-c", tar])).ms,
    3,
  );
  const sshfs = await compare(
    async () => (await mirrored())[1],
    async () => (await mounted("/srv/data", server))[1],
    3,
  );
  const speed = (ms: number) => (largeBytes / ms / 1000).toFixed(0);
  report(
    `cluster, 200 MiB: ${speed(large.ours)} MB/s, kubectl exec cat ${speed(large.peer)} MB/s, time ratio ${
      large.ratio.toFixed(2)
    }`,
  );
  report(
    `cluster, 1,000 files of 4 KiB: ${small.ours.toFixed(0)} ms, kubectl exec tar of them all ${
      small.peer.toFixed(0)
    } ms, ratio ${small.ratio.toFixed(2)}`,
  );
  report(
    `cluster, 1,000 files of 4 KiB: ${sshfs.ours.toFixed(0)} ms, sshfs through kubectl exec ${
      sshfs.peer.toFixed(0)
    } ms, ratio ${sshfs.ratio.toFixed(2)}`,
  );
  return { small: sshfs.ratio, large: large.ratio };
}

/** Runs a command with a file as its input. */
async function fed(path: string, [program = "", ...args]: string[]): Promise<void> {
  using file = await Deno.open(path);
  const child = new Deno.Command(program, { args, stdin: "piped" }).spawn();
  await file.readable.pipeTo(child.stdin);
  if (!(await child.status).success) throw new Error(`Cannot give "${path}" to "${program}"`);
}

try {
  const network = { incoming: { mode: "off" }, outgoing: false, dns: false };
  Deno.mkdirSync(mount);
  Deno.writeTextFileSync(config, JSON.stringify({ feature: { env: false, network, fs: "read" } }));
  const perFile = await questions();
  report(`questions to the agent for a file of 4 KiB: ${perFile}`);
  const pipe = await process();
  const { small, large } = await cluster() ?? pipe;
  const walked = await walks({ folder, mount, sftpServer });
  report(
    `files small_file_rtts=${perFile} small_1000_vs_sshfs=${small.toFixed(2)} seq_read_vs_link=${
      large.toFixed(2)
    } ${walked}`,
  );
} finally {
  Deno.removeSync(folder, { recursive: true });
}
Deno.exit(0);
