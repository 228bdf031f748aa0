// What an agent answers to the session, and says by itself: right and broken, while processes of the app ask.
// Whatever it says, each process has an answer or the end of its link, and the session either goes on or is
// lost with 74 and a sentence: no process is left in EIO by a session that believes that all is well.

import { agentLimits, agentMessages, decode, encode, layerMessages } from "../../protocol-wasm/mod.ts";
import { type Frame, frameBytes, FrameReader, framesBytes, kindsOf, mutated, randomBody } from "./frames.ts";
import { type Fuzz, turn } from "./fuzz.ts";
import { asking, layerWord, questions } from "./layer_words.ts";
import { numberOf, type Random } from "./random.ts";
import {
  type AgentKind,
  helloBytes,
  openStage,
  rightAnswer,
  rightBytes,
  type Stage,
} from "./session_stage.ts";

const kinds = kindsOf(agentMessages);
const EIO = 5;
const processes = 4;
const sessionsAtOnce = 4;
/** Questions of one process in one session. */
const mostQuestions = 60;
/** How long an answer may take once the agent said a broken frame: it may be silent for good. */
const patienceMs = 40;
/** How long a session that told a process that its agent is gone may go on itself. */
const losingMs = 10_000;
/** What an agent says although nobody asked. */
const unasked = (Object.keys(agentMessages) as AgentKind[]).filter((name) =>
  name === "ping" || ["agent", "either"].includes(agentLimits[name].by)
);
/** What this session asks while it is used; the rest it asks before, or sends one way. */
const askedLater = questions.filter((name) => name in agentMessages);

export async function hostileAgent(fuzz: Fuzz): Promise<void> {
  await fuzz.rounds(sessionsAtOnce, (random) => oneSession(fuzz, random));
  fuzz.checkSaid([...unasked, ...askedLater]);
}

interface Said {
  bytes: Uint8Array;
  /** It may be no whole frames: what follows may be read as part of it, and never be answered. */
  isBroken: boolean;
}

/** What the agent says where `right` would be; in a session with patience it mostly is that. */
function said(
  fuzz: Fuzz,
  random: Random,
  { right: [answer, ...behind], patience }: { right: [Frame, ...Frame[]]; patience: number },
): Said {
  const frames = [random.once(12 * patience) ? nonsense(random, answer) : answer, ...behind];
  if (random.once(16 * patience)) {
    const name = random.pick(unasked);
    const message = agentMessages[name];
    const body = randomBody(random, message);
    frames.push({ kind: message.kind, flags: 0, id: 2 * random.below(40), body });
    fuzz.says(name);
  }
  if (random.once(40 * patience)) {
    const { data, credit } = agentMessages;
    const id = random.below(20);
    if (random.once(2)) frames.push({ kind: data.kind, flags: random.below(3), id, body: random.bytes(100) });
    else frames.push({ kind: credit.kind, flags: 0, id, body: encode(credit, { bytes: random.number(32) }) });
  }
  const isBroken = random.once(30 * patience);
  return { isBroken, bytes: isBroken ? mutated(random, frames, kinds) : framesBytes(frames) };
}

/** An answer that is right by its form alone: any lengths, any numbers. */
function nonsense(random: Random, { kind, flags, id }: Frame): Frame {
  const forms = Object.values(agentMessages).filter((message) => message.kind === kind);
  const message = (flags & 2) !== 0 ? agentMessages.failure : forms.at(-1) ?? agentMessages.failure;
  return { kind, flags, id, body: randomBody(random, message) };
}

async function oneSession(fuzz: Fuzz, random: Random): Promise<void> {
  const bugs: string[] = [];
  const times = new Map<number, number>();
  const patience = random.pick([1, 1, 8]);
  let lost: { message: string; exitCode: number } | null = null;
  let believesGone = false;
  let isBroken = false;
  {
    await using stage = openStage({
      // The same question has the same answer in every run, whichever process asks first.
      answer: (asked) => {
        const question = numberOf(asked.body) ^ asked.kind;
        const time = times.get(question) ?? 0;
        times.set(question, time + 1);
        const choices = random.part(question).part(time);
        const right = rightAnswer(choices, asked);
        isBroken ||= right === null;
        if (right === null) return null;
        fuzz.says(asked.name);
        const words = said(fuzz, choices, { right: [right, ...rightBytes(choices, asked, right)], patience });
        isBroken ||= words.isBroken;
        return words.bytes;
      },
      hasDoor: fuzz.plant !== "eio",
      emit: (event) => void (event.type === "servingFailed" && bugs.push(event.reason)),
    });
    const losing = stage.session.lost.then((reason) => lost = reason);
    const asking = Array.from(
      { length: processes },
      (_, index) =>
        oneProcess(fuzz, {
          stage,
          random: random.part(index),
          identity: BigInt(index + 1),
          losing,
          isSilent: () => isBroken,
        })
          .then((gone) => believesGone ||= gone),
    );
    await Promise.all(asking);
    // What was told just before the session was lost is known to it soon.
    if (believesGone) await within(losing, losingMs);
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

interface Asking {
  stage: Stage;
  random: Random;
  identity: bigint;
  losing: Promise<unknown>;
  /** The agent may be silent from now on. */
  isSilent: () => boolean;
}

/** Asks until the session has ended; whether it was told that the agent is gone. */
async function oneProcess(
  fuzz: Fuzz,
  { stage, random, identity, losing, isSilent }: Asking,
): Promise<boolean> {
  using conn = await stage.connect();
  const reader = new FrameReader();
  const into = new Uint8Array(1 << 17);
  let [answers, isOver, isGone] = [0, false, false];
  let wake = Promise.withResolvers<void>();
  const reading = (async () => {
    try {
      for (let count = await conn.read(into); count !== null; count = await conn.read(into)) {
        for (const frame of reader.take(into.subarray(0, count))) {
          answers++;
          isGone ||= saysGone(frame);
        }
        wake.resolve();
        wake = Promise.withResolvers();
      }
    } catch {
      // Ended by this side.
    }
    isOver = true;
    wake.resolve();
  })();
  void losing.then(() => {
    isOver = true;
    wake.resolve();
  });
  await conn.write(helloBytes(identity)).catch(() => {});
  for (let asked = 1; asked <= mostQuestions && !isOver; asked++) {
    await conn.write(frameBytes(layerWord(random, asked, asking))).catch(() => isOver = true);
    await fuzz.case();
    while (answers <= asked && !isOver) {
      if (!await within(wake.promise, patienceMs) && isSilent()) break;
    }
    if (answers <= asked || fuzz.isOver) break;
  }
  fuzz.answers += answers;
  // What the session sent last has arrived by then.
  await turn();
  conn.close();
  await reading;
  return isGone;
}

/** Whether `promise` resolves before that. */
async function within(promise: Promise<unknown>, limitMs: number): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), limitMs);
  try {
    return await Promise.race([promise.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function saysGone({ flags, body }: Frame): boolean {
  if ((flags & 2) === 0) return false;
  const { errno, text } = decode(layerMessages.failure, body);
  return errno === EIO && /^(the agent is gone|Cannot )/.test(text);
}
