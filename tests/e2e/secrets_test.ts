// What must not be seen: the pod's secrets outside the app, the session's key, more rights than the session
// needs. And who must not be served: anybody but the session's own mirrord.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { readAnnouncement } from "../../protocol-wasm/mod.ts";
import { registerCases } from "../support/cases.ts";
import { ask } from "../support/client.ts";
import { ClusterStage, type KubeObject, missingCluster } from "../support/cluster_stage.ts";
import { withSession } from "../support/postcondition.ts";
import { SessionRun } from "../support/session_run.ts";

const canary = `canary-${crypto.randomUUID()}`;
const secret = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "canary" },
  stringData: { value: canary },
};

/** Where the app's container has the canary as a file: outside what is local by default. */
const canaryFile = "/srv/canary/value";

/** The app's container gets the canary out of the secret, as a variable and as a file. */
function addCanary(object: KubeObject): void {
  if (object.metadata.name !== "app" || object.kind !== "Deployment") return;
  const valueFrom = { secretKeyRef: { name: "canary", key: "value" } };
  const { spec } = object.spec.template;
  spec.containers[0].env.push({ name: "CANARY", valueFrom });
  spec.containers[0].volumeMounts = [{ name: "canary", mountPath: "/srv/canary" }];
  spec.volumes = [{ name: "canary", secret: { secretName: "canary" } }];
}

/** Says that it has both without saying what they are, then waits for its end. */
const reader = [
  "import os, sys, time",
  `same = open("${canaryFile}").read() == os.environ["CANARY"]`,
  "print('both are there:', same, len(os.environ['CANARY']), file=sys.stderr, flush=True)",
  "time.sleep(1000)",
].join("\n");

/**
 * Files below `folders` written since `start` (milliseconds) that hold the canary; sockets and the unreadable
 * are none.
 */
async function filesWithCanary(folders: string[], start: number): Promise<string[]> {
  const found: string[] = [];
  const look = async (folder: string): Promise<void> => {
    const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
    for (const { name, isDirectory, isFile } of entries) {
      const path = `${folder}/${name}`;
      if (isDirectory) await look(path);
      if (!isFile) continue;
      const { mtime, size } = await Deno.stat(path).catch(() => ({ mtime: null, size: 0 }));
      if (mtime === null || mtime.getTime() < start || size > 64 << 20) continue;
      const text = new TextDecoder("latin1").decode(await Deno.readFile(path).catch(() => new Uint8Array()));
      if (text.includes(canary)) found.push(path);
    }
  };
  for (const folder of folders) await look(folder);
  return found;
}

interface AgentSpec {
  name: string;
  args: string[];
  env?: unknown[];
  securityContext: { privileged: boolean; capabilities: { add?: string[]; drop: string[] } };
}

/** The spec of the one agent that has not ended. */
async function agentSpec(stage: ClusterStage): Promise<AgentSpec> {
  const pod = await stage.pod();
  const specs: AgentSpec[] = pod?.spec.ephemeralContainers ?? [];
  const statuses: { name: string; state: { terminated?: unknown } }[] =
    pod?.status.ephemeralContainerStatuses ?? [];
  const ended = statuses.filter(({ state }) => state.terminated !== undefined).map(({ name }) => name);
  const [spec, ...others] = specs.filter(({ name }) => !ended.includes(name));
  assert.ok(spec !== undefined && others.length === 0, "the pod has not one agent");
  return spec;
}

async function commandLines(): Promise<string> {
  const lines: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (/^\d+$/.test(name)) lines.push(await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => ""));
  }
  return lines.join("\n");
}

/** A configuration with these floors and no others. */
function only(floors: { env?: boolean; incoming?: string; outgoing?: boolean; dns?: boolean; fs?: string }) {
  const { env = false, incoming = "off", outgoing = false, dns = false, fs = "local" } = floors;
  return { feature: { env, fs, hostname: false, network: { incoming, outgoing, dns } } };
}

const filesNeed = ["DAC_OVERRIDE", "SETGID", "SYS_PTRACE"];
/** With any capability it starts as root, and becomes another user. */
const becomesAnother = ["SETUID"];
const withEnv = { feature: { network: { incoming: "steal" } } };

/** Where programs leave temporary files on this machine. */
const temporary = ["/tmp", "/var/tmp", "/dev/shm"];

const cases = [
  {
    name: "a secret variable and a secret file reach the app, and no log, temporary file or argument list",
    async run(stage: ClusterStage) {
      const start = Date.now();
      const config = { agent: { log_level: "debug" } };
      const options = {
        flags: [],
        config,
        app: ["python3", "-c", reader],
        env: { MIRRORD_LOG: "debug", MIRRORD_AGENT_RUST_LOG: "debug" },
      };
      await withSession(stage, () => Promise.resolve(new SessionRun(stage, options)), async (run) => {
        await run.until(new RegExp(`^both are there: True ${canary.length}$`));
        const { name } = await agentSpec(stage);
        const nowhere = async () => {
          assert.ok(!(await commandLines()).includes(canary), "it is in a command line");
          assert.deepEqual(await filesWithCanary([run.folder, ...temporary], start), []);
        };
        await nowhere();
        run.kill("SIGTERM");
        const { stdout, stderr } = await run.finished();
        await nowhere();
        assert.ok(!(stdout + stderr).includes(canary), "it is in mirrord's messages");
        assert.ok(!JSON.stringify(await stage.pod()).includes(canary), "it is in the pod's spec or status");
        await until("the agent's log can be read", async () => {
          const log = await stage.tryKubectl("logs", await stage.podName(), "--container", name);
          assert.ok(!log.stdout.includes(canary), "it is in the agent's log");
          return log.stdout.includes("ready on port") || log.stdout + log.stderr;
        }, 20);
      });
    },
  },
  {
    name: "a secret variable reaches the app and nothing else",
    run: (stage: ClusterStage) => {
      const start = () => SessionRun.listening(stage, { env: { MIRRORD_LOG: "debug" } });
      return withSession(stage, start, async (run) => {
        assert.equal((await ask(stage, { path: "/?env=CANARY" })).env["CANARY"], canary);
        assert.ok(!(await commandLines()).includes(canary), "it is in a command line");
        assert.ok(!JSON.stringify(await stage.pod()).includes(canary), "it is in the pod's spec or status");
        const { name } = await agentSpec(stage);
        run.kill("SIGTERM");
        const { stderr } = await run.finished();
        await until("the agent's log can be read", async () => {
          const log = await stage.tryKubectl("logs", await stage.podName(), "--container", name);
          assert.ok(!log.stdout.includes(canary), "it is in the agent's log");
          return log.stdout.includes("port 80 is stolen") || log.stdout + log.stderr;
        }, 20);
        assert.match(stderr, /environment variables of the target/);
        assert.ok(!stderr.includes(canary), "it is in mirrord's messages");
      });
    },
  },
  {
    name: "the agent's spec holds the public key and nothing else of its length",
    run: (stage: ClusterStage) =>
      withSession(stage, () => SessionRun.listening(stage), async () => {
        const { args, env } = await agentSpec(stage);
        const key = args[args.indexOf("--public-key") + 1] ?? "";
        assert.equal(atob(key).length, 32);
        const rest = JSON.stringify([...args.filter((arg) => arg !== key), env ?? []]);
        const containerIds = /"[0-9a-f]{64}"/g;
        assert.doesNotMatch(rest.replace(containerIds, ""), /[A-Za-z0-9+/_-]{40,}={0,2}/);
      }),
  },
  ...[
    { what: "variables only", config: only({ env: true }), add: ["SYS_PTRACE"], env: { PORT: "0" } },
    { what: "steal and variables", config: withEnv, add: ["BPF", "NET_ADMIN", ...filesNeed] },
    { what: "mirroring only", config: only({ incoming: "mirror" }), add: ["BPF", "NET_RAW"] },
    { what: "steal only", config: only({ incoming: "steal" }), add: ["BPF", "NET_ADMIN"] },
    { what: "outgoing connections only", config: only({ outgoing: true }), add: [], env: { PORT: "0" } },
    { what: "names only", config: only({ dns: true }), add: ["SYS_PTRACE"], env: { PORT: "0" } },
    { what: "files only", config: only({ fs: "read" }), add: filesNeed, env: { PORT: "0" } },
  ].map(({ what, config, add, env }) => ({
    name: `for ${what} the agent gets ${add.join(", ") || "no capability"}`,
    run: (stage: ClusterStage) => {
      const options = { flags: [], config, ...(env === undefined ? {} : { env }) };
      return withSession(stage, () => SessionRun.listening(stage, options), async () => {
        const { securityContext: { privileged, capabilities } } = await agentSpec(stage);
        assert.equal(privileged, false);
        assert.deepEqual(capabilities.drop, ["ALL"]);
        const all = add.length === 0 ? [] : [...add, ...becomesAnother];
        assert.deepEqual([...capabilities.add ?? []].sort(), all.sort());
      });
    },
  })),
  {
    name: "a process in the pod without the key is sent away, another pod reaches nothing",
    run: (stage: ClusterStage) =>
      withSession(stage, () => SessionRun.listening(stage), async () => {
        const { name, args } = await agentSpec(stage);
        assert.equal(args[args.indexOf("--listen") + 1], "0");
        const pod = await stage.podName();
        let port = "";
        // A session that attaches hears the agent before the kubelet shows its log.
        await until("the agent's log has its port", async () => {
          const log = await stage.kubectl("logs", pod, "--container", name).catch(String);
          const said = log.split("\n").map(readAnnouncement).find((one) => one !== null);
          port = String(said?.port ?? "");
          return port !== "" || log;
        });
        const intruder = [
          "import os, socket, sys",
          "s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 20)",
          "challenge = s.recv(4096)",
          "s.sendall(os.urandom(2048))",
          "said = b''",
          "try:",
          "    while more := s.recv(4096): said += more",
          "except ConnectionResetError: pass",
          "print('ended', len(challenge) > 0, len(said) < 512)",
        ].join("\n");
        const inPod = ["exec", await stage.podName(), "--", "python3", "-c", intruder];
        assert.equal(await stage.kubectl(...inPod, "127.0.0.1", port), "ended True True\n");
        const elsewhere = ["exec", "client", "--", "python3", "-c", intruder];
        await assert.rejects(stage.kubectl(...elsewhere, stage.addresses.ipv4, port), /Connection refused/);
        assert.equal((await ask(stage)).by, "local");
      }),
  },
];

registerCases(
  cases,
  () => ClusterStage.create({ change: addCanary, extra: [secret] }),
  missingCluster,
);
