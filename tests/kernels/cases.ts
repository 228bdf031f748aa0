// What runs on every kernel: test files of other suites with the names of their tests, so that each counts by
// itself and none can be left out unseen. Used by machine_tests.ts.

/** A test file and what of it runs. */
export interface Batch {
  file: string;
  tests: string[];
  /** Only on kernels before this one. */
  before?: readonly [number, number];
}

const families = ["ipv4", "ipv6"];

/** The agent against the real kernel, and sessions of the compiled program with a process as the target. */
export const batches: Batch[] = [
  {
    file: "tests/agent/ports_test.ts",
    tests: ["BPF and NET_ADMIN are all that stealing needs"],
  },
  {
    file: "tests/agent/locked_memory_test.ts",
    before: [5, 11],
    tests: [
      "where BPF maps count as locked memory, 64 KiB of it are enough to steal",
      "where BPF maps count as locked memory, a limit that is too low is named",
    ],
  },
  {
    file: "tests/agent/steal_test.ts",
    tests: [
      ...families.flatMap((family) => [
        `${family}: a stolen connection reaches the client with its real addresses`,
        `${family}: a refused connection is the original's, with every byte and the half-close`,
        `${family}: an original on a loopback address only is still reached from inside`,
      ]),
      "a port given back is the original's, and what was stolen goes on",
    ],
  },
  {
    file: "tests/agent/http_test.ts",
    tests: ["requests of one connection go where the filter says, each by itself"],
  },
  {
    file: "tests/agent/mirror_test.ts",
    tests: [
      ...families.map((family) =>
        `${family}: a mirrored connection reaches the client with its real addresses, the original answers`
      ),
      "what a filtered steal gives to the original is not mirrored a second time",
    ],
  },
  {
    file: "tests/agent/packets_test.ts",
    tests: families.map((family) =>
      `${family}: both ways of a connection are copied, each packet once, with its time`
    ),
  },
  {
    file: "tests/agent/mirror_limits_test.ts",
    tests: ["BPF and NET_RAW are all that mirroring needs, and kill -9 leaves nothing"],
  },
  {
    file: "tests/agent/env_test.ts",
    tests: [
      "the target's variables come as the globs say",
      "with no capability but a session's, another user's variables are read",
    ],
  },
  {
    file: "tests/agent/files_test.ts",
    tests: [
      "a small file comes whole, with its status, in one answer",
      "links and dots resolve in the target's root and never leave it",
      "what the target's user may not do is refused, and new files are its own",
    ],
  },
  {
    file: "tests/agent/outgoing_test.ts",
    tests: [
      ...families.map((family) =>
        `${family}: a connection comes from the target's address, with bytes and half-closes both ways`
      ),
      "datagrams keep size and boundaries, and nobody there is no end",
    ],
  },
  {
    file: "tests/program/process_steal_test.ts",
    tests: ["the local app answers the target's clients and sees their addresses"],
  },
  {
    file: "tests/program/process_filter_test.ts",
    tests: ["each request of a keep-alive connection goes where its header says"],
  },
  {
    file: "tests/program/process_mirror_test.ts",
    tests: ["without flags the original answers, the app sees every request and its client"],
  },
  {
    file: "tests/program/process_ends_test.ts",
    tests: [
      "kill -9 of the agent: the original answers at once, mirrord says so and ends with 74",
    ],
  },
];
