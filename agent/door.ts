// The door: a stream becomes a client's link only after both ends have proved their identity over one
// transcript: the client with the session's key, the agent with its own. Called by main.ts for each stream
// that reaches the agent. Until then a stranger gets the agent's public keys and a nonce, may send a few
// kilobytes, and has five seconds.

import { mirrordVersion } from "../core/base/version.ts";
import {
  agentDoor,
  type AgentLink,
  agentMessages,
  agentProtocolVersion,
  type Body,
  decode,
  encode,
  errorFlag,
  ExchangeKey,
  Greeting,
  type GreetingFrame,
  importPublicKey,
  Link,
  LinkError,
  type LinkOptions,
  type LinkStream,
  type Seal,
  SealedStream,
  SigningKey,
  transcriptOf,
  verifies,
} from "../protocol-wasm/mod.ts";
import { E } from "./sys/libc.ts";

const proofLimitMs = 5000;
const nonceBytes = 32;
/** Ids of the agent's frames are even. */
const challengeId = 2;

/** A link whose other end has the session's key, and what it asked for. */
export interface Proven {
  link: AgentLink;
  /** The request that `welcome` answers. */
  join: { name: "join"; id: number };
  asked: Body<typeof agentMessages.join>;
}

/** What a client may send, before the proof and after. */
const door = agentDoor("client");

/** What an agent proves itself with: made at its start, never stored. */
export interface DoorKeys {
  /** The session's. */
  client: { bytes: Uint8Array; key: CryptoKey };
  identity: SigningKey;
  exchange: ExchangeKey;
  /** Absent: this end's stream is the session's own pipe, and its bytes stay as they are. */
  seal: Seal | undefined;
}

/**
 * Makes the agent's keys. Rejects with TypeError or DOMException when `publicKey` is not 32 raw bytes (RFC
 * 8032) in base64.
 */
export async function makeDoorKeys(publicKey: string, seal: Seal | undefined): Promise<DoorKeys> {
  const bytes = Uint8Array.from(atob(publicKey), (char) => char.charCodeAt(0));
  const key = await importPublicKey(bytes);
  const [identity, exchange] = await Promise.all([SigningKey.generate(), ExchangeKey.generate()]);
  return { client: { bytes, key }, identity, exchange, seal };
}

/** Greets `stream`; null when the other end proves nothing, and then the stream is closed. */
export async function proveClient(
  stream: LinkStream,
  keys: DoorKeys,
  heartbeat: NonNullable<LinkOptions["heartbeat"]>,
): Promise<Proven | null> {
  const late = setTimeout(() => stream.close(), proofLimitMs);
  try {
    const proven = await greet(stream, keys);
    if (proven !== null) {
      const { sealed, asked, join } = proven;
      const link: AgentLink = new Link(sealed, agentMessages, { side: "agent", heartbeat, door });
      link.version = Math.min(asked.version, agentProtocolVersion);
      return { link, join, asked };
    }
  } catch {
    // Whatever it sent, or whether it went away: it is no client with the session's key.
  } finally {
    clearTimeout(late);
  }
  stream.close();
  return null;
}

async function greet(
  stream: LinkStream,
  { client, identity, exchange, seal }: DoorKeys,
): Promise<Omit<Proven, "link"> & { sealed: LinkStream } | null> {
  const greeting = new Greeting(stream);
  const challenge = encode(agentMessages.greeting, {
    version: agentProtocolVersion,
    nonce: crypto.getRandomValues(new Uint8Array(nonceBytes)),
    release: mirrordVersion,
    identity: identity.bytes,
    key: exchange.bytes,
  });
  await greeting.send({ kind: agentMessages.greeting.kind, id: challengeId, flags: 0, body: challenge });
  const join = await greeting.next();
  if (join?.kind === agentMessages.prove.kind) await refuseOlder(greeting, join);
  if (join?.kind !== agentMessages.join.kind) return null;
  door.said("join", { ...join, isOurs: false });
  const asked = decode(agentMessages.join, join.body);
  const proof = await greeting.next();
  if (proof?.kind !== agentMessages.proof.kind || asked.sealed !== (seal !== undefined)) return null;
  door.said("proof", { ...proof, isOurs: false });
  const said = { client: client.bytes, agent: identity.bytes, challenge, join: join.body };
  const transcript = await transcriptOf(said);
  const { signature } = decode(agentMessages.proof, proof.body);
  if (!await verifies(client.key, "client", { transcript, signature })) return null;
  const own = encode(agentMessages.proof, { signature: await identity.sign("agent", transcript) });
  const sealed = seal === undefined ? stream : new SealedStream(stream, "agent", {
    keys: await exchange.keysWith(asked.key, transcript),
    seal,
  });
  await greeting.send({ kind: agentMessages.proof.kind, id: join.id, flags: 0, body: own });
  return { sealed, asked, join: { name: "join", id: join.id } };
}

/** A session of protocol 3 or older reads this as its agent's answer. */
async function refuseOlder(greeting: Greeting, { id }: GreetingFrame): Promise<void> {
  const text = `the agent speaks version ${agentProtocolVersion} of the protocol, this mirrord an older one`;
  const body = encode(agentMessages.failure, { errno: E.EPROTO, text });
  await greeting.send({ kind: agentMessages.welcome.kind, id, flags: errorFlag, body });
  throw new LinkError(text);
}
