// What `mirrord doctor` found: one row for each thing that a session needs, printed as it is known, or all of
// them as JSON. Called by doctor.ts. A check that throws a MirrordError has failed; its help is the row's.

import { MirrordError } from "../core/base/errors.ts";
import { printable, printLine } from "./ui.ts";

/** failed: a session cannot start; warning: it can, with less; skipped: nobody looked. */
export type State = "ok" | "warning" | "failed" | "skipped";

export interface Row {
  check: string;
  state: State;
  said: string;
  help?: string;
}

/** What a check says when it does not fail: a sentence, or more. */
export type Finding = string | Omit<Row, "check">;

const checkWidth = 34;

export class Report {
  readonly rows: Row[] = [];
  readonly #isJson: boolean;
  #code = 0;

  constructor(isJson: boolean) {
    this.#isJson = isJson;
  }

  /** Does `work` and adds its row; what it comes to, null when it failed. */
  async check<Result>(
    name: string,
    work: () => Promise<Result>,
    say: (result: Result) => Finding,
  ): Promise<Result | null> {
    try {
      const result = await work();
      const finding = say(result);
      this.add({ check: name, ...(typeof finding === "string" ? { state: "ok", said: finding } : finding) });
      return result;
    } catch (error) {
      if (!(error instanceof MirrordError)) throw error;
      this.#code ||= error.exitCode;
      const { message: said, help } = error;
      this.add({ check: name, state: "failed", said, ...(help === undefined ? {} : { help }) });
      return null;
    }
  }

  add(row: Row): void {
    this.rows.push(row);
    if (this.#isJson) return;
    printLine(`${row.state.padEnd(8)} ${row.check.padEnd(checkWidth)} ${oneLine(row.said)}`);
    if (row.help !== undefined) printLine(`${" ".repeat(9)}help: ${oneLine(row.help)}`);
  }

  skip(check: string, said: string): void {
    this.add({ check, state: "skipped", said });
  }

  /** Prints the sum, or the JSON; the exit code: of the first that failed. */
  end(): number {
    const count = (state: State) => this.rows.filter((row) => row.state === state).length;
    const [failed, warnings] = [count("failed"), count("warning")];
    if (this.#isJson) printLine(JSON.stringify({ ok: failed === 0, checks: this.rows }, null, 2));
    else {
      const rest = warnings === 0 ? "" : `, ${warnings} ${warnings === 1 ? "warning" : "warnings"}`;
      printLine(failed === 0 ? `Nothing that a session needs is missing${rest}` : `${failed} failed${rest}`);
    }
    return this.#code;
  }
}

function oneLine(text: string): string {
  return printable(text.replaceAll("\n", " "));
}
