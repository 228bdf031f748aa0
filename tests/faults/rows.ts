// Every fault that mirrord must survive or name, as the table of docs/reliability.md has them: what is done,
// what happens then, and where it is shown. A row without a test of its own is run by this folder's (row.ts),
// which fills in its figures.

export interface Row {
  id: string;
  fault: string;
  happens: string;
  /** The test that shows it, where that is no test of this folder. */
  shown?: string;
}

export const rows: Row[] = [
  {
    id: "1",
    fault: "mirrord is killed (SIGKILL)",
    happens: "app, agent and temporary files are gone; the original answers",
  },
  {
    id: "2a",
    fault: "the app is killed (SIGKILL)",
    happens: "mirrord ends with the app's code; the original answers",
  },
  {
    id: "2b",
    fault: "one of the app's two servers is killed",
    happens: "its port is the target's again; the other server goes on",
  },
  {
    id: "3a",
    fault: "the agent is killed (SIGKILL)",
    happens: "the original answers; mirrord names the end of the agent",
  },
  {
    id: "3b",
    fault: "the agent stands still for 40 s (SIGSTOP)",
    happens: "the original answers meanwhile; mirrord gives the session up; the agent ends when it goes on",
  },
  {
    id: "3c",
    fault: "the agent stands still for 5 s",
    happens: "the original answers meanwhile, then the app again",
  },
  {
    id: "4",
    fault: "the pod's memory is used up",
    happens: "the agent is the first to be killed; a pod that it could fill alone is refused",
    shown: "tests/attack/target_memory_cluster_test.ts",
  },
  {
    id: "5",
    fault: "the API server stops for 30 s",
    happens:
      "the session ends with a message; the original answers; the next session starts once the server is back",
  },
  {
    id: "6",
    fault: "the link is a black hole for 40 s",
    happens: "the original answers meanwhile; both sides give the session up",
  },
  {
    id: "7",
    fault: "the link is a black hole for 5 s",
    happens: "the original answers meanwhile, then the app again; it sees no request twice",
  },
  {
    id: "8a",
    fault: "mirrord stands still for 60 s (SIGSTOP, a laptop that sleeps)",
    happens: "the original answers meanwhile; the agent leaves; mirrord reports it when it continues",
  },
  {
    id: "8b",
    fault: "mirrord stands still for 5 s",
    happens: "the original answers meanwhile, then the app again",
  },
  {
    id: "9a",
    fault: "the target's pod is deleted",
    happens: "the session ends with a message; the pod's successor answers",
  },
  {
    id: "9b",
    fault: "the deployment is rolled out again",
    happens: "the session ends with a message; the new pod answers",
  },
  {
    id: "9c",
    fault: "the target's first process is killed",
    happens: "the session ends with a message; the container restarts and answers",
  },
  {
    id: "10a",
    fault: "the target's pod is evicted",
    happens:
      "the agent does not hold the eviction up; the session ends with a message; the successor answers",
  },
  {
    id: "10b",
    fault: "the target's node is drained",
    happens: "as for an eviction; the successor answers when a node takes it",
  },
  {
    id: "10c",
    fault: "the kubelet restarts",
    happens: "the session ends with a message; the original answers, its container is the same",
  },
  {
    id: "10d",
    fault: "containerd restarts",
    happens: "the session ends with a message; the original answers, its container is the same",
  },
  {
    id: "11",
    fault: "two sessions steal one port",
    happens: "one has it; the other's app gets EADDRINUSE, and mirrord prints whose session has it",
    shown: "tests/support/cases_ports.ts",
  },
  {
    id: "12",
    fault: "a session starts after one that was killed",
    happens: "there is nothing to find: program, maps and locks ended with their process",
  },
  {
    id: "13",
    fault: "the app's port is taken on this machine",
    happens: "the app listens elsewhere without noticing, and mirrord prints where",
    shown: "tests/support/cases_ports.ts",
  },
  {
    id: "14",
    fault: "the program is missing, not executable, a folder, for another machine",
    happens: "126 or 127 before mirrord asks the cluster for anything",
    shown: "tests/program/exit_codes_test.ts",
  },
  {
    id: "15",
    fault: "the program cannot be hooked, or the layer cannot be loaded",
    happens: "126 with the reason; the program does not run",
    shown: "tests/program/exit_codes_test.ts",
  },
  {
    id: "16",
    fault: "session and agent are of different releases",
    happens: "an older protocol is refused, and the message has both versions",
    shown: "tests/agent/door_test.ts",
  },
  {
    id: "17",
    fault: "10,000 pieces of nonsense at each door (10^6 with `./dev test fuzz`)",
    happens: "no crash, no growth, no wrong exit code",
    shown: "tests/fuzz/fuzz_test.ts",
  },
  {
    id: "18",
    fault: "a request comes in two parts, cut at every byte, or byte by byte",
    happens: "the filter decides as if it had come whole",
  },
  {
    id: "19a",
    fault: "clients and app reset or half-close connections",
    happens: "each end reaches the other side as it was",
    shown: "tests/program/process_reset_test.ts",
  },
  {
    id: "19b",
    fault: "a client reads nothing",
    happens: "it delays no other client, and receives everything in the end",
    shown: "tests/support/cases_ports.ts",
  },
  {
    id: "20",
    fault: "10,000 connections one after the other",
    happens: "each is answered; session and agent have no more descriptors than before",
  },
  {
    id: "21",
    fault: "the app of a mirror reads nothing",
    happens: "the original is not delayed; mirrord reports what the app missed",
    shown: "tests/support/cases_mirror.ts",
  },
  {
    id: "22",
    fault: "a right is missing, or Pod Security forbids the agent",
    happens: "77 with verb and resource, or the level; nothing is left",
    shown: "tests/e2e/rbac_test.ts",
  },
  {
    id: "23",
    fault: "secrets of the target",
    happens: "they reach the app and nothing else: no log, file or argument list",
    shown: "tests/e2e/secrets_test.ts",
  },
  {
    id: "24",
    fault: "the cluster's name server is gone for 100 requests",
    happens:
      "look-ups fail in the app as they do in the target; traffic continues; names work again when the server is back",
  },
  {
    id: "25a",
    fault: "this machine's disks are full",
    happens: "71 and the reason; nothing is left at the target",
  },
  {
    id: "25b",
    fault: "the target's disk is full",
    happens: "the app gets ENOSPC, as inside",
    shown: "tests/e2e/files_test.ts",
  },
  {
    id: "25c",
    fault: "everything is read by one byte: a file of the target, a stolen request, an answer from there",
    happens: "all bytes arrive, in order",
  },
  {
    id: "25d",
    fault: "Ctrl-C twice while the last bytes are delivered",
    happens: "mirrord gives up at once and names the peers",
    shown: "tests/program/last_bytes_test.ts",
  },
];
