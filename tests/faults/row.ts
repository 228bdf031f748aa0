// A row of docs/reliability.md as a test: it does to a session what the row says, under a steady load, and
// hands back what became of the load. With MIRRORD_TEST_WRITE=1 the row's figures are written into the table.

import assert from "node:assert/strict";
import type { Stage } from "../support/stage.ts";
import { rate, type Tally, Traffic } from "../support/traffic.ts";
import { type Row, rows } from "./rows.ts";

export const document = decodeURIComponent(new URL("../../docs/reliability.md", import.meta.url).pathname);
const begin = "<!-- written by MIRRORD_TEST_WRITE=1 ./dev test faults -->";
const end = "<!-- end -->";
const head = "| # | fault | what happens | requests lost | exit code |\n|---|---|---|---|---|";

/** What a row showed. */
export interface Outcome {
  tally?: Tally;
  code?: number;
}

function rowOf(id: string): Row {
  const found = rows.find((one) => one.id === id);
  assert.ok(found !== undefined, `rows.ts has no row ${id}`);
  return found;
}

/**
 * A case for `registerCases` that runs the row `id`. Of rows that run on a process too the pod's figures are
 * written.
 */
export function row<S extends Stage>(
  id: string,
  act: (stage: S) => Promise<Outcome>,
): { name: string; run(stage: S): Promise<void> } {
  const described = rowOf(id);
  return {
    name: `row ${id}: ${described.fault}: ${described.happens}`,
    run: async (stage) => {
      const outcome = await act(stage);
      if (stage?.kind !== "process") await record(id, outcome);
    },
  };
}

/** The same without a stage, for Deno.test. */
export function rowAlone(id: string, act: () => Promise<Outcome>, ignore = false): void {
  const { name, run } = row(id, act);
  Deno.test(name, { ignore }, () => run(undefined as unknown as Stage));
}

/** Runs `work` under a load, and counts what became of that. */
export async function underLoad(
  stage: Stage,
  work: (traffic: Traffic) => Promise<number>,
  port = 80,
): Promise<{ tally: Tally; code: number }> {
  await using traffic = await Traffic.start(stage, port);
  const code = await work(traffic);
  const tally = await traffic.finish();
  assert.deepEqual(Object.keys(tally.by).filter((by) => !["original", "local"].includes(by)), []);
  return { tally, code };
}

/** Fails when more was lost than in `seconds` of load. */
export function atMost(tally: Tally, seconds: number): void {
  const said = JSON.stringify(tally);
  assert.ok(tally.seconds <= seconds, `requests were lost over more than ${seconds} s: ${said}`);
  assert.ok(tally.lost <= seconds * rate, `more than ${seconds * rate} requests were lost: ${said}`);
}

/** The table's line of a row; figures that nobody measured yet are empty. */
export function line(id: string, lost: string, code: string): string {
  const { fault, happens, shown } = rowOf(id);
  const where = shown === undefined ? "" : ` (\`${shown}\`)`;
  return `| ${id} | ${fault} | ${happens}${where} | ${lost} | ${code} |`;
}

/** The table with the lines that the document has, and those of rows that it has not yet. */
export function tableOf(text: string, changed: Record<string, Outcome> = {}): string {
  const [, table = ""] = text.split(begin);
  const lines = rows.map(({ id }) => {
    const [lost = "", code = ""] = table.split("\n").find((one) => one.startsWith(`| ${id} |`))?.split(" | ")
      .slice(3).map((cell) => cell.replace(/ ?\|$/, "").trim()) ?? [];
    const outcome = changed[id];
    if (outcome === undefined) return line(id, lost, code);
    const { tally } = outcome;
    const counted = tally === undefined
      ? lost
      : `${tally.lost.toLocaleString("en")} of ${tally.sent.toLocaleString("en")}`;
    return line(id, counted, outcome.code === undefined ? code : String(outcome.code));
  });
  return `${begin}\n${head}\n${lines.join("\n")}\n${end}`;
}

/** The document with another table. */
export function withTable(text: string, table: string): string {
  const [before = "", rest = ""] = text.split(begin);
  return before + table + (rest.split(end)[1] ?? "");
}

async function record(id: string, outcome: Outcome): Promise<void> {
  if (Deno.env.get("MIRRORD_TEST_WRITE") !== "1") return;
  const text = await Deno.readTextFile(document);
  await Deno.writeTextFile(document, withTable(text, tableOf(text, { [id]: outcome })));
}
