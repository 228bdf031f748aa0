// `./dev demo`: shows mirrord at work without a cluster (or with --cluster on the test cluster). A target is
// started, then the same program runs on this machine: alone, mirrored, and in the target's place. One table
// shows what it finds in each: traffic, variable, name, call and file. Everything the demo made goes with it.

import { styleText } from "node:util";
import { clusterStage } from "./cluster_stage.ts";
import { processStage } from "./process_stage.ts";
import { LocalProgram } from "./local_program.ts";
import { app, type Facts, type Stage } from "./stage.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** The compiled binary of this machine. */
export const binary = `${root}dist/mirrord-linux-${Deno.build.arch}`;

const here = "your machine";
const there = "the original";
const rows: [label: string, fact: keyof Facts][] = [
  ["a request to port 80 is answered by", "who"],
  ["variable DEMO_GREETING", "variable"],
  ['the name "ledger"', "name"],
  ["GET http://ledger:8080/", "call"],
  ["file /srv/demo/motto.txt", "file"],
];

/** Colour on a terminal, unless NO_COLOR is set. */
function paint(style: Parameters<typeof styleText>[0], text: string): string {
  return Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR")
    ? styleText(style, text, { validateStream: false })
    : text;
}

function say(text = ""): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

/** The same program here, without mirrord. */
async function alone(stage: Stage): Promise<Facts> {
  const [program = "", ...args] = [...stage.cliPrefix, "python3", app, here, "--once"];
  const { stdout } = await new Deno.Command(program, { args, stdin: "null", stderr: "inherit" }).output();
  return { ...JSON.parse(new TextDecoder().decode(stdout)), who: "-" };
}

/** Runs the program under mirrord while `during` goes on; ends it as Ctrl-C would. */
async function withMirrord<T>(
  stage: Stage,
  mode: { flags: string[]; ready: string },
  during: (running: LocalProgram) => Promise<T>,
): Promise<T> {
  const argv = ["exec", ...stage.target, ...mode.flags, "--", "python3", app, here];
  say(paint("gray", `  $ mirrord ${argv.join(" ")}`));
  const running = new LocalProgram([...stage.cliPrefix, binary, ...argv], (line) => {
    say(paint("gray", `  | ${line}`));
  });
  try {
    await running.said(mode.ready);
    return await during(running);
  } finally {
    await running.end();
  }
}

/** Three columns; what is the target's is green. */
function table(target: Facts, local: Facts, remote: Facts): void {
  const columns = [
    ["", ...rows.map(([label]) => label)],
    ["in the target", ...rows.map(([, fact]) => target[fact])],
    ["here, alone", ...rows.map(([, fact]) => local[fact])],
    ["here, with mirrord", ...rows.map(([, fact]) => remote[fact])],
  ];
  const widths = columns.map((column) => Math.max(...column.map((cell) => cell.length)));
  for (let row = 0; row <= rows.length; row++) {
    const cells = columns.map((column, index) => (column[row] ?? "").padEnd(widths[index] ?? 0));
    const [label = "", first = "", second = "", third = ""] = cells;
    const header = row === 0;
    say(
      "  " + [
        label,
        header ? paint("bold", first) : first,
        header ? paint("bold", second) : paint("red", second),
        header ? paint("bold", third) : paint("green", third),
      ].join("  "),
    );
  }
}

async function play(stage: Stage): Promise<boolean> {
  say(paint("bold", "1. The target"));
  say(`  ${stage.description}`);
  const before = await stage.ask();
  const local = await alone(stage);

  say("\n" + paint("bold", "2. Mirrored (the default): the target answers, your program gets a copy"));
  const mirrored = await withMirrord(stage, { flags: [], ready: "Mirroring port 80" }, async (running) => {
    const answer = await stage.ask();
    await running.said(`${here} saw GET /`);
    return answer;
  });
  say(`  the request was answered by ${paint("green", mirrored.who)}, and your program saw it too`);

  say("\n" + paint("bold", "3. Stolen: your program in the target's place"));
  const stolen = await withMirrord(
    stage,
    { flags: ["--steal"], ready: "Stealing port 80" },
    () => stage.ask(),
  );

  say("\n" + paint("bold", "4. What the program found"));
  table(before, local, stolen);
  const after = await stage.ask();
  say(`\n  The session is over: a request is answered by ${after.who} again.`);

  const same = rows.slice(1).every(([, fact]) =>
    stolen[fact] === before[fact] && local[fact] !== before[fact]
  );
  const right = same && stolen.who === here &&
    [before, mirrored, after].every(({ who }) => who === there);
  say(
    right
      ? paint(
        "green",
        "  A program on this machine had the target's traffic, variables, names, network and files.",
      )
      : paint("red", "  This is not what should have happened."),
  );
  return right;
}

const stage = Deno.args.includes("--cluster") ? await clusterStage() : await processStage();
let right = false;
try {
  right = await play(stage);
} finally {
  await stage[Symbol.asyncDispose]();
}
Deno.exit(right ? 0 : 1);
