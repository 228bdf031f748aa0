// An answer against the recorded one: what differs, of what a client cares about. Called by play.ts. Headers
// that say when, by whom or how an answer was carried are left aside, and so is what the user named.

import diff from "microdiff";
import { type Header, header } from "./message.ts";
import type { RecordedAnswer, Turn } from "./recorded.ts";
import { hexLines, textOrNull } from "./shown_bytes.ts";

/** One thing that is not as it was. null: it was not there, or is not any more. */
export interface Difference {
  /** "status", "header NAME", "body", "body .items[0].id". */
  what: string;
  recorded: string | null;
  now: string | null;
}

/** What is compared beside status and body. */
export interface CompareOptions {
  /** Headers beside the usual ones, in small letters. */
  headers: readonly string[];
  /**
   * "status", "headers", "body", names of headers in small letters, or places of a JSON body (".items[].id").
   */
  ignore: ReadonlySet<string>;
}

/** Those that change what a client does with an answer. */
const comparedHeaders =
  /^(allow|cache-control|content-(disposition|language|type)|location|www-authenticate|access-control-.*)$/;
/** Of a body that differs in many places so many are named. */
const mostPlaces = 5;
const shownCharacters = 120;

/** What differs between two answers; empty: nothing. */
export function compareAnswers(
  recorded: RecordedAnswer,
  now: RecordedAnswer,
  { headers, ignore }: CompareOptions,
): Difference[] {
  const found: Difference[] = [];
  if (recorded.status !== now.status && !ignore.has("status")) {
    found.push({ what: "status", recorded: String(recorded.status), now: String(now.status) });
  }
  if (!ignore.has("headers")) {
    found.push(...compareHeaders(recorded.headers, now.headers, { headers, ignore }));
  }
  if (!ignore.has("body")) found.push(...compareBodies(recorded, now, ignore));
  return found;
}

/** What the target said in a conversation that is no HTTP/1. */
export function compareTurns(recorded: Turn, now: Uint8Array): Difference[] {
  return compareBytes("answer", recorded.bytes, now);
}

function compareHeaders(
  recorded: Header[],
  now: Header[],
  { headers, ignore }: CompareOptions,
): Difference[] {
  const names = new Set([...recorded, ...now].map(({ name }) => name.toLowerCase()));
  const wanted = [...names].filter((name) =>
    (comparedHeaders.test(name) || name === "set-cookie" || headers.includes(name)) && !ignore.has(name)
  );
  return wanted.sort().flatMap((name) => {
    const [before, after] = [recorded, now].map((list) => valueOf(list, name));
    return before === after ? [] : [{ what: `header ${name}`, recorded: before ?? null, now: after ?? null }];
  });
}

/** Comparable: a media type in small letters, of cookies the names. */
function valueOf(headers: Header[], name: string): string | undefined {
  if (name === "set-cookie") {
    const names = headers.filter((one) => one.name.toLowerCase() === name).map(({ value }) =>
      value.split("=")[0]
    );
    return names.length === 0 ? undefined : names.sort().join(", ");
  }
  const value = header({ headers }, name);
  return name === "content-type" ? value?.toLowerCase().replace(/;\s*/g, "; ").replaceAll('"', "") : value;
}

function compareBodies(
  recorded: RecordedAnswer,
  now: RecordedAnswer,
  ignore: ReadonlySet<string>,
): Difference[] {
  const known = recorded.isCut ? recorded.body.length : Infinity;
  const [before, after] = [recorded.body, now.body.subarray(0, known)];
  if (now.isCut) return [{ what: "body", recorded: `${before.length} bytes`, now: "not complete" }];
  const [one, other] = [jsonOf(recorded), jsonOf(now)];
  if (one !== undefined && other !== undefined && !recorded.isCut) {
    return compareJson(one.value, other.value, ignore);
  }
  return compareBytes("body", before, after);
}

function compareBytes(what: string, before: Uint8Array, after: Uint8Array): Difference[] {
  const length = Math.min(before.length, after.length);
  let at = 0;
  while (at < length && before[at] === after[at]) at++;
  if (at === before.length && at === after.length) return [];
  const [one, other] = [textOrNull(before), textOrNull(after)];
  if (one === null || other === null) {
    const row = at - at % 16;
    const shown = (bytes: Uint8Array) =>
      row < bytes.length ? hexLines(bytes.subarray(row, row + 16))[0]?.slice(10) ?? null : null;
    return [{ what: `${what} at byte ${at}`, recorded: shown(before), now: shown(after) }];
  }
  const [lines, others] = [one.split(/\r?\n/), other.split(/\r?\n/)];
  const line = lines.findIndex((text, i) => text !== others[i]);
  const number = line < 0 ? Math.min(lines.length, others.length) : line;
  return [{ what: `${what}, line ${number + 1}`, recorded: cut(lines[number]), now: cut(others[number]) }];
}

/** The value of a JSON body, whatever its type is called. */
function jsonOf({ body, headers }: RecordedAnswer): { value: unknown } | undefined {
  const type = header({ headers }, "content-type") ?? "";
  if (!/json/i.test(type) && body[0] !== 0x7b && body[0] !== 0x5b) return undefined;
  try {
    return { value: JSON.parse(new TextDecoder().decode(body)) };
  } catch {
    return undefined;
  }
}

function compareJson(before: unknown, after: unknown, ignore: ReadonlySet<string>): Difference[] {
  // Wrapped: microdiff compares what objects hold.
  const changes = diff({ body: before }, { body: after }).filter(({ path }) =>
    !isIgnored(path.slice(1), ignore)
  );
  const shown = changes.slice(0, mostPlaces).map((change): Difference => ({
    what: `body ${placeOf(change.path.slice(1))}`.trim(),
    recorded: change.type === "CREATE" ? null : cut(JSON.stringify(change.oldValue)),
    now: change.type === "REMOVE" ? null : cut(JSON.stringify(change.value)),
  }));
  const more = changes.length - shown.length;
  return more > 0 ? [...shown, { what: `body, ${more} more places`, recorded: null, now: null }] : shown;
}

/** A place, or one around it, that the user named; "[]" stands for any number. */
function isIgnored(path: (string | number)[], ignore: ReadonlySet<string>): boolean {
  for (let length = 1; length <= path.length; length++) {
    const place = placeOf(path.slice(0, length));
    if (ignore.has(place) || ignore.has(place.replace(/\[\d+\]/g, "[]"))) return true;
  }
  return false;
}

/** ".items[0].id". */
function placeOf(path: (string | number)[]): string {
  return path.map((step) => typeof step === "number" ? `[${step}]` : `.${step}`).join("");
}

function cut(text: string | undefined): string | null {
  if (text === undefined) return null;
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)} …` : text;
}
