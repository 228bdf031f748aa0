// The extension for VS Code, by `./dev vscode`: writes editors/vscode/mirrord.schema.json, which is kept in
// git, and dist/mirrord-vscode-VERSION.vsix, which VS Code installs. The schema is that of
// core/config/schema.ts; scripts/vscode_test.ts compares. Same sources, same bytes.

import { build, stop } from "esbuild";
import { origin } from "../cmd/origin.ts";
import { schemaText } from "../core/config/schema.ts";
import { root, say } from "./step.ts";
import { vsix } from "./vsix.ts";

const source = `${root}editors/vscode`;

/** What the extension offers to run where mirrord is missing: nothing, while no release is published. */
const { downloadBase } = origin();
const installLine = /\.example(\/|$)/.test(downloadBase)
  ? ""
  : `curl -fsSL ${downloadBase}/latest/install.sh | sh`;

/** The program, as the editor's Node loads it. */
export async function bundleExtension(file: string): Promise<void> {
  await build({
    absWorkingDir: root, // names of files are in the program, as seen from there
    entryPoints: [`${source}/src/entry.ts`],
    outfile: file,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    external: ["vscode"],
    define: { installLine: JSON.stringify(installLine) },
    logLevel: "error",
  });
  await stop(); // its own process
}

/** The package: name and bytes of the file. */
export async function packageExtension(): Promise<[name: string, bytes: Uint8Array]> {
  const program = `${root}build/vscode/extension.js`;
  await bundleExtension(program);
  const manifest = JSON.parse(Deno.readTextFileSync(`${source}/package.json`));
  const files = new Map([
    ["package.json", `${source}/package.json`],
    ["README.md", `${source}/README.md`],
    ["mirrord.schema.json", `${source}/mirrord.schema.json`],
    ["LICENSE.txt", `${root}LICENSE`],
    ["dist/extension.js", program],
  ]);
  const contents = [...files].map(([name, path]): [string, Uint8Array] => [name, Deno.readFileSync(path)]);
  return [`mirrord-vscode-${manifest.version}.vsix`, vsix(manifest, new Map(contents))];
}

if (import.meta.main) {
  Deno.writeTextFileSync(`${source}/mirrord.schema.json`, schemaText());
  const [name, bytes] = await packageExtension();
  Deno.mkdirSync(`${root}dist`, { recursive: true });
  Deno.writeFileSync(`${root}dist/${name}`, bytes);
  say(
    `dist/${name}  ${(bytes.length / 1e3).toFixed(1)} kB. Install it: code --install-extension dist/${name}`,
  );
}
