// Circles in a graph of files, by Tarjan's algorithm ("Depth-first search and linear graph algorithms",
// 1972). Used by house_test.ts for imports and #includes.

/**
 * Each circle of `graph` (a file → the files that it names) as a sorted list of its files; files outside the
 * graph are ignored.
 */
export function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const numbers = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    const number = numbers.size;
    numbers.set(file, number);
    lowest.set(file, number);
    open.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!graph.has(next)) continue;
      if (!numbers.has(next)) visit(next);
      if (open.includes(next)) lowest.set(file, Math.min(at(lowest, file), at(lowest, next)));
    }
    if (lowest.get(file) !== number) return;
    const circle = open.splice(open.indexOf(file));
    if (circle.length > 1) found.push(circle.sort());
  };
  for (const file of graph.keys()) if (!numbers.has(file)) visit(file);
  return found;
}

function at(numbers: ReadonlyMap<string, number>, file: string): number {
  return numbers.get(file) ?? Infinity;
}
