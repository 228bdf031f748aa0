// The end of a session whose app has ended: what the app sent is delivered, and processes that it started may
// send for a moment more. Called by cmd/exec.ts, cmd/container.ts and cmd/editor_session.ts.

import type { Session } from "../session/session.ts";
import type { Interrupts } from "./interrupts.ts";
import { launchPlatform } from "./this_platform.ts";

const { isAlive, processesWith } = launchPlatform;

/** How long processes that outlive the app may be silent before the session ends. */
const settleMs = 2000;

/**
 * Resolves with the number of processes that outlive the app. Throws SessionError that names what was not
 * delivered.
 */
export async function deliverLast(
  session: Session,
  { limitMs, interrupts }: { limitMs: number; interrupts: Interrupts },
): Promise<number> {
  await session.outliving();
  const remaining = processesWith("MIRRORD_LAYER_SOCKET", session.socketPath);
  await session.deliver({
    limitMs,
    giveUp: interrupts.giveUp,
    asked: () => interrupts.any,
    alive: () => remaining.some(isAlive),
    settleMs: interrupts.any ? 0 : settleMs,
  });
  return await session.outliving();
}
