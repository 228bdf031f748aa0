// What an agent answers to the session, and says by itself: right and broken, while processes of the app ask.
// Whatever it says, each process has an answer or the end of its link, and the session either goes on or is
// lost with 74 and a sentence: no process is left in EIO by a session that believes that all is well.

import { agentMessages, decode, encode, layerMessages } from "../../protocol-wasm/mod.ts";
import { type Frame, frameBytes, FrameReader, kindsOf, mutated, randomBody } from "./frames.ts";
import type { Fuzz } from "./fuzz.ts";
import { layerWord, questions } from "./layer_words.ts";
import { helloBytes, openStage, rightAnswer, type Stage } from "./session_stage.ts";

const kinds = kindsOf(agentMessages);
const EIO = 5;
const processes = 4;
/** Questions of one process in one session. */
const mostQuestions = 60;
/** Turns of the event loop in which an answer comes, or the agent is silent. */
const patientTurns = 40;
const unasked = [
  agentMessages.incoming,
  agentMessages.notice,
  agentMessages.ping,
  agentMessages.welcome,
] as const;

export async function hostileAgent(fuzz: Fuzz): Promise<void> {
  while (!fuzz.isOver) {
    await oneSession(fuzz);
    await fuzz.rest();
  }
}

/** What the agent says where `right` would be. */
function said(fuzz: Fuzz, right: Frame): Uint8Array {
  const { random } = fuzz;
  const frames = [random.once(12) ? nonsense(fuzz, right) : right];
  if (random.once(16)) {
    const message = random.pick(unasked);
    const body = randomBody(random, message);
    frames.push({ kind: message.kind, flags: 0, id: 2 * random.below(40), body });
  }
  if (random.once(40)) {
    const { data, credit } = agentMessages;
    const id = random.below(20);
    if (random.once(2)) frames.push({ kind: data.kind, flags: random.below(3), id, body: random.bytes(100) });
    else frames.push({ kind: credit.kind, flags: 0, id, body: encode(credit, { bytes: random.number(32) }) });
  }
  if (random.once(30)) return mutated(random, frames, kinds);
  return new Uint8Array(frames.flatMap((frame) => [...frameBytes(frame)]));
}

/** An answer that is right by its form alone: any lengths, any numbers. */
function nonsense({ random }: Fuzz, { kind, flags, id }: Frame): Frame {
  const forms = Object.values(agentMessages).filter((message) => message.kind === kind);
  const message = (flags & 2) !== 0 ? agentMessages.failure : forms.at(-1) ?? agentMessages.failure;
  return { kind, flags, id, body: randomBody(random, message) };
}

async function oneSession(fuzz: Fuzz): Promise<void> {
  const { random } = fuzz;
  const bugs: string[] = [];
  let lost: { message: string; exitCode: number } | null = null;
  let believesGone = false;
  {
    await using stage = openStage({
      answer: (asked) => {
        const right = rightAnswer(random, asked);
        return right === null ? null : said(fuzz, right);
      },
      hasDoor: fuzz.plant !== "eio",
      emit: (event) => void (event.type === "servingFailed" && bugs.push(event.reason)),
    });
    const losing = stage.session.lost.then((reason) => lost = reason);
    const asking = Array.from(
      { length: processes },
      (_, index) =>
        oneProcess(fuzz, stage, BigInt(index + 1), () => lost !== null).then((gone) => believesGone ||= gone),
    );
    await Promise.all(asking);
    fuzz.check(
      !believesGone || lost !== null,
      "a process was told that the agent is gone, and the session goes on",
    );
    stage.endAgent();
    await losing;
  }
  const { message, exitCode } = lost ?? { message: "", exitCode: 0 };
  fuzz.check(exitCode === 74, `the session ends with ${exitCode}: ${message}`);
  fuzz.check(/^Cannot go on with the session: [^\n]+$/.test(message), `no sentence: ${message}`);
  fuzz.check(bugs.length === 0, bugs.join("\n"));
}

/** Asks until the session has ended; whether it was told that the agent is gone. */
async function oneProcess(
  fuzz: Fuzz,
  stage: Stage,
  identity: bigint,
  isLost: () => boolean,
): Promise<boolean> {
  const { random } = fuzz;
  using conn = await stage.connect();
  const reader = new FrameReader();
  const into = new Uint8Array(1 << 17);
  let [answers, isOver, isGone] = [0, false, false];
  const reading = (async () => {
    try {
      for (let count = await conn.read(into); count !== null; count = await conn.read(into)) {
        for (const frame of reader.take(into.subarray(0, count))) {
          answers++;
          isGone ||= saysGone(frame);
        }
      }
    } catch {
      // Ended by this side.
    }
    isOver = true;
  })();
  await conn.write(helloBytes(identity)).catch(() => {});
  for (let asked = 1; asked <= mostQuestions && !isOver && !isLost(); asked++) {
    await conn.write(frameBytes(layerWord(random, asked, questions))).catch(() => isOver = true);
    await fuzz.case();
    for (let turn = 0; answers <= asked && !isOver && turn < patientTurns; turn++) {
      await new Promise((resolve) => setTimeout(resolve));
    }
    // No answer: the agent is silent, as one that said half a frame is.
    if (answers <= asked || fuzz.isOver) break;
  }
  fuzz.answers += answers;
  // What was sent just before the session was lost has arrived by now.
  for (let turn = 0; isGone && !isLost() && turn < patientTurns; turn++) {
    await new Promise((resolve) => setTimeout(resolve));
  }
  conn.close();
  await reading;
  return isGone;
}

function saysGone({ flags, body }: Frame): boolean {
  if ((flags & 2) === 0) return false;
  const { errno, text } = decode(layerMessages.failure, body);
  return errno === EIO && /^(the agent is gone|Cannot )/.test(text);
}
