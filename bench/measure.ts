// What every benchmark needs: medians, and pairs measured in turn so that a drifting machine hits both alike.

/** The middle value; the mean of the two middle ones for an even count. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/**
 * Measures `ours` and `peer` in turn, `rounds` times after one warm-up of each; medians and the median of the
 * ratios.
 */
export async function compare(
  ours: () => Promise<number>,
  peer: () => Promise<number>,
  rounds: number,
): Promise<{ ours: number; peer: number; ratio: number }> {
  await ours();
  await peer();
  const pairs: [number, number][] = [];
  for (let round = 0; round < rounds; round++) pairs.push([await ours(), await peer()]);
  return {
    ours: median(pairs.map(([value]) => value)),
    peer: median(pairs.map(([, value]) => value)),
    ratio: median(pairs.map(([value, other]) => value / other)),
  };
}

/** Prints one line of a result. */
export function report(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}
