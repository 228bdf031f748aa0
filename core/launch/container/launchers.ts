// Programs that images begin with and that only start another one: inits and those that change the user. Most
// are static, so the layer is not in them, but it is in what they start, for they keep the environment.
// Called by made.ts.

import { baseName } from "../skip.ts";

interface Launcher {
  name: RegExp;
  /** Options with a value of their own. */
  valued: readonly string[];
  /** Words before the program. */
  before: number;
}

const launchers: readonly Launcher[] = [
  { name: /^(docker-init|tini(-static)?(-\w+)?)$/, valued: ["-e", "-p"], before: 0 },
  { name: /^catatonit$/, valued: [], before: 0 },
  { name: /^dumb-init$/, valued: ["-r", "--rewrite"], before: 0 },
  { name: /^(gosu|su-exec)$/, valued: [], before: 1 },
];

/** The command that the command `words` starts; null when it is none of these. */
export function launchedBy([program = "", ...args]: readonly string[]): string[] | null {
  const launcher = launchers.find(({ name }) => name.test(baseName(program)));
  if (launcher === undefined) return null;
  let at = 0;
  for (; at < args.length && /^-[^]/.test(args[at] ?? ""); at++) {
    if (args[at] === "--") {
      at++;
      break;
    }
    if (launcher.valued.includes(args[at] ?? "")) at++;
  }
  const rest = args.slice(at + launcher.before);
  return rest.length === 0 ? null : rest;
}
