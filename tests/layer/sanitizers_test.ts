// The whole layer under gcc's AddressSanitizer and UndefinedBehaviorSanitizer: built once more, preloaded
// behind the runtime of the former, and run through every hook's case. Any report ends the program, and so
// fails the case. The files through which dlsym(3) goes are under the latter alone: the runtime calls them
// before its memory map exists. What starts a thread on the smallest stacks is no case here: gcc's frames
// with red zones are larger.

import assert from "node:assert/strict";
import { layerFlags, layerSources } from "../../scripts/build_layer.ts";
import { root } from "../../scripts/step.ts";
import { hookCases } from "./hook_cases.ts";

const flags = [
  ...layerFlags.filter((flag) => flag !== "-Werror"),
  "-w", // warnings are the layer's build's; sanitizers bring false ones
  "-g",
  "-O1",
  "-foptimize-sibling-calls", // TAIL in symbols_linux.c is clang's attribute
  "-fno-sanitize-recover=all",
];
const early = /preload\/(symbols|images|objects|libc_table|own_calls)_(linux|glibc)\.c$/;

/** The options of the runtimes; leaks are looked for by tracing, which is not allowed everywhere. */
const settings = { ASAN_OPTIONS: "detect_leaks=0", UBSAN_OPTIONS: "print_stacktrace=1" };
/** The same in the library, for programs that are started with nothing but the layer in their environment. */
const builtIn = `__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
	return "detect_leaks=0:verify_asan_link_order=0";
}
`;

/** Cases that run at a time. */
const sideBySide = 4;

async function gcc(args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("gcc", { args, cwd: root }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

async function compile(source: string, object: string, more: string[] = []): Promise<void> {
  const sanitizers = early.test(source)
    ? ["-fsanitize=undefined", "-fno-builtin", "-include", "tests/apps/plain_strings.h"]
    : ["-fsanitize=address,undefined"];
  await gcc([...flags, ...sanitizers, ...more, "-c", "-o", object, source]);
}

/** Works on all of them, several at a time. */
async function each<One>(
  all: Iterable<One>,
  count: number,
  work: (one: One) => Promise<void>,
): Promise<void> {
  const waiting = [...all];
  const worker = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: count }, worker));
}

/** The layer, built into a folder; a file of it may be exchanged for another. */
class SanitizedLayer implements AsyncDisposable {
  readonly #folder = Deno.makeTempDirSync({ prefix: "mirrord-sanitizers-test." });

  #object(source: string): string {
    return `${this.#folder}/${source.replaceAll("/", "_")}.o`;
  }

  async build(): Promise<void> {
    await each(
      layerSources(),
      navigator.hardwareConcurrency,
      (source) => compile(source, this.#object(source)),
    );
    const options = `${this.#folder}/options.c`;
    await Deno.writeTextFile(options, builtIn);
    await compile(options, this.#object("options.c"));
  }

  /** What goes into LD_PRELOAD: the runtime, whose calls lead on to those behind it, and the layer. */
  async link(exchanged?: { source: string; object: string }): Promise<string> {
    const library = `${this.#folder}/layer${exchanged === undefined ? "" : "_planted"}.so`;
    const objects = ["options.c", ...layerSources()].map((source) =>
      source === exchanged?.source ? exchanged.object : this.#object(source)
    );
    const named = "-Wl,-soname=mirrord_layer.so,-e,layer_entry";
    await gcc(["-shared", "-fsanitize=address,undefined", named, "-o", library, ...objects, "-ldl"]);
    const runtime = await gcc(["-print-file-name=libasan.so"]);
    return `${await Deno.realPath(runtime)} ${library}`;
  }

  /** The same with `before` replaced by `after` in one of its files. */
  async plant(source: string, before: string, after: string): Promise<string> {
    const text = await Deno.readTextFile(root + source);
    assert.equal(text.split(before).length, 2, `${source} has "${before}" once`);
    const file = `${this.#folder}/planted.c`;
    await Deno.writeTextFile(file, text.replace(before, () => after));
    const object = `${file}.o`;
    await compile(file, object, ["-iquote", source.replace(/\/[^/]*$/, "")]);
    return await this.link({ source, object });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.#folder, { recursive: true });
  }
}

/** Runs with the settings in the environment, which the apps inherit. */
async function withSettings(body: () => Promise<void>): Promise<void> {
  for (const [name, value] of Object.entries(settings)) Deno.env.set(name, value);
  try {
    await body();
  } finally {
    for (const name of Object.keys(settings)) Deno.env.delete(name);
  }
}

Deno.test("no hook's case makes the sanitizers report anything in the layer", (t) =>
  withSettings(async () => {
    await using sanitized = new SanitizedLayer();
    await sanitized.build();
    const layer = await sanitized.link();
    const failed = new Map<string, unknown>();
    await each(Object.entries(hookCases), sideBySide, async ([name, hookCase]) => {
      await hookCase(layer).catch((error) => failed.set(name, error));
    });
    for (const name of Object.keys(hookCases)) {
      await t.step(name, () => {
        if (failed.has(name)) throw failed.get(name);
      });
    }

    const file = "layer/ops/dns/host_name.c";
    const { gethostname } = hookCases;
    assert.ok(gethostname !== undefined);
    await t.step("AddressSanitizer finds an access out of bounds", async () => {
      const copy = "memcpy(known, name, HOST_NAME_BYTES + ";
      const planted = await sanitized.plant(file, `${copy}1)`, `${copy}2)`);
      await assert.rejects(gethostname(planted), /AddressSanitizer: [a-z]+-buffer-overflow/);
    });
    await t.step("UndefinedBehaviorSanitizer finds a shift by too much", async () => {
      const load = "int now = atomic_load(&state)";
      const planted = await sanitized.plant(file, `${load};`, `${load} + (1 << (32 + atomic_load(&state)));`);
      await assert.rejects(gethostname(planted), /runtime error: shift exponent/);
    });
  }));
