// How help is laid out where the terminal is too narrow for two columns: what an entry means then stands
// below it. Used by flags.ts.

import { Help } from "commander";

/** Fewer columns than this for the meaning, and it goes below. */
const narrowest = 20;
const indent = 6;

/** Settings of commander's help (its Help class); it takes the width from the terminal, 80 without one. */
export const helpLayout = {
  minWidthToWrap: narrowest,
  formatItem(term: string, termWidth: number, description: string, helper: Help): string {
    const width = helper.helpWidth ?? 80;
    if (description === "" || width - termWidth - 4 >= narrowest) {
      return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
    }
    const wrapped = helper.boxWrap(description, Math.max(width - indent, narrowest));
    const below = wrapped.split("\n").map((line) => " ".repeat(indent) + line);
    return [`  ${term}`, ...below].join("\n");
  },
};
