// Users of a cluster with fewer rights than the tests': a service account, a role with exactly the rights given, and a
// kubeconfig with its token. They live in a stage's namespace and go with it.

import type { ClusterStage } from "./cluster_stage.ts";

/** A rule of a Role (rbac.authorization.k8s.io/v1). */
export interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

/** Exactly the rights that the README asks for. */
export const allRules: Rule[] = [
  { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] },
  { apiGroups: [""], resources: ["pods/ephemeralcontainers"], verbs: ["patch"] },
  { apiGroups: [""], resources: ["pods/portforward"], verbs: ["create", "get"] },
  { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get"] },
  { apiGroups: ["apps"], resources: ["replicasets"], verbs: ["list"] },
];

/** The rights without `verb` on `resource`; all verbs of it unless one is given. */
export function rulesWithout(resource: string, verb?: string): Rule[] {
  return allRules.map((rule) =>
    rule.resources.includes(resource)
      ? { ...rule, verbs: verb === undefined ? [] : rule.verbs.filter((one) => one !== verb) }
      : rule
  ).filter(({ verbs }) => verbs.length > 0);
}

/** Writes the kubeconfig of a user with these rights to `file`. */
export async function writeUser(
  stage: ClusterStage,
  name: string,
  rules: Rule[],
  file: string,
): Promise<void> {
  const api = "rbac.authorization.k8s.io";
  const role = { kind: "Role", apiGroup: api, name };
  const subjects = [{ kind: "ServiceAccount", name, namespace: stage.namespace }];
  await stage.apply([
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } },
    { apiVersion: `${api}/v1`, kind: "Role", metadata: { name }, rules },
    { apiVersion: `${api}/v1`, kind: "RoleBinding", metadata: { name }, roleRef: role, subjects },
  ]);
  const token = (await stage.kubectl("create", "token", name)).trim();
  const view = await stage.kubectl("config", "view", "--raw", "--minify", "-o", "json");
  const { clusters } = JSON.parse(view) as { clusters: { name: string }[] };
  const [cluster] = clusters;
  await Deno.writeTextFile(
    file,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters,
      users: [{ name, user: { token } }],
      contexts: [{ name, context: { cluster: cluster?.name, user: name } }],
      "current-context": name,
    }),
  );
}
