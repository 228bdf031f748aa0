// What a user may get wrong and a cluster may refuse: a target or namespace that is not there, a Pod Security
// level, an image that cannot be had, no answer at all, a configuration that is broken. Each is one clear
// error with its code within ten seconds, and nothing remains. Rights have rbac_test.ts, names of targets
// targets_test.ts.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";
import { deadline } from "../support/deadline.ts";
import { allRules, betterRules, withUser } from "../support/kube_users.ts";
import { runMirrord } from "../support/program.ts";
import { refuses } from "../support/refusal.ts";
import { TextLineStream } from "../support/text_lines.ts";

const levels = ["baseline", "restricted"].map((level) => ({
  name: `a namespace of the Pod Security level ${level} is named`,
  run: async (stage: ClusterStage) => {
    const label = `pod-security.kubernetes.io/enforce=${level}`;
    await stage.label(label);
    await refuses(stage, { code: 77, said: [new RegExp(`PodSecurity level "${level}`), /privileged/] });
    await stage.label("pod-security.kubernetes.io/enforce-");
  },
}));

/** A registry that refuses at once: how long a cluster looks for one is not mirrord's. */
const noImage = "127.0.0.1:1/none:1";
/**
 * A user who may list events gets the reason at once; another when the kubelet looks at the pod again,
 * after ten seconds and more.
 */
const images = {
  name: "an agent's image that the node has not ends with 69 in good time, pulled or not",
  run: (stage: ClusterStage) =>
    withUser(stage, betterRules, async (kubeconfig) => {
      const refusal = (image_pull_policy: string) => ({
        code: 69,
        said: [/cannot get the image "127\.0\.0\.1:1\/none:1"/, /agent\.image/],
        agent: { image: noImage, image_pull_policy },
      });
      await refuses(stage, { ...refusal("IfNotPresent"), kubeconfig });
      await refuses(stage, { ...refusal("Never"), kubeconfig });
      await refuses(stage, { ...refusal("IfNotPresent"), within: 60 });
    }),
};

const limit = {
  name: "the limit that the user sets is kept, with the last that was seen",
  run: (stage: ClusterStage) =>
    refuses(stage, {
      code: 69,
      said: [/took longer than 2 s; last step: Adding the agent to .*/, /--agent-startup-timeout/],
      agent: { image: "test.local/none:2", startup_timeout: 2 },
      within: 6,
    }),
};

const noNamespace = {
  name: "a namespace that does not exist is called that",
  async run(stage: ClusterStage): Promise<void> {
    const at = (kubeconfig: string) => [
      ...["--kubeconfig", kubeconfig, "--target-namespace", "no-such-place", "--target", "deployment/app"],
    ];
    const said = [/Cannot target "deployment\/app": there is no namespace "no-such-place"/];
    await refuses(stage, { code: 69, said, targetFlags: at(stage.access.kubeconfig) });
    // A user whose rights end at the namespace cannot learn more than that.
    const forbidden = [/may not "get" the resource "deployments" in the namespace "no-such-place"/];
    await refuses(stage, { code: 77, said: forbidden, targetFlags: at(stage.kubeconfig) });
    const listed = await runMirrord(
      ["ls", "--kubeconfig", stage.access.kubeconfig, "--namespace", "no-such-place"],
      { prefix: stage.prefix },
    );
    assert.equal(listed.code, 69);
    assert.match(listed.stderr, /there is no namespace "no-such-place"/);
  },
};

/** A kubeconfig for `server`, for as long as `work` takes. */
async function withServer(server: string, work: (kubeconfig: string) => Promise<void>): Promise<void> {
  const file = await Deno.makeTempFile({ prefix: "mirrord-kubeconfig-" });
  const cluster = { name: "none", cluster: { server } };
  const context = { name: "none", context: { cluster: "none", user: "none" } };
  const users = [{ name: "none", user: { token: "none" } }];
  const kubeconfig = { clusters: [cluster], users, contexts: [context], "current-context": "none" };
  await Deno.writeTextFile(file, JSON.stringify({ apiVersion: "v1", kind: "Config", ...kubeconfig }));
  try {
    await work(file);
  } finally {
    await Deno.remove(file);
  }
}

/** Nobody listens there; nobody knows the name (RFC 2606). */
const servers: [server: string, said: RegExp][] = [
  ["https://127.0.0.1:1", /the cluster at "https:\/\/127\.0\.0\.1:1" .* refuses the connection/],
  ["https://none.invalid", /the cluster at "https:\/\/none\.invalid" .* has a name that cannot be resolved/],
];
const unreachable = servers.map(([server, said]) => ({
  name: `an API server at ${server} ends with 69 and is named`,
  run: (stage: ClusterStage) =>
    withServer(server, (kubeconfig) => refuses(stage, { code: 69, said: [said], kubeconfig })),
}));

const silence = [
  "import socket, sys",
  "listener = socket.create_server(('127.0.0.1', 0))",
  "print(listener.getsockname()[1], flush=True)",
  "sys.stdin.read()",
].join("\n");

const silent = {
  name: "an API server that never says a word ends with 69 in good time",
  async run(stage: ClusterStage): Promise<void> {
    const [program = "", ...args] = [...stage.prefix, "python3", "-c", silence];
    const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
    const reader = child.stdout.pipeThrough(new TextLineStream()).getReader();
    const { value: port } = await deadline(reader.read(), "the silent server listens");
    try {
      await withServer(
        `https://127.0.0.1:${port}`,
        (kubeconfig) => refuses(stage, { code: 69, said: [/does not answer/], kubeconfig }),
      );
    } finally {
      await child.stdin.close();
      await child.status;
      await reader.cancel();
    }
  },
};

registerCases(
  [...levels, ...unreachable, silent, noNamespace, images, limit],
  () => ClusterStage.create({ rules: allRules }),
  missingCluster,
);
