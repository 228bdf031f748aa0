// Who a process of the target may be, and what the attack of target_process.py gets from the agent as each of
// them: what both tests of that actor expect, on this machine's kernel and in a pod.

import assert from "node:assert/strict";

/** What came of one attack: names of attempts. */
export interface Outcome {
  threads: number;
  succeeded: string[];
  failed: string[];
}

/** The script itself, which is read from standard input in a pod. */
export const script = Deno.readTextFileSync(new URL("./target_process.py", import.meta.url));

/**
 * Any root may write these files of any process (proc(5)). What a target changes by them costs nobody but
 * itself.
 */
const rootsFiles = ["write clear_refs", "write coredump_filter", "write oom_score_adj"];
const signals = ["kill", "pidfd_send_signal", "tgkill", "tkill"];
export interface Actor {
  name: string;
  /** Its user, its capabilities, and whether it becomes the agent's user first. */
  order: string[];
  /** All that succeeds. */
  gets: string[];
  /** What may succeed too: of a thread of the agent that has no capability beyond the target's. */
  mayGet?: string[];
}

/** What containerd and Docker give to root. */
const defaultCapabilities = "a80425fb";
/** Without CHOWN, KILL, SETGID, SETUID: nothing that is about other users. */
const fewCapabilities = "a8042412";

export const actors: Actor[] = [
  { name: "a user without capabilities", order: ["1000", "0"], gets: [] },
  { name: "a root without capabilities", order: ["0", "0"], gets: rootsFiles },
  { name: "a root that may not signal other users", order: ["0", fewCapabilities], gets: rootsFiles },
  // CAP_KILL is the right to signal any process: the agent's end or halt gives the port back.
  {
    name: "a root with a container's usual capabilities",
    order: ["0", defaultCapabilities],
    gets: [...rootsFiles, ...signals],
  },
  // CAP_SETUID is the right to be any user, who may limit what is that user's. Its memory is out of reach
  // still.
  {
    name: "a root that becomes the agent's user",
    order: ["0", defaultCapabilities, "other"],
    gets: [...rootsFiles, ...signals, "prlimit"],
    mayGet: ["ioprio_set", "sched_setaffinity", "sched_setscheduler", "setpriority"],
  },
];

/**
 * Compares what an actor got of the agent with what it gets of an ordinary process of its own, which is
 * everything but what is `forbidden` to everybody where it runs.
 */
export function judge(actor: Actor, own: Outcome, agents: Outcome, forbidden: string[] = []): void {
  const failed = own.failed.filter((one) => !forbidden.includes(one));
  assert.deepEqual(failed, [], `${actor.name} cannot attack an ordinary process`);
  assert.ok(own.succeeded.length > 30 && own.threads > 1);
  assert.ok(agents.threads > 1);
  const got = agents.succeeded.filter((one) => actor.mayGet?.includes(one) !== true);
  assert.deepEqual(got, [...actor.gets].sort(), actor.name);
}
