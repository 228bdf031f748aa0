// Command lines taken apart: words of a variable, values of an option, "host:port" as debuggers write it.
// Called by debugger_table.ts. Pure.

/**
 * The words of `text`, as NODE_OPTIONS, JAVA_TOOL_OPTIONS and argument files have them: by white space, with
 * quotes.
 */
export function wordsOf(text: string): string[] {
  return [...text.matchAll(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/gs)].map(([word]) =>
    word.replace(
      /"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/gs,
      (_all, double?: string, single?: string, escaped?: string) =>
        double?.replace(/\\(.)/gs, "$1") ?? single ?? escaped ?? "",
    )
  );
}

/**
 * The values of `option` among `words`: "--option=value", or the word behind it; "" where neither is there.
 */
export function optionValues(words: readonly string[], option: string): string[] {
  return words.flatMap((word, index) => {
    if (word.startsWith(`${option}=`)) return [word.slice(option.length + 1)];
    if (word !== option) return [];
    const next = words[index + 1] ?? "";
    return [next.startsWith("-") ? "" : next];
  });
}

/** "port", "host:port", "[host]:port", "host", "*:port"; `standard` where there is no port. */
export function hostAndPort(text: string, standard: number): { host: string; port: number } {
  const [, host = "", port] = /^(?:(.*):)?(\d+)/.exec(text) ?? [null, text.replace(/:$/, "")];
  const number = Number(port ?? standard);
  return { host: host.replace(/^\[|\]$/g, ""), port: number <= 65535 ? number : standard };
}
