// Shells and the pod's files: redirections, loops and children of a script mean the pod's files, as if it ran
// there.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { ClusterStage, type KubeObject, missingCluster } from "../support/cluster_stage.ts";
import { SessionRun } from "../support/session_run.ts";

const incoming = { incoming: "off" };
const reading = { feature: { fs: "read", network: incoming } };
const writing = { feature: { fs: "write", network: incoming } };
const systemPath = "/usr/sbin:/usr/bin:/sbin:/bin";

function change(object: KubeObject): void {
  if (object.kind !== "Deployment") return;
  const { spec } = object.spec.template;
  spec.volumes = [{ name: "tree", emptyDir: {} }];
  spec.containers[0].volumeMounts = [{ name: "tree", mountPath: "/srv/tree" }];
}

/** A shell's own means of reading files; run by this machine's shell and by the pod's. */
const readingScript = `
cat /srv/tree/small
wc -c </srv/tree/small | tr -d ' '
while read -r line; do echo "line $line"; done </srv/tree/small
for one in /srv/tree/*; do echo "found $one"; done
for one in small none .; do test -f /srv/tree/$one; echo $?; test -d /srv/tree/$one; echo $?; done
cat /srv/tree/none 2>/dev/null; echo $?
text=$(cat /srv/tree/small); echo "$text for $GREETING"
cat <<END | tr a-z A-Z
$GREETING
END
exec 3</srv/tree/large; head -c 3 <&3 | od -An -tx1; exec 3<&-
sha256sum </srv/tree/large
(cat /srv/tree/small; cat /srv/tree/large) | sha256sum
`;

/** The same for writing; $1 is a folder. */
const writingScript = `
cd /
echo one >$1/out; echo two >>$1/out; cat $1/out
echo part >$1/over; printf 'over' 1<>$1/over; cat $1/over
{ echo a; echo b; } >$1/list; cat $1/list
: >$1/empty; wc -c <$1/empty | tr -d ' '
mkdir $1/x $1/x/y; mv $1/out $1/x/y/moved; ls $1; ls $1/x/y
rm -r $1/x; ls $1
set -C; (echo no >$1/list) 2>/dev/null || echo refused
`;

/** Children write what their shell has opened for them. */
const childrenScript = `
cd /
ls / >/dev/null; cat /srv/tree/small >$1/copy; cat $1/copy
seq 1 1000 | sort -n >$1/sorted; sha256sum <$1/sorted
cat /srv/tree/large | tee $1/teed | sha256sum; sha256sum <$1/teed
`;

async function sh(stage: ClusterStage, script: string, ...args: string[]): Promise<string> {
  return await stage.kubectl("exec", "deployment/app", "--", "sh", "-c", script, "sh", ...args);
}

async function here(stage: ClusterStage, config: unknown, app: string[]): Promise<string> {
  await using run = new SessionRun(stage, { app, flags: [], config });
  const { code, stdout, stderr } = await run.finished();
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return stdout;
}

function shell(script: string, ...args: string[]): string[] {
  return ["env", `PATH=${systemPath}`, "sh", "-c", script, "sh", ...args];
}

/** The script prints the same with a folder of its own here and in the pod. */
async function sameScript(stage: ClusterStage, script: string): Promise<void> {
  const folders = ["here", "there"].map((name) => `/srv/tree/.${name}-${crypto.randomUUID().slice(0, 4)}`);
  const [mine = "", other = ""] = folders;
  await sh(stage, `mkdir ${folders.join(" ")}`);
  assert.equal(await here(stage, writing, shell(script, mine)), await sh(stage, script, other));
}

const cases = [
  {
    name: "a shell's reading redirections are the pod's",
    async run(stage: ClusterStage) {
      const seen = await here(stage, reading, shell(readingScript));
      assert.equal(seen, await sh(stage, readingScript));
      assert.match(seen, /FROM-THE-POD/);
    },
  },
  {
    name: "a shell's writing redirections are the pod's",
    run: (stage: ClusterStage) => sameScript(stage, writingScript),
  },
  {
    name: "a shell's children write the pod's files that it opened for them",
    run: (stage: ClusterStage) => sameScript(stage, childrenScript),
  },
];

async function create(): Promise<ClusterStage> {
  const stage = await ClusterStage.create({ change });
  await sh(stage, "cd /srv/tree; printf 'first\\nsecond\\n' >small; head -c 5000000 /dev/urandom >large");
  return stage;
}

registerCases(cases, create, missingCluster);
