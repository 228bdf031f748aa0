// Which rule decided about a path: told to those who watch the session, and in the debug log one line for
// each path and purpose, up to a fixed number of lines. Called by ways.ts.

import { log } from "../base/log.ts";
import { osText } from "../base/os_text.ts";
import type { Details } from "./details.ts";
import type { AppProcess } from "./floor.ts";
import type { Decision } from "./policy.ts";

const mostLines = 2000;
const whose = { local: "machine", remote: "target", absent: "nobody" } as const;
const owners = { local: "this machine's", remote: "the target's", absent: "said to be absent" } as const;

export class Decisions {
  readonly #details: Details | undefined;
  readonly #said = new Set<string>();

  constructor(details?: Details) {
    this.#details = details;
  }

  note(
    path: Uint8Array,
    { writes, process }: { writes: boolean; process: AppProcess },
    { place, rule }: Decision,
  ): void {
    if (this.#details?.isWatched === true) {
      const { pid, executable } = process;
      const facts = { whose: whose[place], why: rule, pid, executable };
      this.#details.tell({ type: "file", path: osText(path), writes, ...facts });
    }
    if (!log.isDebug() || this.#said.size > mostLines) return;
    const name = JSON.stringify(osText(path));
    const line = `File ${name}, to ${writes ? "change" : "read"}: ${owners[place]}, by ${rule}`;
    if (this.#said.has(line)) return;
    this.#said.add(line);
    log.debug(this.#said.size > mostLines ? "Which rules decide about further files is not logged" : line);
  }
}
