// Users of a cluster with fewer rights than the tests': a service account, a role with exactly the rights
// given, and a kubeconfig with its token. They live in a stage's namespace and go with it.

import { parse } from "yaml";

/** Where a user is made: a namespace of the cluster, as a stage has one. */
interface UserPlace {
  readonly namespace: string;
  apply(objects: unknown[]): Promise<void>;
  kubectl(...args: string[]): Promise<string>;
}

/** A rule of a Role (rbac.authorization.k8s.io/v1). */
export interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

/**
 * The blocks of YAML in docs/rbac.md: the role, the rule for an agent that is sent, a binding, the optional
 * rights, the role without a target.
 */
const blocks = [
  ...Deno.readTextFileSync(new URL("../../docs/rbac.md", import.meta.url)).matchAll(/```yaml\n([^]*?)```/g),
].map(([, text = ""]) => parse(text) as { rules?: Rule[] });

/** Exactly the rights that docs/rbac.md asks for where the agent has an image of its own. */
export const allRules: Rule[] = blocks[0]?.rules ?? [];

/** And where it is sent. */
export const sentRules: Rule[] = [...allRules, ...blocks[1]?.rules ?? []];

/** The rights that it calls better, on top. */
export const betterRules: Rule[] = [...sentRules, ...blocks[3]?.rules ?? []];

/** The rights that it asks for without a target. */
export const targetlessRules: Rule[] = blocks[4]?.rules ?? [];

/** The rights of `rules` without `verb` on `resource`; all verbs of it unless one is given. */
export function rulesWithout(resource: string, verb?: string, rules: Rule[] = allRules): Rule[] {
  return rules.flatMap((rule) => {
    if (!rule.resources.includes(resource)) return [rule];
    const others = { ...rule, resources: rule.resources.filter((one) => one !== resource) };
    const left = {
      ...rule,
      resources: [resource],
      verbs: verb === undefined ? [] : rule.verbs.filter((one) => one !== verb),
    };
    return [others, left].filter(({ resources, verbs }) => resources.length > 0 && verbs.length > 0);
  });
}

/** Writes the kubeconfig of a user with these rights to `file`. */
export async function writeUser(
  stage: UserPlace,
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
    { mode: 0o600 },
  );
}

/** Does `work` with the kubeconfig of a new user who has these rights. */
export async function withUser<Result>(
  stage: UserPlace,
  rules: Rule[],
  work: (kubeconfig: string) => Promise<Result>,
): Promise<Result> {
  const file = await Deno.makeTempFile({ prefix: "mirrord-kubeconfig-" });
  try {
    await writeUser(stage, `user-${crypto.randomUUID().slice(0, 8)}`, rules, file);
    return await work(file);
  } finally {
    await Deno.remove(file);
  }
}
