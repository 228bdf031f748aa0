// Ctrl-Z at a terminal (SIGTSTP): mirrord stops a moment later, once the agent knows. Called by launch.ts for
// a session with an app, and by cmd/port_forward.ts. The listeners stay for the life of the process.

import { launchPlatform } from "./this_platform.ts";

const { canBeContinued } = launchPlatform;

/** Hears that mirrord is about to be stopped, and that it goes on. Neither rejects. */
export interface StandsStill {
  begin(): Promise<void>;
  end(): Promise<void>;
}

/**
 * Stops in order from now on. present: what hears of it at that moment. passOn: called before, for others who
 * are to stop.
 */
export function stopsInOrder(present: () => StandsStill, passOn: () => void = () => {}): void {
  if (canBeContinued === undefined) return;
  let stopped: StandsStill | null = null;
  Deno.addSignalListener("SIGTSTP", async () => {
    if (stopped !== null || !canBeContinued()) return;
    stopped = present();
    passOn();
    await stopped.begin();
    if (stopped !== null) Deno.kill(Deno.pid, "SIGSTOP");
  });
  Deno.addSignalListener("SIGCONT", () => {
    void stopped?.end();
    stopped = null;
  });
}
