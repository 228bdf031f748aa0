// Inits and other programs that only start another one.

import assert from "node:assert/strict";
import { launchedBy } from "./launchers.ts";

Deno.test("inits and programs that change the user are seen through", () => {
  const cases: Record<string, string | null> = {
    "tini -- node app.js": "node app.js",
    "/sbin/tini -g -e 143 node app.js": "node app.js",
    "/tini-static node": "node",
    "dumb-init --rewrite 15:3 -v -- sh -c x": "sh -c x",
    "catatonit -- java": "java",
    "/run/podman-init -- java": "java",
    "/dev/init -- java": "java",
    "gosu app:app python3 x.py": "python3 x.py",
    "su-exec 1000 redis-server": "redis-server",
    "docker-entrypoint.sh tini": null,
    "python3 -m tini": null,
    "/app/init -- java": null,
    "tini --version": null,
  };
  for (const [words, wanted] of Object.entries(cases)) {
    assert.equal(launchedBy(words.split(" "))?.join(" ") ?? null, wanted, words);
  }
});
