// From a byte stream to a proven agent link: challenge, proof, welcome. Called by ephemeral.ts and local.ts.
// The link's first frames are taken here; everything after the welcome is the session's.

import {
  agentMessages,
  agentProtocolVersion,
  type Body,
  decode,
  errorFlag,
  Link,
  LinkError,
  type LinkStream,
} from "../../protocol-wasm/mod.ts";
import { DeployError, exitCodes } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { mirrordVersion } from "../base/version.ts";
import type { SessionKey } from "./key.ts";

/** The open link and what the agent runs on. Disposing it says goodbye and waits briefly for the agent to leave. */
export interface AgentLink extends AsyncDisposable {
  link: Link<typeof agentMessages>;
  /** Kernel release of the target's node ("6.1.0"). */
  kernel: string;
}

/** No agent was heard on this stream: it is not there yet, or not any more, or another program has its port. */
export class NoAnswer extends Error {}

/** Linux errnos with which the agent refuses a client. */
const EPERM = 1;
const EBUSY = 16;
const EACCES = 13;
const ENOSYS = 38;
const EOPNOTSUPP = 95;

/** Pings, so that either side notices a dead one within the agent's own limit. */
const heartbeat = { intervalMs: 3000, limitMs: 15_000 };
/** How long a link that is let go may take to say goodbye. */
const goodbyeMilliseconds = 2000;

/**
 * Speaks the handshake over `stream`. Throws NoAnswer when the stream does not begin with a challenge, DeployError when
 * the agent refuses. The stream is closed on failure.
 */
export async function proveLink(
  stream: LinkStream,
  options: { key: SessionKey; steal: boolean; mirror?: boolean; signal: AbortSignal },
): Promise<AgentLink> {
  const { key, steal, mirror = false, signal } = options;
  const link = new Link(stream, agentMessages, { side: "client", heartbeat });
  const frames = link.received()[Symbol.asyncIterator]();
  const stop = () => link.close();
  signal.addEventListener("abort", stop);
  try {
    signal.throwIfAborted();
    const first = await frames.next();
    signal.throwIfAborted();
    if (first.done === true) {
      throw new NoAnswer("the agent does not listen yet", { cause: await link.closed });
    }
    const { nonce, release, version } = readChallenge(first.value);
    if (release !== mirrordVersion) {
      log.warning(`The agent is of release ${release}, this is ${mirrordVersion}`);
    }
    await link.send("prove", link.nextId(), {
      version: Math.min(version, agentProtocolVersion),
      signature: await key.sign(nonce),
      release: mirrordVersion,
      steal,
      mirror,
    });
    const kernel = await welcome(link, frames);
    signal.throwIfAborted();
    return { link, kernel, [Symbol.asyncDispose]: () => sayGoodbye(link) };
  } catch (error) {
    link.close();
    signal.throwIfAborted();
    if (error instanceof LinkError) throw strange(error.message, error);
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The first frame of every agent; anything else is another program's. */
function readChallenge(first: { name: string; body: Uint8Array }): Body<typeof agentMessages.challenge> {
  try {
    if (first.name !== "challenge") throw new LinkError(`what answers began with "${first.name}"`);
    return decode(agentMessages.challenge, first.body);
  } catch (cause) {
    throw new NoAnswer("what answers is no agent", { cause });
  }
}

type Frames = AsyncIterator<{ name: string; flags: number; body: Uint8Array }>;

/** Waits for the agent's verdict; notices before it are shown. */
async function welcome(link: Link<typeof agentMessages>, frames: Frames): Promise<string> {
  for (;;) {
    const { value: frame, done } = await frames.next();
    if (done === true) {
      const reason = await link.closed;
      throw strange(
        `it closed the link during the handshake${reason === null ? "" : ` (${reason.message})`}`,
        reason,
      );
    }
    if ((frame.flags & errorFlag) !== 0) {
      const { errno, text } = decode(agentMessages.failure, frame.body);
      throw refused(errno, text);
    }
    if (frame.name === "notice") log.warning(decode(agentMessages.notice, frame.body).text);
    if (frame.name !== "welcome") continue;
    const { version, kernel } = decode(agentMessages.welcome, frame.body);
    link.version = version;
    return kernel;
  }
}

function refused(errno: number, text: string): DeployError {
  const exitCode = errno === EPERM || errno === EACCES
    ? exitCodes.permission
    : errno === EBUSY
    ? exitCodes.conflict
    : exitCodes.unavailable;
  const help = errno === ENOSYS || errno === EOPNOTSUPP
    ? "The node's kernel or its settings lack what is needed; a node with Linux 5.9 or newer has it."
    : undefined;
  return new DeployError(`Cannot use the agent: ${text}`, {
    exitCode,
    ...(help === undefined ? {} : { help }),
  });
}

function strange(state: string, cause?: unknown): DeployError {
  return new DeployError(`Cannot use the agent: ${state}`, {
    help: "Is agent.image of this release?",
    ...(cause === undefined || cause === null ? {} : { cause }),
  });
}

/** The agent frees everything and leaves; its answer or its end, whichever is first, is waited for, briefly. */
async function sayGoodbye(link: Link<typeof agentMessages>): Promise<void> {
  const signal = AbortSignal.timeout(goodbyeMilliseconds);
  await link.request("goodbye", {}, { signal }).catch((error) => {
    if (!(error instanceof LinkError)) log.debug(`The agent did not answer the goodbye: ${error}`);
  });
  await link[Symbol.asyncDispose]();
}
