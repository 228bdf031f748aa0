// Programs that images begin with and that only start another one: inits and those that change the user. Most
// are static, so the layer is not in them, but it is in what they start, for they keep the environment.
// Called by made.ts.

interface Launcher {
  program: RegExp;
  /** Options with a value of their own. */
  valued: readonly string[];
  /** Words before the program. */
  before: number;
}

const launchers: readonly Launcher[] = [
  { program: /(^|\/)(docker-init|tini(-static)?(-\w+)?)$/, valued: ["-e", "-p"], before: 0 },
  // podman names its own init (catatonit) so, by --init; before its release 4 /dev/init.
  { program: /(^|\/)(catatonit|podman-init)$|^\/dev\/init$/, valued: [], before: 0 },
  { program: /(^|\/)dumb-init$/, valued: ["-r", "--rewrite"], before: 0 },
  { program: /(^|\/)(gosu|su-exec)$/, valued: [], before: 1 },
];

/** The command that the command `words` starts; null when it is none of these. */
export function launchedBy([program = "", ...args]: readonly string[]): string[] | null {
  const launcher = launchers.find((one) => one.program.test(program));
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
