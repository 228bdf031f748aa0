// The same sources make the same program: built once more in another folder, at another time, with files of
// other times.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { buildBinary, embeddedFiles, platforms } from "../../scripts/build_binary.ts";
import { root } from "../../scripts/step.ts";

async function sumOf(path: string): Promise<string> {
  return createHash("sha256").update(await Deno.readFile(path)).digest("hex");
}

async function run(program: string, args: string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, cwd }).output();
  assert.ok(success, `${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

Deno.test({
  name: "two builds in two folders are the same bytes",
  // esbuild keeps its own process for the next build.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const platform = platforms[Deno.build.arch];
    const folder = await Deno.makeTempDir({ prefix: "mirrord-other-place." });
    try {
      await buildBinary(platform); // as it is in dist/, unless that is of other sources
      const copied = "git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t";
      await run("sh", ["-c", `${copied} "$0" 2>/dev/null || true`, folder], root);
      for (const path of embeddedFiles(platform)) await Deno.copyFile(root + path, `${folder}/${path}`);
      // Copied, since the bundler names a file by its real path.
      await run("cp", ["-a", `${root}node_modules`, "."], folder);
      const build = `import { buildBinary, platforms } from "./scripts/build_binary.ts";
await buildBinary(platforms["${Deno.build.arch}"]);
Deno.exit(0);`;
      await Deno.writeTextFile(`${folder}/again.ts`, build);
      await run(Deno.execPath(), ["run", "-A", "--no-check", "again.ts"], folder);
      const output = `dist/mirrord-${platform.name}`;
      assert.equal(await sumOf(`${folder}/${output}`), await sumOf(root + output));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
