// The layer for programs with musl at work: for each call that it hooks the case that the layer for glibc
// passes, or one of its own.

import { unpackLayer } from "../../core/launch/layer_file.ts";
import { launchPlatform } from "../../core/launch/this_platform.ts";
import { answers } from "./dns_hook_cases.ts";
import { run, type Step } from "./file_hook_cases.ts";
import { exportedNames } from "../support/elf_symbols.ts";
import type { HookCase } from "./hook_case.ts";
import { hookCases } from "./hook_cases.ts";

const folder = await Deno.makeTempDir({ prefix: "mirrord-musl-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
/** Both C libraries find theirs by it: setsid(1), which starts the app, is no program with musl. */
const layer = launchPlatform.layer.preloadOf(unpackLayer(folder));

const inFile = (...steps: Step[]): HookCase => (layer) => run(layer, steps);
/** Each node has the canonical name with musl. */
const twoNamed = answers(
  "addrinfo host.test 80 0 1 2",
  "found [canonical.test] 192.0.2.1/80/1/6/16/2 [canonical.test] 192.0.2.2/80/1/6/16/2",
);

/** Calls that only musl has, or answers otherwise. */
const own: Record<string, HookCase> = {
  getaddrinfo: twoNamed,
  freeaddrinfo: twoNamed,
  getdents: inFile(["i open s:/pod/d 0x10000", /^\d+$/], ["l getdents $0 b 1000", "72"], ["entry", "."]),
  fdopen: inFile(
    ["i open s:/pod/big 2", /^\d+$/],
    ["p fdopen $0 s:r+", "ok"],
    ["l fwrite s:0xABCDEF 1 8 $1", "8"],
    ["i fflush $1", "0"],
    ["i fseek $1 0 0", "0"],
    ["p fgets b 9 $1", "ok"],
    ["text", "0xABCDEF"],
  ),
};
/** What ld.so(8) or programs ask for, and no test. */
const others = ["dlopen", "dlsym", "pthread_create"];

const cases = { ...hookCases, ...own };
for (const name of await exportedNames(layer)) {
  if (others.includes(name)) continue;
  Deno.test(`${name} is hooked with musl`, () => {
    const hookCase = cases[name];
    if (hookCase === undefined) throw new Error("it has no case");
    return hookCase(layer);
  });
}
