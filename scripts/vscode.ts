// The extension for VS Code: `deno run -A scripts/vscode.ts` writes editors/vscode/mirrord.schema.json, which
// is kept in git, and the folder build/vscode, which `code --extensionDevelopmentPath` takes. The schema is
// that of core/config/schema.ts; scripts/vscode_test.ts compares.

import { build, stop } from "esbuild";
import { schemaText } from "../core/config/schema.ts";
import { root } from "./step.ts";

const source = `${root}editors/vscode`;

/** The program, as the editor's Node loads it. */
export async function bundleExtension(file: string): Promise<void> {
  await build({
    entryPoints: [`${source}/src/entry.ts`],
    outfile: file,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    external: ["vscode"],
    logLevel: "error",
  });
  await stop(); // its own process
}

if (import.meta.main) {
  Deno.writeTextFileSync(`${source}/mirrord.schema.json`, schemaText());
  const folder = `${root}build/vscode`;
  await bundleExtension(`${folder}/dist/extension.js`);
  for (const name of ["package.json", "mirrord.schema.json", "README.md"]) {
    Deno.copyFileSync(`${source}/${name}`, `${folder}/${name}`);
  }
}
