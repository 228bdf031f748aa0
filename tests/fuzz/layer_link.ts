// What a process of the app says to the session: frames of every kind, right and broken, on links that end
// anyhow. A process is hostile to itself at most: others go on being served, and the session neither fails
// nor grows.

import { layerMessages } from "../../protocol-wasm/mod.ts";
import { frameBytes, FrameReader, framesBytes, kindsOf, mutated } from "./frames.ts";
import type { Fuzz } from "./fuzz.ts";
import { asking, layerWord, questions, tellings } from "./layer_words.ts";
import { numberOf, type Random } from "./random.ts";
import { helloBytes, openStage, rightAnswer, rightBytes, type Stage } from "./session_stage.ts";

const kinds = kindsOf(layerMessages);
const among = [...asking, ...questions, ...tellings];
/** Frames of one link, and links of one session. */
const mostFrames = 100;
const linksOfSession = 64;
const atOnce = 8;
const sessionsAtOnce = 2;

export async function layerLink(fuzz: Fuzz): Promise<void> {
  await fuzz.rounds(sessionsAtOnce, (random) => oneSession(fuzz, random));
  fuzz.checkSaid([...questions, ...tellings]);
}

async function oneSession(fuzz: Fuzz, random: Random): Promise<void> {
  const bugs: string[] = [];
  await using stage = openStage({
    answer: (asked) => {
      const choices = random.part(numberOf(asked.body));
      const answer = rightAnswer(choices, asked);
      return answer === null ? null : framesBytes([answer, ...rightBytes(choices, asked, answer)]);
    },
    emit: (event) => void (event.type === "servingFailed" && bugs.push(event.reason)),
  });
  let lost: Error | null = null;
  void stage.session.lost.then((reason) => lost = reason);
  let identity = 10;
  for (let links = 0; links < linksOfSession && !fuzz.isOver; links += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, () => oneProcess(fuzz, stage, random, identity++)));
    if (fuzz.plant === "lost") stage.endAgent();
    fuzz.check(await isServed(stage, identity++), "another process is not served any more");
    fuzz.check(lost === null, `the session is lost: ${lost}`);
    fuzz.check(bugs.length === 0, bugs.join("\n"));
  }
}

/** One process's link, from hello to an end of some kind. */
async function oneProcess(fuzz: Fuzz, stage: Stage, session: Random, identity: number): Promise<void> {
  const random = session.part(identity);
  const conn = await stage.connect();
  const reads = !random.once(10);
  const heard = new Answers();
  const reading = reads ? heard.read(conn) : Promise.resolve();
  try {
    if (!random.once(30)) await conn.write(helloBytes(BigInt(identity)));
    for (let said = 0, isBroken = false; said < mostFrames; said++) {
      const words = [layerWord(random, said, among)];
      while (random.once(3)) words.push(layerWord(random, said, among));
      for (const { name } of words) fuzz.says(name);
      // Behind a frame that is cut the session waits for its rest.
      isBroken ||= random.once(40);
      const bytes = isBroken ? mutated(random, words, kinds) : framesBytes(words);
      const before = heard.count;
      await writeAll(conn, bytes);
      await fuzz.case();
      if (fuzz.isOver || (isBroken && random.once(4))) break;
      // Mostly a process waits for its answer; a session that gives none for so long has left it.
      const asks = words.some(({ name }) => !tellings.includes(name));
      if (reads && asks && !isBroken && !random.once(4)) await heard.more(before);
    }
  } catch (error) {
    // The session ended the link: what it received was nonsense.
    if (!isGone(error)) throw error;
  }
  if (reads && random.once(2)) await conn.closeWrite().catch(() => {});
  else closeQuietly(conn);
  await reading;
  fuzz.answers += heard.count;
  closeQuietly(conn);
}

/** What the session answers to one process. */
class Answers {
  count = 0;
  #isOver = false;
  #wake = Promise.withResolvers<void>();

  /** Resolves when there are more than `before`, or can be none any more. */
  async more(before: number): Promise<void> {
    while (this.count <= before && !this.#isOver) await this.#wake.promise;
  }

  async read(conn: Deno.Conn): Promise<void> {
    const reader = new FrameReader();
    const into = new Uint8Array(65_536);
    try {
      for (let count = await conn.read(into); count !== null; count = await conn.read(into)) {
        const frames = reader.take(into.subarray(0, count)).length;
        if (frames === 0) continue;
        this.count += frames;
        this.#wake.resolve();
        this.#wake = Promise.withResolvers();
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    } finally {
      this.#isOver = true;
      this.#wake.resolve();
    }
  }
}

/** A process that does as it should: is its question answered? */
async function isServed(stage: Stage, identity: number): Promise<boolean> {
  using conn = await stage.connect();
  const body = new Uint8Array();
  const question = frameBytes({ kind: layerMessages.hostName.kind, flags: 0, id: 1, body });
  await writeAll(conn, helloBytes(BigInt(identity)));
  await writeAll(conn, question);
  const reader = new FrameReader();
  const into = new Uint8Array(65_536);
  for (let answers = 0; answers < 2;) {
    const count = await conn.read(into);
    if (count === null) return false;
    answers += reader.take(into.subarray(0, count)).length;
  }
  return true;
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It is closed already.
  }
}
