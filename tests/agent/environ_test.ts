// Variables of programs that write their title over them: nginx moves each where the kernel's array points,
// redis has the C library copy them. Both are real programs here, unmodified.

import assert from "node:assert/strict";
import { isIntact } from "../../agent/sys/environ.ts";
import { readEnvironment } from "../../agent/sys/proc.ts";
import { until } from "../cluster/command.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Why `program` cannot run here; null when it can. */
function missing(program: string): string | null {
  const found = new Deno.Command("which", { args: [program], stdout: "null" }).outputSync().success;
  return found ? null : `${program} is not installed`;
}

/**
 * Starts `argv`, waits until it has written over its environment, and compares what is found with what it
 * began with.
 */
async function findsVariables(argv: string[]): Promise<void> {
  const env = { GREETING: "hello", EMPTY: "", LONG: "x".repeat(9000), PATH: "/usr/sbin:/usr/bin:/bin" };
  const [program = "", ...args] = argv;
  const child = new Deno.Command(program, { args, clearEnv: true, env, stdin: "null", stdout: "null" })
    .spawn();
  try {
    await until("it writes its title", async () => {
      const shown = await Deno.readFile(`/proc/${child.pid}/environ`);
      return (shown.length > 0 && !isIntact(shown)) || `${shown.length} bytes`;
    }, 20);
    const found = new TextDecoder().decode(readEnvironment(child.pid)).split("\0").filter(Boolean);
    for (const [name, value] of Object.entries(env)) assert.ok(found.includes(`${name}=${value}`), name);
  } finally {
    child.kill("SIGTERM"); // nginx takes its worker with it
    await child.status;
  }
}

function testOf(program: string, argv: (folder: string) => string[]): void {
  const reason = missing(program);
  const name = `variables of ${program} are found though it wrote over them`;
  Deno.test({
    name: reason === null ? name : `${name} (skipped: ${reason})`,
    ignore: reason !== null,
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        await findsVariables(argv(folder));
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

testOf(
  "redis-server",
  (folder) => ["redis-server", "--port", "0", "--unixsocket", `${folder}/socket`, "--save", ""],
);
testOf("nginx", (folder) => {
  Deno.writeTextFileSync(
    `${folder}/nginx.conf`,
    `daemon off; pid ${folder}/pid; error_log stderr; events {}`,
  );
  return ["nginx", "-e", "stderr", "-c", `${folder}/nginx.conf`];
});

Deno.test("an environment is intact unless something without a name stands in it", () => {
  for (const good of ["", "A=1\0", "A=1\0B=\0", "A=1\0B=2"]) assert.ok(isIntact(bytes(good)), good);
  for (const bad of ["\0\0\0", "title\0\0\0A=1\0", "tle\0B=1\0", "A=1\0\0\0"]) {
    assert.ok(!isIntact(bytes(bad)), bad);
  }
});
