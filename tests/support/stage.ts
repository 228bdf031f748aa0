// Where an end-to-end test plays: a target that answers by itself, its clients, and how mirrord learns of
// it. Two stages have this shape, a pod (cluster_stage.ts) and a process (process_stage.ts), so that one case
// runs on both. The invariant: a stage knows what was there before mirrord came, and can say what is there
// beyond it.

/** One order; `do` names the function of client.py. */
export type Order = { do: string; host: string; port?: number } & Record<string, unknown>;

export interface Stage extends AsyncDisposable {
  kind: "pod" | "process";
  /** Flags of `mirrord exec` that name the target. */
  targetFlags: string[];
  /** Puts mirrord where it reaches the target. */
  prefix: string[];
  /** Where clients find the target, in both families; where there is only one, the other is "". */
  hosts: { ipv4: string; ipv6: string };
  /** The target's own addresses, where all of its ports are. */
  addresses: { ipv4: string; ipv6: string };
  /** The clients' own addresses, as the target must see them. */
  clients: { ipv4: string; ipv6: string };
  /** Does one order of tests/apps/client.py among the clients. */
  ask(order: Order): Promise<unknown>;
  /** Changes when the target was restarted or replaced. */
  identity(): Promise<string>;
  /** What of mirrord is at the target: running agents, listeners, locks, BPF links. */
  remains(): Promise<string[]>;
  /** Process numbers of the agents at the target, on this machine. */
  agents(): Promise<number[]>;
}
