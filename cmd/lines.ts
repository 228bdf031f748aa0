// The output of a program as whole lines. Called by up_run.ts.

/** A line that is longer comes in parts. */
const longestBytes = 1 << 20;
const newline = 10;

/** The lines of `stream`, each with its newline; the last one gets one. */
export async function* wholeLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  let begun: Uint8Array[] = [];
  let length = 0;
  const take = (part: Uint8Array, end: number[]): Uint8Array => {
    const line = new Uint8Array(length + part.length + end.length);
    let at = 0;
    for (const one of [...begun, part]) {
      line.set(one, at);
      at += one.length;
    }
    line.set(end, at);
    begun = [];
    length = 0;
    return line;
  };
  for await (const chunk of stream) {
    let from = 0;
    for (let to = chunk.indexOf(newline); to >= 0; to = chunk.indexOf(newline, from)) {
      yield take(chunk.subarray(from, to + 1), []);
      from = to + 1;
    }
    if (from === chunk.length) continue;
    begun.push(chunk.slice(from));
    length += chunk.length - from;
    if (length >= longestBytes) yield take(new Uint8Array(), [newline]);
  }
  if (length > 0) yield take(new Uint8Array(), [newline]);
}
