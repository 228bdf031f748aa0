// `mirrord container-ext`: a session for an editor that runs containers (editor_session.ts). It is told the
// engine's flags that make a container the pod; which image it runs mirrord does not see. Invariant: no value
// of the target stands among the flags.

import { ConfigError } from "../core/base/errors.ts";
import { log } from "../core/base/log.ts";
import { nearWords, quoteList } from "../core/base/near.ts";
import { variable } from "../core/base/variables.ts";
import { checkMachine, type EngineKind, engineKinds } from "../core/launch/container/engine.ts";
import { addedFlags } from "../core/launch/container/words.ts";
import type { AppContainer } from "../core/session/session_options.ts";
import type { ContainerExtCommand } from "./commands.ts";
import { addToContainer } from "./container_additions.ts";
import { serveEditor } from "./editor_session.ts";

/** What the editor starts a container with: upstream's fields. */
export interface ContainerExtResult {
  runtime: EngineKind;
  /** To stand among the flags of run. */
  extra_args: string[];
  uses_operator: boolean;
}

/** A container of which nothing is known. */
const unknown: AppContainer = {
  variables: {},
  workingDirectory: "/",
  home: "/root",
  accountHome: undefined,
  mounts: [],
};

/** Runs a session to its end. Throws MirrordError when it could not begin or was lost. */
export async function containerExt(command: ContainerExtCommand): Promise<number> {
  return await serveEditor(command, {
    program() {
      checkMachine(runtime());
      return Promise.resolve("");
    },
    container: unknown,
    result(opened, { config, rules }): Promise<ContainerExtResult> {
      const kind = runtime();
      const { additions } = addToContainer(opened, { config, rules, own: {}, isChild: false });
      const { before, behind } = addedFlags(kind, additions);
      const unset = rules?.unset ?? [];
      if (unset.length > 0) {
        log.warning(`feature.env.unset has no effect on what the image itself sets: ${quoteList(unset)}`);
      }
      return Promise.resolve({ runtime: kind, extra_args: [...before, ...behind], uses_operator: false });
    },
  });
}

/** Upstream's variable. Throws ConfigError for another engine. */
function runtime(): EngineKind {
  const name = variable("MIRRORD_CONTAINER_USE_RUNTIME") || "docker";
  const kind = engineKinds.find((one) => one === name.toLowerCase());
  if (kind !== undefined) return kind;
  const near = nearWords(name, engineKinds);
  throw new ConfigError(`Cannot use MIRRORD_CONTAINER_USE_RUNTIME "${name}": there is no such engine here`, {
    help: near.length === 0 ? `Use one of ${engineKinds.join(", ")}.` : `Did you mean ${quoteList(near)}?`,
  });
}
