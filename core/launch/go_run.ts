// `go run` and `go test`: the developer means the program that they build; the tool itself is no part of the
// session. Called by cmd/exec.ts before anything is deployed: a program without cgo is static, so it would
// not load the layer, and no hook would report it, since Go starts it past every hook.

import { exitCodes, MirrordError } from "../base/errors.ts";
import { baseName } from "./skip.ts";

/** Flags of `go run` and `go test` whose value is the next word (go help build, go help testflag). */
const withValue = new Set(
  ("C p asmflags buildmode compiler gccgoflags gcflags installsuffix ldflags mod modfile overlay pgo pkgdir tags toolexec exec " +
    "o bench benchtime blockprofile count coverpkg covermode coverprofile cpu cpuprofile fuzz fuzztime list memprofile " +
    "mutexprofile outputdir parallel run shuffle skip timeout trace vet").split(" "),
);
/** Flags that change which packages are meant, or how they are built. */
const ofBuild = new Set(["C", "mod", "modfile", "overlay", "tags"]);

/**
 * Refuses `go run …` and `go test …` of programs that would be static; everything else passes, also when Go
 * cannot answer. env: variables that Go gets in addition to mirrord's own.
 */
export async function checkGoRun(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<void> {
  const ask = (words: string[]): Promise<string | null> => answerOf(program, words, env);
  const [verb = "", ...words] = args;
  if (baseName(program) !== "go" || (verb !== "run" && verb !== "test")) return;
  if (await ask(["env", "CGO_ENABLED"]) === "0") {
    const help = "Set CGO_ENABLED=1, and install a C compiler if there is none: without one Go assumes 0.";
    throw refused(verb, "CGO_ENABLED is 0", help);
  }
  const { flags, packages } = split(verb, words);
  const list = ["list", ...flags, "-deps", ...(verb === "test" ? ["-test"] : [])];
  const found = await ask([...list, "-f", "{{.ImportPath}}", "--", ...packages]);
  if (found === null || found.split("\n").includes("runtime/cgo")) return;
  const help =
    'Add `import _ "runtime/cgo"` to it. Packages such as net and os/user bring cgo in by themselves.';
  throw refused(verb, "no package of it uses cgo", help);
}

function refused(verb: string, state: string, help: string): MirrordError {
  return new MirrordError(
    `Cannot run "go ${verb}": ${state}, so the program that it builds is static and would run outside the pod`,
    { exitCode: exitCodes.notExecutable, help },
  );
}

/**
 * The flags that `go list` needs too, and what is to be built: files that end with .go, or one package of
 * `run`.
 */
function split(verb: string, words: string[]): { flags: string[]; packages: string[] } {
  const flags: string[] = [];
  let at = 0;
  for (; words[at]?.startsWith("-") === true && words[at] !== "-args"; at++) {
    const [name = "", value] = (words[at] ?? "").replace(/^--?/, "").split("=", 2);
    const next = value === undefined && withValue.has(name) ? words[++at] : value;
    if (ofBuild.has(name)) flags.push(`-${name}=${next ?? ""}`);
  }
  const rest = words.slice(at);
  const files = rest.findIndex((word) => !word.endsWith(".go"));
  if (rest[0]?.endsWith(".go") === true) {
    return { flags, packages: rest.slice(0, files < 0 ? undefined : files) };
  }
  const end = rest.findIndex((word) => word.startsWith("-"));
  return { flags, packages: verb === "run" ? rest.slice(0, 1) : rest.slice(0, end < 0 ? undefined : end) };
}

/** What Go answers; null when it fails: it will report why when it is run. */
async function answerOf(go: string, args: string[], env: Record<string, string>): Promise<string | null> {
  const command = new Deno.Command(go, { args, env, stdin: "null", stdout: "piped", stderr: "null" });
  const { success, stdout } = await command.output();
  return success ? new TextDecoder().decode(stdout).trim() : null;
}
