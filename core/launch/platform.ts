// What launching an app needs of the operating system, as one interface. linux/ implements it, and
// this_platform.ts chooses.

import type { Child, ChildOptions } from "../net/platform.ts";

/** A program that is about to be looked at; texts are those of core/base/os_text.ts. */
export interface Look {
  file: string;
  args: readonly string[];
  variables: Readonly<Record<string, string>>;
  /** How many scripts led to it. */
  depth: number;
  /**
   * Where a file is on this machine, for a program of another tree of files; null: there is no such file.
   * Absent: where its path says.
   */
  placeOf?: (path: string) => Promise<string | null>;
}

/** What is started in place of a program, so that the layer gets into it. */
export interface Prepared {
  path: string;
  /** Instead of its first argument; empty: that stays. */
  words: readonly string[];
}

/** How programs are started so that the layer gets into them. */
export interface Programs {
  /** Throws MirrordError (126) where that cannot be. */
  prepare(path: string): Promise<Prepared>;
}

/** What is known of programs that the system protects. */
export interface ProgramsOptions {
  /** Where copies are kept. */
  folder: string;
  /** Names of those of which no copy is made. */
  skipped: ReadonlySet<string>;
  /** Ends of paths of those of which one always is. */
  always: readonly string[];
}

/** The layer's files, and how programs are told of them. */
export interface PlatformLayer {
  /** The variable by which the dynamic linker loads it. */
  variable: string;
  /** The file inside mirrord, and its name once it is unpacked. */
  embedded: string;
  unpacked: string;
  /** What the variable has for the layer at `path`; where that is another path, it is the second layer's. */
  preloadOf(path: string): string;
  /** A second layer beside the first, for programs with another C library, to which the same value leads. */
  second?: {
    embedded: string;
    /** Names that stand in its path for folders of the first. */
    folders: readonly string[];
  };
}

export interface LaunchPlatform {
  readonly layer: PlatformLayer;
  /**
   * Refuses a program into which the layer cannot get, before anything is deployed. `name` is the developer's
   * word for it. Throws MirrordError (126).
   */
  checkProgram(name: string, look: Look): Promise<void>;
  openPrograms(options: ProgramsOptions): Programs;
  /** Starts a program. Throws SystemError (errno of execve(2), or of fork(2)). */
  startChild(options: ChildOptions): Child;
  /**
   * Starts the app with the layer at `layerPath`, which its variables name; `began` gets the child before it
   * runs. Resolves with it when the layer is in it, or it ended. Throws MirrordError (126) when the layer is
   * not: then it has been killed.
   */
  startGated(layerPath: string, options: ChildOptions, began: (child: Child) => void): Promise<Child>;
  /** Processes of this user, but for this one, whose environment has the variable `name` with this value. */
  processesWith(name: string, value: string): number[];
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
