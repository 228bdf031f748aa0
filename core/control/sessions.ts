// The sessions of this user as other programs see them: by their control sockets. Called by cmd/session.ts
// and by what shows sessions. A socket that nobody serves any more is removed.

import { within } from "../base/pause.ts";
import { closeQuietly } from "../session/streams.ts";
import { controlFolders, type SocketName, socketsIn } from "./folder.ts";
import { type Answer, linesOf, type Question, type SessionFacts } from "./messages.ts";

/** How long a session may take to answer; one that was stopped by Ctrl-Z does not. */
const answerMs = 2000;
/** A socket that is younger may not be served yet. */
const youngMs = 5000;

/** A session that lives. */
export interface FoundSession extends SocketName {
  /** null: it does not answer; it is stopped, or busy. */
  facts: SessionFacts | null;
}

/** All of them, the oldest first. */
export async function listSessions(): Promise<FoundSession[]> {
  const names = controlFolders().flatMap(socketsIn);
  const found = await Promise.all(names.map(async (name) => {
    const conn = await connected(name);
    return conn === null ? [] : [{ ...name, facts: await factsBy(conn) }];
  }));
  const since = ({ facts }: FoundSession) => facts?.since ?? "";
  return found.flat().sort((one, other) => since(one) < since(other) ? -1 : 1);
}

/** Removes the sockets in `folder` that killed sessions left. */
export async function removeLeft(folder: string): Promise<void> {
  for (const name of socketsIn(folder)) {
    const conn = await connected(name);
    if (conn !== null) closeQuietly(conn);
  }
}

/**
 * What happens in a session, from its first kept event on, until it ends or `signal` aborts; `details` as
 * well.
 */
export async function* watchSession(
  name: SocketName,
  { signal, details }: { signal: AbortSignal; details: boolean },
): AsyncGenerator<Answer> {
  const conn = await connected(name);
  if (conn === null) return;
  const close = () => closeQuietly(conn);
  signal.addEventListener("abort", close);
  try {
    if (signal.aborted) return;
    await ask(conn, { ask: "watch", details });
    for await (const line of linesOf(conn)) yield JSON.parse(line) as Answer;
  } catch (error) {
    // The session is gone, or nobody watches any more.
    if (error instanceof RangeError || error instanceof SyntaxError) throw error;
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}

/** A session that is being ended. */
export interface EndingSession extends Disposable {
  /** It has said that it ends. */
  answered: boolean;
  /** Resolves when it is gone. */
  gone: Promise<void>;
}

/** Asks the session to end; null: it is gone. One that does not answer is left to the caller. */
export async function endSession(name: SocketName, how: "stop" | "kill"): Promise<EndingSession | null> {
  const conn = await connected(name);
  if (conn === null) return null;
  const lines = linesOf(conn);
  const first = ask(conn, { ask: how }).then(() => lines.next()).catch(() => null);
  const answered = await within<unknown>(first, answerMs, null) !== null;
  const gone = first.then(async () => {
    try {
      while ((await lines.next()).done !== true);
    } catch {
      // It is gone, or this side has closed the connection.
    }
  });
  return { answered, gone, [Symbol.dispose]: () => closeQuietly(conn) };
}

/** null: nobody serves it. */
async function connected({ path }: SocketName): Promise<Deno.Conn | null> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) removeStale(path);
    return null;
  }
}

function removeStale(path: string): void {
  try {
    const { mtime } = Deno.lstatSync(path);
    if (mtime !== null && Date.now() - mtime.getTime() > youngMs) Deno.removeSync(path);
  } catch {
    // Another program removed it.
  }
}

async function factsBy(conn: Deno.Conn): Promise<SessionFacts | null> {
  try {
    const first = ask(conn, { ask: "facts" }).then(() => linesOf(conn).next()).catch(() => null);
    const answer = await within(first, answerMs, null);
    const told = answer?.done === false ? JSON.parse(answer.value) as Answer : null;
    return told !== null && "facts" in told ? told.facts : null;
  } finally {
    closeQuietly(conn);
  }
}

async function ask(conn: Deno.Conn, question: Question): Promise<void> {
  await conn.write(new TextEncoder().encode(`${JSON.stringify(question)}\n`));
}
