// The checks of a configuration that compile something: filters, patterns, rules. Made by load.ts only when
// there is something to compile, since it loads the Wasm core.

import {
  compileFilter,
  compileRegex,
  compileRules,
  FilterError,
  RegexError,
} from "../../protocol-wasm/mod.ts";
import type { Checks } from "./findings.ts";

/** Checks by the compilers that session and agent use. */
export const wasmChecks: Checks = {
  filter: (filter) => attempt(() => compileFilter(filter)),
  pattern: (pattern) => attempt(() => compileRegex(pattern, { ignoreCase: true })),
  rule: (rule) => attempt(() => compileRules([rule])),
  matched(rules, names) {
    using compiled = compileRules(rules);
    return names.filter((name) =>
      compiled.matches({ host: name.replace(/^\*\./, "any."), port: 0, protocol: "udp" })
    );
  },
};

function attempt(compile: () => Disposable): string | null {
  try {
    compile()[Symbol.dispose]();
    return null;
  } catch (error) {
    if (error instanceof RegexError) {
      return `it is no regular expression: ${error.reason}, at character ${error.at + 1}`;
    }
    if (error instanceof FilterError) return error.message.replace(/^Cannot use rule ("[^]*"): /, "$1: ");
    return error instanceof Error ? error.message : String(error);
  }
}
