// What launching an app needs of the operating system, as one interface. linux/ implements it, and
// this_platform.ts chooses.

import type { Child, ChildOptions } from "../net/platform.ts";

export interface LaunchPlatform {
  /** Starts a program. Throws SystemError (errno of execve(2), or of fork(2)). */
  startChild(options: ChildOptions): Child;
  /**
   * Starts the app with the layer at `layerPath`, which its variables name; `began` gets the child before it
   * runs. Resolves with it when the layer is in it, or it ended. Throws MirrordError (126) when the layer is
   * not: then it has been killed.
   */
  startGated(layerPath: string, options: ChildOptions, began: (child: Child) => void): Promise<Child>;
  /** Processes of this user whose environment names the session's socket. */
  remainingProcesses(socketPath: string): number[];
  /** Does process `pid` run? One that nobody has waited for yet does not. */
  isAlive(pid: number): boolean;
  /** Is our process group the terminal's foreground one? Then a Ctrl-C reached the app already. */
  inForeground(): boolean;
  /**
   * Would somebody continue us if we stopped: is our process group not orphaned (setpgid(2))? Absent: a
   * Ctrl-Z is left to the system.
   */
  canBeContinued?(): boolean;
}
