// The middle of the walk: from the configuration to a session that takes processes, and what is needed to
// start them. Every part is owned by the caller's stack. Called by exec.ts and container.ts, which start the
// app themselves, and editor_session.ts, whose editor does.

import { SessionError } from "../core/base/errors.ts";
import type { Config } from "../core/config/config.ts";
import { Control } from "../core/control/control.ts";
import { factsOf } from "../core/control/facts.ts";
import { endRemaining } from "../core/launch/session_programs.ts";
import { unpackLayer } from "../core/launch/layer_file.ts";
import type { Programs } from "../core/launch/platform.ts";
import { PrivateDir } from "../core/net/private_dir.ts";
import { platform } from "../core/net/this_platform.ts";
import type { EnvRules, Fetched } from "../core/session/env.ts";
import { sessionOptions } from "../core/session/options.ts";
import type { AppContainer } from "../core/session/session_options.ts";
import { Session } from "../core/session/session.ts";
import type { Target } from "../core/target/resolve.ts";
import { findTarget, openAgent, readVariables, tell } from "./steps.ts";
import { printsEvents } from "./ui.ts";

const { mayMapThere } = await platform.files();

/** Room that the session's folder should have: the layer's files and a little. */
const sessionBytes = 1 << 20;

export interface OpenOptions {
  /** The app's file; "" where it is not known. */
  program: string;
  /** Makes what is started in place of a program. */
  programs: Programs;
  rules: EnvRules | null;
  /** Aborts the walk. */
  signal: AbortSignal;
  /** Even into a pod with too little memory. */
  forced: boolean;
  /** For those who ask what this session is: the command, and the program with its arguments. */
  kind: "exec" | "ext" | "container" | "container-ext";
  command: readonly string[];
  /** Where the app runs, if not on this machine itself. */
  container?: AppContainer;
}

/** As if a signal had ended mirrord: "mirrord session kill". */
const killedCode = 128 + 9;

/** A session that takes processes. */
export interface OpenedSession {
  session: Session;
  target: Target;
  /** Nothing is asked of the target. */
  alone: boolean;
  /** The app looks up names in the target. */
  carriesNames: boolean;
  /** The target's. */
  variables: Fetched["variables"];
  layerPath: string;
  socketPath: string;
}

/** Walks from the target to the session. Throws MirrordError. */
export async function openSession(
  config: Config,
  stack: AsyncDisposableStack,
  { program, programs, rules, signal, forced, kind, command, container }: OpenOptions,
): Promise<OpenedSession> {
  const control = stack.use(new Control()); // first, so that it ends last
  const directory = stack.use(PrivateDir.make((folder) => mayMapThere(folder, sessionBytes)));
  const folder = directory.makeOpen("s");
  const layerPath = container === undefined
    ? unpackLayer(directory.path)
    : unpackLayer(folder, { open: true });
  const target = await findTarget(config, signal);
  const agent = await openAgent(config, target, stack, { signal, forced });
  const socketPath = `${folder}/layer.sock`;
  const session = stack.use(
    new Session({
      ...sessionOptions(config, target, {
        agent,
        program,
        container,
        socketPath,
        emit: (event) => {
          tell(event);
          control.record.take(event);
        },
        requests: printsEvents(),
      }),
      details: control.record.details,
      prepare: (path) => programs.prepare(path),
    }),
  );
  control.openSoon(factsOf(config, { kind, command, target, agent }), {
    stop: () => Deno.kill(Deno.pid, "SIGTERM"),
    kill() {
      endRemaining(socketPath, "SIGKILL");
      session.abandon(
        new SessionError('Cannot go on: the session was ended by "mirrord session kill"', {
          exitCode: killedCode,
        }),
      );
    },
  });
  stack.defer(() => control.record.ends());
  return {
    session,
    target,
    alone: agent === null,
    carriesNames: agent !== null && config.dns.enabled,
    variables: await readVariables(rules, target.kind === "cluster" ? null : agent),
    layerPath,
    socketPath,
  };
}
