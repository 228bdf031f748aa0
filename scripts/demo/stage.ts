// What demo.ts asks of a stage, and the program that is played on it. process_stage.ts and cluster_stage.ts
// make stages.

/** What the program finds where it runs. */
export interface Facts {
  who: string;
  variable: string;
  name: string;
  call: string;
  file: string;
}

/** Where a demo plays: what the target is called, how to ask its address, and what mirrord is given. */
export interface Stage extends AsyncDisposable {
  /** One sentence: what stands there. */
  description: string;
  /** Arguments of mirrord that choose the target. */
  target: string[];
  /** Prefix that runs a command where the CLI belongs; [] = here. */
  cliPrefix: string[];
  /** One request to the target's address, from another machine than the target's. */
  ask(): Promise<Facts>;
}

/** The program that both sides run. */
export const app = decodeURIComponent(new URL("./app.py", import.meta.url).pathname);
