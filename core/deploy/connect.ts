// From a byte stream to a proven agent link: challenge, both proofs, then the link and the agent's welcome on
// it. Called by reach.ts and local.ts. Nothing that was not proven is believed: neither the agent's failures
// nor its notices.

import {
  agentDoor,
  type AgentLink,
  agentMessages,
  agentProtocolVersion,
  type Body,
  decode,
  E,
  encode,
  errorFlag,
  ExchangeKey,
  Greeting,
  importPublicKey,
  Link,
  LinkError,
  type LinkStream,
  type Seal,
  SealedStream,
  type SigningKey,
  transcriptOf,
  verifies,
} from "../../protocol-wasm/mod.ts";
import { DeployError, exitCodes } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { Notices } from "./notices.ts";
import { mirrordVersion } from "../base/version.ts";

/**
 * The open link and what the agent runs on. Disposing it says goodbye and waits briefly for the agent to
 * leave.
 */
export interface ConnectedAgent extends AsyncDisposable {
  link: AgentLink;
  /** Kernel release of the target's node ("6.1.0"). */
  kernel: string;
}

/**
 * No agent was heard on this stream: it is not there yet, or not any more, or another program has its port.
 */
export class NoAnswer extends Error {}

/** Pings, so that either side notices a dead one within the agent's own limit. */
const heartbeat = { intervalMs: 3000, limitMs: 15_000 };
/** How long a link that is let go may take to say goodbye. */
const goodbyeMilliseconds = 2000;

/** What the session proves itself with, and asks for. */
export interface ProofOptions {
  key: SigningKey;
  steal: boolean;
  mirror?: boolean;
  /**
   * The agent's own words about itself, and how to seal the link; absent where the stream is the agent's own
   * pipe.
   */
  agent?: { identity: Uint8Array; seal: Seal };
  signal: AbortSignal;
}

/** What an agent may say, before the proof and after. */
const door = agentDoor("agent");
/** Ids of the client's frames are odd. */
const joinId = 1;

/**
 * Speaks the handshake over `stream`. Throws NoAnswer when the stream does not begin with a challenge,
 * DeployError when what answers is not the agent that it should be, or refuses. The stream is closed on
 * failure.
 */
export async function proveLink(stream: LinkStream, options: ProofOptions): Promise<ConnectedAgent> {
  const { signal } = options;
  let close = () => stream.close();
  const stop = () => close();
  signal.addEventListener("abort", stop);
  try {
    signal.throwIfAborted();
    const proven = await proveBoth(stream, options);
    const link = new Link(proven, agentMessages, { side: "client", heartbeat, door });
    close = () => link.close();
    signal.throwIfAborted();
    const kernel = await welcome(link, link.received()[Symbol.asyncIterator]());
    signal.throwIfAborted();
    return { link, kernel, [Symbol.asyncDispose]: () => sayGoodbye(link) };
  } catch (error) {
    close();
    signal.throwIfAborted();
    if (error instanceof LinkError) throw strange(error.message, error);
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The stream for the link behind the handshake. */
async function proveBoth(stream: LinkStream, options: ProofOptions): Promise<LinkStream> {
  const { key, steal, mirror = false, agent, signal } = options;
  const greeting = new Greeting(stream);
  const challenge = await readChallenge(greeting, signal);
  const { version, release, identity, key: agentHalf } = decodeGreeting(challenge);
  if (agent !== undefined && !isSame(agent.identity, identity)) throw impostor();
  if (release !== mirrordVersion) {
    log.warning(`The agent is of release ${release}, this is ${mirrordVersion}`);
  }
  const exchange = await ExchangeKey.generate();
  const join = encode(agentMessages.join, {
    version: Math.min(version, agentProtocolVersion),
    release: mirrordVersion,
    steal,
    mirror,
    sealed: agent !== undefined,
    key: exchange.bytes,
  });
  const transcript = await transcriptOf({ client: key.bytes, agent: identity, challenge, join });
  const proof = encode(agentMessages.proof, { signature: await key.sign("client", transcript) });
  await greeting.send({ kind: agentMessages.join.kind, id: joinId, flags: 0, body: join });
  await greeting.send({ kind: agentMessages.proof.kind, id: joinId, flags: 0, body: proof });
  const answer = await greeting.next();
  signal.throwIfAborted();
  if (answer === null) throw strange("it closed the link during the handshake");
  if (answer.kind !== agentMessages.proof.kind) throw impostor();
  door.said("proof", { flags: answer.flags, body: answer.body, isOurs: false });
  const { signature } = decode(agentMessages.proof, answer.body);
  if (!await verifies(await importPublicKey(identity), "agent", { transcript, signature })) throw impostor();
  if (agent === undefined) return stream;
  const keys = await exchange.keysWith(agentHalf, transcript);
  return new SealedStream(stream, "client", { keys, seal: agent.seal });
}

/** The body of the first frame of every agent; anything else is another program's. */
async function readChallenge(greeting: Greeting, signal: AbortSignal): Promise<Uint8Array> {
  const first = await greeting.next().catch((cause) => {
    throw new NoAnswer("the program that answers is not an agent", { cause });
  });
  signal.throwIfAborted();
  if (first === null) throw new NoAnswer("the agent does not listen yet");
  if (first.kind !== agentMessages.challenge.kind) {
    throw new NoAnswer("the program that answers is not an agent");
  }
  return first.body;
}

function decodeGreeting(challenge: Uint8Array): Body<typeof agentMessages.greeting> {
  let version: number;
  try {
    ({ version } = decode(agentMessages.challenge, challenge));
  } catch (cause) {
    throw new NoAnswer("the program that answers is not an agent", { cause });
  }
  const { since } = agentMessages.greeting;
  if (version >= since) {
    door.said("greeting", { flags: 0, body: challenge, isOurs: false });
    return decode(agentMessages.greeting, challenge);
  }
  throw strange(
    `it speaks version ${version} of the protocol, which does not prove the agent; ${since} is needed`,
  );
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

function impostor(): DeployError {
  return new DeployError("Cannot use the agent: another program of the pod answers in its place", {
    help: "It got no secret. Check the pod's other containers: one of them answers on the agent's port.",
  });
}

type Frames = AsyncIterator<{ name: string; flags: number; body: Uint8Array }>;

/** Waits for the agent's verdict; notices before it are shown. */
async function welcome(link: AgentLink, frames: Frames): Promise<string> {
  using notices = new Notices();
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
    if (frame.name === "notice") notices.say(1, decode(agentMessages.notice, frame.body).text);
    if (frame.name !== "welcome") continue;
    const { version, kernel } = decode(agentMessages.welcome, frame.body);
    link.version = version;
    return kernel;
  }
}

function refused(errno: number, text: string): DeployError {
  const exitCode = errno === E.EPERM || errno === E.EACCES
    ? exitCodes.permission
    : errno === E.EBUSY
    ? exitCodes.conflict
    : exitCodes.unavailable;
  const help = errno === E.ENOSYS || errno === E.EOPNOTSUPP
    ? "The node's kernel or its settings do not support this. Use a node with Linux 5.9 or newer."
    : undefined;
  return new DeployError(`Cannot use the agent: ${text}`, {
    exitCode,
    ...(help === undefined ? {} : { help }),
  });
}

function strange(state: string, cause?: unknown): DeployError {
  return new DeployError(`Cannot use the agent: ${state}`, {
    help: "Check that agent.image is of this release.",
    ...(cause === undefined || cause === null ? {} : { cause }),
  });
}

/**
 * The agent frees everything and leaves; its answer or its end, whichever is first, is waited for, briefly.
 */
async function sayGoodbye(link: AgentLink): Promise<void> {
  const signal = AbortSignal.timeout(goodbyeMilliseconds);
  await link.request("goodbye", {}, { signal }).catch((error) => {
    if (!(error instanceof LinkError)) log.debug(`The agent did not answer the goodbye: ${error}`);
  });
  await link[Symbol.asyncDispose]();
}
