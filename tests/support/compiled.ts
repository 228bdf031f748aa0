// Programs that tests compile: each once, whatever test file needs it first. It is kept in build/ by its
// command and its sources, so a change of either makes it again.

import { contentKey, exists, run } from "../cluster/command.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

const made = new Map<string, Promise<string>>();

/** What a program is made of. */
export interface Sources {
  /** The compiler's command for an output path. */
  command(output: string): string[];
  /** All files that it reads; their content decides whether it is made again. */
  files: string[];
}

/** The program's path; its last part is `name`. */
export async function compiled(name: string, { command, files }: Sources): Promise<string> {
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(file)));
  const key = await contentKey([name, ...command(""), ...texts]);
  const output = `${root}build/programs/${key}/${name}`;
  const known = made.get(output) ?? compile(output, command);
  made.set(output, known);
  return await known;
}

async function compile(output: string, command: Sources["command"]): Promise<string> {
  if (await exists(output)) return output;
  await Deno.mkdir(output.replace(/\/[^/]*$/, ""), { recursive: true });
  const part = `${output}.${crypto.randomUUID()}`; // test files may run at the same time
  await run(command(part));
  await Deno.rename(part, output);
  return output;
}

/** The headers of a folder, for `files`. */
export function headersOf(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name }) => name.endsWith(".h") ? [`${folder}/${name}`] : [])
    .sort();
}
