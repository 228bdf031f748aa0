// `./dev demo`: shows mirrord at work without a cluster (or with --cluster on the test cluster). It starts a small
// service in namespaces of its own, runs the same program on this machine as if it were that service, sends requests
// to the service's address and prints who answered and with which variable. Everything it made goes with it.

import { styleText } from "node:util";
import { clusterStage } from "./cluster_stage.ts";
import { processStage } from "./process_stage.ts";

/** Where a demo plays: what the target is called, how to ask its address, and what mirrord is given. */
export interface Stage extends AsyncDisposable {
  /** One sentence: what stands there. */
  description: string;
  /** The command a developer would type. */
  argv: string[];
  /** Prefix that runs a command where the CLI belongs; [] = here. */
  cliPrefix: string[];
  /** One request to the target's address, from another machine than the target's. */
  ask(): Promise<{ who: string; variable: string; client: string }>;
}

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** The compiled binary of this machine. */
export const binary = `${root}dist/mirrord-linux-${Deno.build.arch}`;
/** The program that both sides run. */
export const app = `${root}scripts/demo/app.py`;

/** Colour on a terminal, unless NO_COLOR is set. */
function paint(style: Parameters<typeof styleText>[0], text: string): string {
  return Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR")
    ? styleText(style, text, { validateStream: false })
    : text;
}

function say(text = ""): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

async function showAnswer(stage: Stage, label: string): Promise<string> {
  const { who, variable, client } = await stage.ask();
  const original = who === "the original";
  say(
    `  ${label}: answered by ${
      paint(original ? "blue" : "green", who)
    }, DEMO_GREETING=${variable}, client ${client}`,
  );
  return who;
}

/** Reads lines of `stream` until one contains `text`; the rest is read on and shown. */
async function waitFor(stream: ReadableStream<Uint8Array>, text: string, deadlineMs: number): Promise<void> {
  const seen = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => seen.reject(new Error(`Cannot go on: mirrord did not say "${text}" in time`)),
    deadlineMs,
  );
  (async () => {
    let line = "";
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (line + chunk).split("\n");
      line = lines.pop() ?? "";
      for (const one of lines) {
        say(paint("gray", `  | ${one}`));
        if (one.includes(text)) seen.resolve();
      }
    }
    seen.reject(new Error("Cannot go on: mirrord ended early"));
  })();
  try {
    await seen.promise;
  } finally {
    clearTimeout(timer);
  }
}

async function play(stage: Stage): Promise<boolean> {
  say(paint("bold", "1. The target"));
  say(`  ${stage.description}`);
  const before = await showAnswer(stage, "request");
  say();
  say(paint("bold", "2. The same program on this machine, as the target"));
  say(`  $ mirrord ${stage.argv.join(" ")}`);
  const [program = "", ...args] = [...stage.cliPrefix, binary, ...stage.argv];
  const mirrord = new Deno.Command(program, { args, stdin: "null", stdout: "inherit", stderr: "piped" })
    .spawn();
  let during = "";
  try {
    await waitFor(mirrord.stderr, "Stealing port 80", 60_000);
    during = await showAnswer(stage, "request");
  } finally {
    say();
    say(paint("bold", "3. The session ends (Ctrl-C)"));
    mirrord.kill("SIGTERM");
    await mirrord.status;
  }
  const after = await showAnswer(stage, "request");
  const right = before === "the original" && during === "your machine" && after === "the original";
  say();
  say(
    right
      ? paint(
        "green",
        "The machine answered while the session lasted; the target answers by itself again.",
      )
      : paint("red", "This is not what should have happened."),
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
