// Where mirrord keeps what must last between two runs, readable for this user alone. Called by trust.ts and
// ci_state.ts.

import { variable } from "../core/base/variables.ts";

/**
 * Where the state of this user is kept; undefined: this user has no place for it (XDG Base Directory
 * Specification).
 */
export function stateFolder(): string | undefined {
  const state = variable("XDG_STATE_HOME");
  const home = variable("HOME");
  if (state?.startsWith("/")) return `${state}/mirrord`;
  return home?.startsWith("/") ? `${home}/.local/state/mirrord` : undefined;
}
