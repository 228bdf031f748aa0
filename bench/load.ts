// The benches' load program (load.c): compiled, run here or in a pod, its figure read. Called by tunnel.ts
// and filter.ts.

import { kubectlCommand } from "../tests/cluster/access.ts";
import { report } from "./measure.ts";

const root = decodeURIComponent(new URL("../", import.meta.url).pathname);

/** Compiles it; a static one runs in any pod. */
export async function compileLoad(folder: string, kind: "dynamic" | "static"): Promise<string> {
  const output = `${folder}/load-${kind}`;
  const flags = ["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O2", "-pthread"];
  const more = kind === "static" ? ["-static"] : [];
  await run(["gcc", ...flags, ...more, "-o", output, `${root}bench/load.c`]);
  return output;
}

/** Runs a command to its end; throws with what it said when it fails, and tells it otherwise. */
export async function run(
  [program = "", ...args]: string[],
  tell: (text: string) => void = () => {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  if (!success) {
    throw new Error(`Cannot run "${[program, ...args].join(" ")}": ${new TextDecoder().decode(stderr)}`);
  }
  const said = new TextDecoder().decode(stderr);
  if (said !== "") tell(said);
  return new TextDecoder().decode(stdout);
}

/** The number that a client of `argv` prints; what it says besides is shown. */
export async function figure(argv: string[]): Promise<number> {
  const said = await run(argv, (text) => report(`  ${argv.slice(-6).join(" ")}: ${text.trim()}`));
  const value = Number(said);
  if (!(value > 0)) throw new Error(`Cannot read "${argv.join(" ")}": ${said}`);
  return value;
}

/** A server that runs until it is disposed; ready when this resolves. */
export async function serve([program = "", ...args]: string[]): Promise<AsyncDisposable> {
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
  const reader = child.stderr.getReader();
  const { done } = await reader.read();
  if (done) throw new Error(`Cannot measure: "${program}" ended`);
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await reader.cancel();
      await child.status;
    },
  };
}

/** Copies `file` to `to` in a pod; returns the command line that runs it there. */
export async function copyToPod(namespace: string, pod: string, file: string, to: string): Promise<string[]> {
  const place = ["-n", namespace, "exec"];
  const put = await kubectlCommand([...place, "-i", pod, "--", "sh", "-c", `cat >${to} && chmod 755 ${to}`]);
  await run(["sh", "-c", 'file=$1; shift; exec "$@" <"$file"', "sh", file, ...put]);
  return await kubectlCommand([...place, pod, "--", to]);
}
