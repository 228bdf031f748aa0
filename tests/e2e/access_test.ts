// Ways into a cluster, each from the compiled binary: client certificates, tokens, token files, exec plugins,
// a pod's own account, lists in KUBECONFIG, contexts and namespaces. `ls` asks as `exec` does.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";
import { allRules, betterRules, withUser } from "../support/kube_users.ts";
import { runMirrord } from "../support/program.ts";

interface Named {
  name: string;
}

/** A kubeconfig of one context, in JSON. */
interface Kubeconfig {
  clusters: (Named & { cluster: { server: string; "certificate-authority-data"?: string } })[];
  users: (Named & { user: Record<string, unknown> })[];
  contexts: (Named & { context: Record<string, unknown> })[];
  "current-context"?: string;
}

/** What a case gets: the stage, a user's kubeconfig (token), and a directory of its own. */
interface Place {
  stage: ClusterStage;
  own: Kubeconfig;
  token: string;
  folder: string;
}

interface Way {
  name: string;
  /** Flags and variables with which mirrord gets in. */
  enter(place: Place): Promise<{ flags?: string[]; env?: Record<string, string>; prefix?: string[] }>;
}

async function write(folder: string, name: string, content: unknown, mode = 0o600): Promise<string> {
  const file = `${folder}/${name}`;
  await Deno.writeTextFile(file, typeof content === "string" ? content : JSON.stringify(content), { mode });
  return file;
}

const withUserBody = (own: Kubeconfig, user: Record<string, unknown>): Kubeconfig => ({
  ...own,
  users: own.users.map(({ name }) => ({ name, user })),
});

/** The test cluster's administrator, who has a client certificate. */
async function administrator(stage: ClusterStage): Promise<Kubeconfig> {
  return JSON.parse(
    await stage.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"),
  ) as Kubeconfig;
}

const ways: Way[] = [
  {
    name: "a token",
    enter: async ({ own, folder }) => ({ flags: ["--kubeconfig", await write(folder, "config", own)] }),
  },
  {
    name: "a token file beside the kubeconfig",
    async enter({ own, token, folder }) {
      await write(folder, "token", `${token}\n`);
      const file = await write(folder, "config", withUserBody(own, { tokenFile: "token" }));
      return { flags: ["--kubeconfig", file] };
    },
  },
  {
    name: "a client certificate in the kubeconfig",
    async enter({ stage, folder }) {
      const config = await administrator(stage);
      assert.ok(config.users[0]?.user["client-certificate-data"] !== undefined, "it holds no certificate");
      return { flags: ["--kubeconfig", await write(folder, "config", config)] };
    },
  },
  {
    name: "a client certificate in files beside the kubeconfig",
    async enter({ stage, folder }) {
      const config = await administrator(stage);
      const user = config.users[0]?.user ?? {};
      for (const key of ["client-certificate", "client-key"]) {
        await write(folder, `${key}.pem`, atob(String(user[`${key}-data`])));
      }
      const paths = { "client-certificate": "client-certificate.pem", "client-key": "./client-key.pem" };
      const file = await write(folder, "config", withUserBody(config, paths));
      return { flags: ["--kubeconfig", file] };
    },
  },
  {
    name: "a certificate that is not checked, by flag,",
    async enter({ own, folder }) {
      const clusters = own.clusters.map(({ name, cluster }) => ({
        name,
        cluster: { server: cluster.server },
      }));
      const file = await write(folder, "config", { ...own, clusters });
      return { flags: ["--kubeconfig", file, "--accept-invalid-certificates"] };
    },
  },
  {
    name: "an exec plugin beside the kubeconfig",
    async enter({ own, token, folder }) {
      const apiVersion = "client.authentication.k8s.io/v1";
      const answer = { apiVersion, kind: "ExecCredential", status: { token } };
      const script = `#!/bin/sh\n[ "$1 $WHO" = "get-token me" ] && cat <<'END'\n${
        JSON.stringify(answer)
      }\nEND\n`;
      await write(folder, "plugin", script, 0o700);
      const exec = {
        apiVersion,
        command: "./plugin",
        args: ["get-token"],
        env: [{ name: "WHO", value: "me" }],
        interactiveMode: "Never",
      };
      return { flags: ["--kubeconfig", await write(folder, "config", withUserBody(own, { exec }))] };
    },
  },
  {
    name: "a list in KUBECONFIG, with --context",
    async enter({ own, folder }) {
      const { clusters, users, contexts } = own;
      const first = await write(folder, "first", { clusters, contexts: [] });
      const second = await write(folder, "second", { users, contexts, "current-context": "none" });
      const list = [first, `${folder}/not-there`, second].join(":");
      return { flags: ["--context", own["current-context"] ?? ""], env: { KUBECONFIG: list } };
    },
  },
  {
    name: "the usual kubeconfig in the home directory",
    async enter({ own, folder }) {
      await Deno.mkdir(`${folder}/.kube`);
      await write(folder, ".kube/config", own);
      return { env: { HOME: folder } };
    },
  },
  {
    name: "a pod's own account",
    async enter({ own, token, folder }) {
      const cluster = own.clusters[0]?.cluster;
      const { hostname, port } = new URL(cluster?.server ?? "");
      await write(folder, "token", token);
      await write(folder, "ca.crt", atob(cluster?.["certificate-authority-data"] ?? ""));
      await write(folder, "namespace", "somewhere");
      // In a mount namespace of its own the files lie where every pod has them.
      const place = "/run/secrets/kubernetes.io/serviceaccount";
      const script = `mount -t tmpfs none /run && mkdir -p ${place} && cp ${folder}/* ${place} && exec "$@"`;
      return {
        env: { HOME: folder, KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
        prefix: ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", `PATH=/usr/bin:/bin; ${script}`, "sh"],
      };
    },
  },
];

/** `mirrord ls` in the stage's namespace finds its deployment, however it is told which namespace that is. */
function lists(way: Way) {
  return {
    name: `${way.name} gets in`,
    run: (stage: ClusterStage) =>
      withUser(stage, betterRules, async (kubeconfig) => {
        const folder = await Deno.makeTempDir({ prefix: "mirrord-access-" });
        try {
          const own = JSON.parse(await Deno.readTextFile(kubeconfig)) as Kubeconfig;
          const token = String(own.users[0]?.user["token"]);
          const { flags = [], env = {}, prefix = [] } = await way.enter({ stage, own, token, folder });
          const { code, stdout, stderr } = await runMirrord(
            [
              "ls",
              ...flags,
              "--namespace",
              stage.namespace,
              "--output",
              "json",
              "--target-type",
              "deployment",
            ],
            { prefix: [...stage.prefix, ...prefix], env: { HOME: "/nonexistent", ...env } },
          );
          assert.equal(code, 0, stderr);
          assert.equal(stdout, '["deployment/app"]\n');
          assert.ok(!stderr.includes(token), "a message shows the token");
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      }),
  };
}

const namespaces = {
  name: "the namespace is the flag's, otherwise the configuration's, otherwise the context's",
  run: (stage: ClusterStage) =>
    withUser(stage, betterRules, async (kubeconfig) => {
      const folder = await Deno.makeTempDir({ prefix: "mirrord-access-" });
      try {
        const own = JSON.parse(await Deno.readTextFile(kubeconfig)) as Kubeconfig;
        const inContext = (namespace: string) => ({
          ...own,
          contexts: own.contexts.map(({ name, context }) => ({ name, context: { ...context, namespace } })),
        });
        const right = await write(folder, "right", inContext(stage.namespace));
        const wrong = await write(folder, "wrong", inContext("kube-system"));
        const config = await write(folder, "m.json", { target: { namespace: stage.namespace } });
        for (
          const flags of [
            ["--kubeconfig", right],
            ["--kubeconfig", wrong, "-f", config],
            ["--kubeconfig", wrong, "-n", stage.namespace],
          ]
        ) {
          const { stdout, stderr } = await runMirrord(["ls", ...flags], { prefix: stage.prefix });
          assert.match(stdout, /^deployment\/app$/m, stderr);
        }
        const { code, stderr } = await runMirrord(["ls", "--kubeconfig", wrong], { prefix: stage.prefix });
        assert.equal(code, 77, stderr);
        assert.match(stderr, /in the namespace "kube-system"/);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    }),
};

registerCases(
  [...ways.map(lists), namespaces],
  () => ClusterStage.create({ rules: allRules }),
  missingCluster,
);
