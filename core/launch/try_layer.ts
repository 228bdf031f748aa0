// Whether mirrord's library can be loaded into a program of this machine: a session without a target, and a
// program that does nothing. Called by cmd/doctor.ts.

import { exitCodes, MirrordError } from "../base/errors.ts";
import { variables } from "../base/variables.ts";
import { PrivateDir } from "../net/private_dir.ts";
import { platform } from "../net/this_platform.ts";
import { Session } from "../session/session.ts";
import { withLayer } from "./launch.ts";
import { unpackLayer } from "./layer_file.ts";
import { findProgram } from "./program.ts";
import { launchPlatform } from "./this_platform.ts";

const { mayMapThere } = await platform.files();

/** Room that the session's folder should have. */
const sessionBytes = 1 << 20;

/** Runs true(1) with the layer in it; its path. Throws MirrordError when the layer is not in it. */
export async function tryLayer(): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(PrivateDir.make((folder) => mayMapThere(folder, sessionBytes)));
  const layerPath = unpackLayer(directory.path);
  const socketPath = `${directory.makeOpen("s")}/layer.sock`;
  stack.use(new Session({ agent: null, incoming: null, socketPath }));
  const program = await findProgram({ name: "true", args: [], variables: variables() });
  const env = withLayer(layerPath, { env: variables(), socketPath, skipped: new Set() });
  const child = await launchPlatform.startGated(layerPath, { program, argv: [program], env }, () => {});
  const code = await child.code;
  if (code === 0) return program;
  throw new MirrordError(`Cannot run "${program}" with mirrord's library: it ended with ${code}`, {
    exitCode: exitCodes.notExecutable,
  });
}
