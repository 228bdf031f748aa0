// Starts the app by the runtime's own call. Called by ../launch.ts through platform.ts. There is no gate
// before the app's first instruction on Darwin: what dyld would not load the layer into is known from the
// program's file (hookable.ts, copies.ts) before anything is deployed.

import { constants } from "node:os";
import { hasRawBytes } from "../../base/os_text.ts";
import { exitCodes, MirrordError } from "../../base/errors.ts";
import { systemError } from "../../net/darwin/failure.ts";
import type { Child, ChildOptions } from "../../net/platform.ts";

class Started implements Child {
  readonly pid: number;
  readonly code: Promise<number>;
  #hasEnded = false;

  constructor(child: Deno.ChildProcess) {
    this.pid = child.pid;
    this.code = child.status.then(({ code, signal }) => {
      this.#hasEnded = true;
      return signal === null ? code : 128 + constants.signals[signal as keyof typeof constants.signals];
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }
}

/** Starts a program. Throws SystemError, or MirrordError (126) for texts that are not UTF-8. */
export function startChild({ program, argv, env }: ChildOptions): Child {
  if ([...argv, ...Object.values(env)].some(hasRawBytes)) {
    throw new MirrordError(`Cannot run "${program}": an argument or a variable is not UTF-8`, {
      exitCode: exitCodes.notExecutable,
    });
  }
  try {
    const streams = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;
    const command = new Deno.Command(program, { args: argv.slice(1), clearEnv: true, env, ...streams });
    return new Started(command.spawn());
  } catch (error) {
    throw systemError("posix_spawn", error);
  }
}

/** Starts the app, whose variables name the layer; `began` gets the child at once. */
export function startGated(
  _layerPath: string,
  options: ChildOptions,
  began: (child: Child) => void,
): Promise<Child> {
  const child = startChild(options);
  began(child);
  return Promise.resolve(child);
}
