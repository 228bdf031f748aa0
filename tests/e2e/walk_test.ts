// Every floor at once, for programs nobody here wrote: on a Python target and on an nginx one, side by side.

import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";
import { mirrors, steals, type WalkPlace, walkStage } from "../support/cases_walk.ts";
import { parents, walkers } from "../support/programs.ts";

/**
 * The two targets; each one's program calls the other's Service. Both programs run on this machine at once.
 */
const pairs = [
  { target: "app", container: "app", other: "web", port: 80 },
  { target: "web", container: "nginx", other: "app", port: 8081 },
];
let places: WalkPlace[] = [];

if (missingCluster === null) {
  Deno.test.beforeAll(async () => {
    places = await Promise.all(pairs.map(async ({ target, container, other, port }) => {
      return { stage: await ClusterStage.create(walkStage(target, container, other)), other, port };
    }));
  });
  Deno.test.afterAll(async () => {
    await Promise.all(places.map(({ stage }) => stage[Symbol.asyncDispose]()));
  });
}

/** On both targets at once for each program; those that start others take turns on one. */
const runs = [
  ...walkers.map((program) => ({ program, on: [0, 1] })),
  ...parents.map((program, index) => ({ program, on: [index % 2] })),
];

/** What each program must show, on every place at once. */
const shows = [
  { says: "takes the target's place and finds the pod's variable, names, network and file", show: steals },
  { says: "sees each mirrored request, which the target answers", show: mirrors },
];

for (const { program, on } of runs) {
  for (const { says, show } of shows) {
    Deno.test({
      name: `${program.name} ${says}` + (missingCluster === null ? "" : ` (skipped: ${missingCluster})`),
      ignore: missingCluster !== null,
      // The stages' processes live longer than one case.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        const chosen = places.filter((_, index) => on.includes(index));
        const ended = await Promise.allSettled(chosen.map((place) => show(place, program)));
        const failures = ended.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
        if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures);
      },
    });
  }
}
