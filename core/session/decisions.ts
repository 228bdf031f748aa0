// The debug log of which rule decided about a path: one line for each path and purpose, up to a fixed number
// of lines. Called by files.ts.

import { log } from "../base/log.ts";
import { osText } from "../base/os_text.ts";
import type { Decision } from "./policy.ts";

const mostLines = 2000;
const owners = { local: "this machine's", remote: "the target's", absent: "said to be absent" } as const;

export class Decisions {
  readonly #said = new Set<string>();

  note(path: Uint8Array, writes: boolean, { place, rule }: Decision): void {
    if (!log.isDebug() || this.#said.size > mostLines) return;
    const name = JSON.stringify(osText(path));
    const line = `File ${name}, to ${writes ? "change" : "read"}: ${owners[place]}, by ${rule}`;
    if (this.#said.has(line)) return;
    this.#said.add(line);
    log.debug(this.#said.size > mostLines ? "Which rules decide about further files is not logged" : line);
  }
}
