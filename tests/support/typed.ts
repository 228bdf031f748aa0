// A program on a terminal at which is typed, by tests/apps/typed.py. For tests of shells and of questions.

const script = decodeURIComponent(new URL("../apps/typed.py", import.meta.url).pathname);

/** Once what was shown since the last text fits `pattern` (Python's), `text` is typed. */
export type Step = [pattern: string, text: string];

export interface Typed {
  code: number;
  /** All that the terminal showed. */
  shown: string;
}

/** Runs `argv` to its end with nothing in its environment but `env`. */
export async function typeAt(
  argv: string[],
  steps: Step[],
  options: { cwd: string; env: Record<string, string> },
): Promise<Typed> {
  const child = new Deno.Command("/usr/bin/python3", {
    args: [script, ...argv],
    ...options,
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(steps)));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, shown: (decoder.decode(stdout) + decoder.decode(stderr)).replaceAll("\r", "") };
}
