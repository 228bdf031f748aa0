// The case list that shows every floor at once, for each program of programs.ts: its answers take the
// target's place while the target's other port stays with the pod, it finds the pod's variable, names,
// network and file, and it sees every mirrored request while the pod goes on answering. Run on the cluster,
// on a target with a second container.

import assert from "node:assert/strict";
import { ask, many, untilBy } from "./client.ts";
import type { ClusterStage, ClusterStageOptions, KubeObject } from "./cluster_stage.ts";
import { deadline } from "./deadline.ts";
import { withSession } from "./postcondition.ts";
import { inFolder, type Program } from "./programs.ts";
import { SessionRun } from "./session_run.ts";

const sidePort = 8080;
const mirrored = 25;
const fileText = "a file of the pod\n";
const filePath = "/srv/pod/file.txt";

/**
 * What each stage needs: a second container that answers on port 8080, and a file in the target's container.
 */
export function walkStage(target: string, container: string, other: string): ClusterStageOptions {
  const files = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "pod" },
    data: { "file.txt": fileText },
  };
  return {
    target,
    path: `deployment/${target}/container/${container}`,
    others: [other],
    extra: [files],
    change(object: KubeObject): void {
      if (object.kind !== "Deployment" || object.metadata.name !== target) return;
      const { spec } = object.spec.template;
      spec.volumes = [{ name: "pod", configMap: { name: "pod" } }];
      spec.containers[0].volumeMounts = [{ name: "pod", mountPath: "/srv/pod" }];
      spec.containers.push({
        name: "side",
        image: "test.local/python:1",
        env: [{ name: "PORT", value: String(sidePort) }],
        ports: [{ name: "side", containerPort: sidePort }],
        readinessProbe: { periodSeconds: 1, tcpSocket: { port: "side" } },
      });
    },
  };
}

/** What a program tells under its path for walking. */
interface Walked {
  variable: string;
  addresses: string[];
  answer: string;
  content: string;
}

/** A stage, the name of another Service in its namespace, and the port on which programs listen here. */
export interface WalkPlace {
  stage: ClusterStage;
  other: string;
  port: number;
}

/** Runs the program with the target's port 80 as its own. */
function start({ stage, port }: WalkPlace, program: Program, mode: "steal" | "mirror", folder: string) {
  return async (): Promise<SessionRun> => {
    const incoming = { mode, port_mapping: port === 80 ? [] : [[port, 80]] };
    const config = { feature: { network: { incoming } } };
    return new SessionRun(stage, { ...await program.start(folder, String(port)), flags: [], config });
  };
}

/** The program's answers take the place of the target's, on that port alone, and it finds the pod's world. */
export async function steals(place: WalkPlace, program: Program): Promise<void> {
  const { stage } = place;
  const order = { host: stage.addresses.ipv4, port: sidePort };
  await inFolder(async (folder) => {
    await withSession(stage, start(place, program, "steal", folder), async (run) => {
      await untilBy(stage, program.by ?? "local");
      assert.equal((await ask(stage, order)).by, "original", "the pod's other port");
      await finds(place, program);
      run.interrupt();
    });
  });
}

/** The program, asked by a client of the target, tells what it finds of the pod: all of it is right. */
async function finds({ stage, other }: WalkPlace, program: Program): Promise<void> {
  const service = JSON.parse(await stage.kubectl("get", "service", other, "-o", "json")) as KubeObject;
  const query = new URLSearchParams({
    variable: "GREETING",
    name: other,
    url: `http://${other}/`,
    file: filePath,
  });
  const walked = await ask(stage, { path: `${program.walk ?? "/walk"}?${query}` }) as unknown as Walked;
  assert.equal(walked.variable, "from-the-pod", JSON.stringify(walked));
  // Some ask for IPv4 alone, some for both; none may see an address that is not the Service's.
  const addresses: string[] = service.spec.clusterIPs;
  assert.ok(
    walked.addresses.includes(addresses.find((one) => !one.includes(":")) ?? ""),
    JSON.stringify(walked),
  );
  const strange = walked.addresses.map(normal).filter((one) => !addresses.map(normal).includes(one));
  assert.deepEqual(strange, []);
  assert.ok(walked.answer.includes("original"), walked.answer);
  assert.equal(walked.content, fileText);
}

/** RFC 5952's form of an IPv6 address; Java writes all its groups. */
function normal(address: string): string {
  return address.includes(":") ? new URL(`http://[${address}]`).hostname : address;
}

/** The program mirrors: it sees each request once, and the pod answers all of them. */
export async function mirrors(place: WalkPlace, program: Program): Promise<void> {
  const { stage } = place;
  const seen = program.seen ?? "seen ";
  await inFolder(async (folder) => {
    let lines: string[] = [];
    await withSession(stage, start(place, program, "mirror", folder), async (run) => {
      await untilSeen(stage, run, seen);
      const counts = await many(stage, { count: mirrored, connections: 4, each: 5, path: "/mirrored-%d" });
      assert.deepEqual(counts.failures, []);
      assert.ok(Object.keys(counts.by).every((by) => by.includes("original")), JSON.stringify(counts.by));
      for (let number = 0; number < mirrored; number++) {
        await run.until(new RegExp(`${seen}/mirrored-${number}\\b`));
      }
      lines = run.said();
      run.interrupt();
    });
    const requests = lines.filter((line) => line.includes(`${seen}/mirrored-`));
    assert.equal(requests.length, mirrored, requests.join("\n"));
  });
}

/** Requests on and on until the program says that it saw one: from then on it must see all. */
async function untilSeen(stage: ClusterStage, run: SessionRun, seen: string): Promise<void> {
  let settled = false;
  const first = run.until(new RegExp(`${seen}/first\\b`)).finally(() => settled = true);
  const asking = async () => {
    while (!settled) assert.ok((await ask(stage, { path: "/first" })).by.includes("original"));
  };
  await deadline(Promise.all([first, asking()]), "the program sees a mirrored request");
}
