// The door of the agent, before any proof: bytes from anything that reaches its port. A client without the
// key is refused, whatever it says, and nothing of it stays.

import { makeDoorKeys, proveClient } from "../../agent/door.ts";
import { agentMessages, decode, encode, SigningKey, transcriptOf } from "../../protocol-wasm/mod.ts";
import { type Frame, FrameReader, framesBytes, kindsOf, mutated, randomBody } from "./frames.ts";
import type { Fuzz } from "./fuzz.ts";
import { MemoryStream } from "./memory_stream.ts";
import type { Random } from "./random.ts";

const heartbeat = { intervalMs: 5000, limitMs: 15_000 };
const kinds = kindsOf(agentMessages);
const names = Object.keys(agentMessages) as (keyof typeof agentMessages)[];
/** Links that are challenged at a time, as the agent allows. */
const atOnce = 16;

export async function door(fuzz: Fuzz): Promise<void> {
  const key = await SigningKey.generate();
  const keys = await makeDoorKeys(key.publicKey, undefined);

  /** What a stranger asks for. */
  const joining = (random: Random): Uint8Array =>
    encode(agentMessages.join, {
      version: random.number(16) || 4,
      release: "0.1.0",
      steal: random.once(2),
      mirror: random.once(2),
      sealed: random.once(20),
      key: random.bytes(random.once(20) ? random.below(80) : 32),
    });

  /** What a stranger says: a proof that is none, other frames, or noise. */
  const words = (random: Random, join: Uint8Array, signature: Uint8Array): Uint8Array => {
    const proof: Frame = {
      kind: agentMessages.proof.kind,
      flags: 0,
      id: 1,
      body: encode(agentMessages.proof, { signature }),
    };
    const prove: Frame[] = [{ kind: agentMessages.join.kind, flags: 0, id: 1, body: join }, proof];
    const frames = [...prove];
    for (let more = random.below(3); more > 0; more--) {
      const name = random.pick(names);
      fuzz.says(name);
      const message = agentMessages[name];
      const flags = random.once(5) ? random.below(4) : 0;
      frames.push({ kind: message.kind, flags, id: random.number(32), body: randomBody(random, message) });
    }
    if (random.once(10)) return random.bytes(random.below(300));
    if (random.once(3)) frames.reverse();
    if (random.once(6)) return framesBytes(prove);
    return mutated(random, frames, kinds);
  };

  /** The right signature. */
  const signed = async (challenge: Uint8Array, join: Uint8Array): Promise<Uint8Array> => {
    const agent = decode(agentMessages.greeting, challenge).identity;
    return await key.sign("client", await transcriptOf({ client: key.bytes, agent, challenge, join }));
  };

  /** One stranger; whether the agent took it for the client. */
  const stranger = async (random: Random): Promise<boolean> => {
    const stream = new MemoryStream();
    const reader = new FrameReader();
    const cut = random.once(4) ? 1 : random.once(2) ? random.below(40) + 1 : Infinity;
    stream.piece = () => cut;
    const join = joining(random);
    const said = words(random, join, random.bytes(random.once(3) ? random.below(80) : 64));
    stream.heard = (bytes) => {
      const [challenge] = reader.take(bytes);
      stream.heard = () => {};
      if (fuzz.plant !== "accept" || challenge === undefined) {
        stream.say(said);
        return stream.end();
      }
      void signed(challenge.body, join).then((signature) => {
        stream.say(words(random, join, signature));
        stream.end();
      });
    };
    const proven = await proveClient(stream, keys, heartbeat);
    proven?.link.close();
    fuzz.check(stream.isClosed, "the stream of a stranger is left open");
    await fuzz.case();
    return proven !== null;
  };

  await fuzz.rounds(atOnce, async (random) => {
    fuzz.check(!await stranger(random), "a stranger is taken for the client");
  });
  fuzz.checkSaid(names);
}
