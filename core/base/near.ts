// Which of the known words did the user mean? Called wherever a name is refused: config keys, targets,
// contexts. Pure text; the answer is a hint and never decides anything.

/** Up to `limit` of `known` that look like `word`, nearest first; empty when none is close. */
export function nearWords(word: string, known: Iterable<string>, limit = 3): string[] {
  const wanted = word.toLowerCase();
  const allowed = Math.max(1, Math.floor(wanted.length / 3));
  const close = [...new Set(known)]
    .map((name) => ({ name, distance: closeness(wanted, name.toLowerCase()) }))
    .filter(({ distance }) => distance <= allowed)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  const best = close[0]?.distance ?? 0;
  return close.filter(({ distance }) => distance <= best + 1).slice(0, limit).map(({ name }) => name);
}

/** `"a", "b" or "c"`, for use in a sentence. */
export function quoteList(words: readonly string[], joint = "or"): string {
  const quoted = words.map((word) => JSON.stringify(word));
  const last = quoted.pop();
  if (last === undefined) return "";
  return quoted.length === 0 ? last : `${quoted.join(", ")} ${joint} ${last}`;
}

/**
 * A prefix counts as one step, however much is missing; otherwise the number of edits (swap of neighbours =
 * 1).
 */
function closeness(a: string, b: string): number {
  if (a.length >= 3 && b.startsWith(a)) return Math.min(1, b.length - a.length);
  return editDistance(a, b);
}

/** Optimal string alignment distance: insert, delete, replace, swap neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, at(beforeLast, column - 2) + 1);
      }
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.MAX_SAFE_INTEGER;
}
