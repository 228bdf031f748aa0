// Programs run twice, on a tree of this machine without the layer, and with it on a fake target's tree that
// this machine has not: what they print must be the same. Used by tests/layer.

import assert from "node:assert/strict";
import { deadline } from "./deadline.ts";
import { FakeFiles } from "./fake_files.ts";
import { FakeSession } from "./fake_session.ts";
import { builtLayer } from "./layer_app.ts";

/** Where they start. */
const apps = decodeURIComponent(new URL("../apps", import.meta.url).pathname);

export function missing(program: string): boolean {
  return new Deno.Command("which", { args: [program], stdout: "null" }).outputSync().code !== 0;
}

interface Outcome {
  code: number;
  text: string;
  errors: string;
}

/** Runs a program to its end. */
export async function run(argv: string[], env: Record<string, string>): Promise<Outcome> {
  const [program, ...args] = argv;
  assert.ok(program !== undefined);
  const child = new Deno.Command(program, {
    args,
    env,
    cwd: apps,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  })
    .spawn();
  try {
    const { code, stdout, stderr } = await deadline(child.output(), `${argv.join(" ")} ends`);
    const decoder = new TextDecoder();
    return { code, text: decoder.decode(stdout), errors: decoder.decode(stderr) };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

/** Runs `argv(root)` on a tree here and on one of a fake target; the files of the latter. */
export async function same(
  argv: (root: string) => string[],
  check?: (files: FakeFiles) => void,
): Promise<void> {
  await using here = new FakeFiles();
  await using files = new FakeFiles();
  for (const tree of [here, files]) tree.fill();
  await using session = new FakeSession({ files });
  const native = await run(argv(here.root), {});
  const under = await run(argv("/pod"), session.env(builtLayer));
  assert.equal(under.text, native.text.replaceAll(here.root, "/pod"), under.errors);
  assert.equal(under.errors, native.errors.replaceAll(here.root, "/pod"));
  assert.equal(under.code, native.code);
  assert.ok(files.asked.length > 0, "nothing was asked");
  check?.(files);
  await deadline(files.closed(), "every file is closed");
}
