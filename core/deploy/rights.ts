// What the agent's ephemeral container may: no more than the configuration needs, and so that the target's
// processes may do nothing to it. Called by ephemeral.ts. docs/rbac.md says the same for people.

import type { V1EphemeralContainer } from "../kube/client.ts";
import type { DeployNeeds } from "./order.ts";

/**
 * Users among which the agent's is chosen, as in scripts/entry.c: mapped where a container maps 65,536 of
 * them.
 */
const firstUser = 20_000;
const users = 40_000;

/**
 * What each feature needs: steal loads a program and attaches it to the network, mirror loads one for a
 * packet socket of its own, env and dns read another user's /proc entry. files opens the target's root and
 * takes its user; the rest is what root in a container may do with files, of which a file thread keeps what
 * the target's process has. An agent with any of them starts as root, since Kubernetes gives them to no other
 * user, and needs SETUID to become a user of its own.
 */
export function capabilitiesFor({ steal, mirror = false, env, dns = false, files }: DeployNeeds): string[] {
  const writing = files === "write" ? ["CHOWN", "FOWNER", "FSETID", "MKNOD"] : [];
  const needed = [
    ...(steal || mirror ? ["BPF"] : []),
    ...(steal ? ["NET_ADMIN"] : []),
    ...(mirror ? ["NET_RAW"] : []),
    ...(env || dns || files !== undefined ? ["SYS_PTRACE"] : []),
    ...(files === undefined ? [] : ["SETGID", "DAC_OVERRIDE", ...writing]),
  ];
  return needed.length === 0 ? [] : [...needed, "SETUID"];
}

/**
 * Never privileged; the runtime's default profile, since a stricter or none of the pod's would be inherited
 * otherwise. A sent agent is written into its container's root, which no other container sees.
 */
export function securityContextFor(
  needs: DeployNeeds,
  sent = false,
): NonNullable<V1EphemeralContainer["securityContext"]> {
  const capabilities = capabilitiesFor(needs);
  const user = capabilities.length === 0 ? unusedUser() : 0;
  return {
    privileged: false,
    allowPrivilegeEscalation: false,
    runAsUser: user,
    runAsGroup: user,
    runAsNonRoot: user !== 0,
    readOnlyRootFilesystem: !sent,
    capabilities: { drop: ["ALL"], ...(capabilities.length === 0 ? {} : { add: capabilities }) },
    seccompProfile: { type: "RuntimeDefault" },
  };
}

/** One that no other process of the pod has, but by chance. */
function unusedUser(): number {
  const [value = 0] = crypto.getRandomValues(new Uint32Array(1));
  return firstUser + value % users;
}
