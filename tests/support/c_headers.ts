// What C headers declare and C files define, by the look of a line at the left margin. Used by house_test.ts,
// which holds each header to one C file.

interface SourceFile {
  path: string;
  text: string;
}

/** A function's name in a line that begins outside of any body, up to its end or body. */
const declaration = /^(?!static|typedef|extern|#|_\w|\s|\})[\w *\n]*?\b([a-z]\w*)\([^;{}]*\)[^;{]*;/gm;
const definition = /^(?!static|typedef|extern|#|\s|\})[\w *\n]*?\b([a-z]\w*)\([^;{}]*\)\s*\n?\{/gm;

function namesIn(file: SourceFile, pattern: RegExp): string[] {
  const code = file.text.replace(/\/\*[^]*?\*\//g, "");
  return [...code.matchAll(pattern)].map(([, name = ""]) => name);
}

/**
 * "layer/sys/program_linux.c" → "layer/sys/program": of what the file is the one source, on some platform or
 * with some libc.
 */
function unitOf(path: string): string {
  return path.replace(/(_linux|_darwin|_glibc|_musl)?\.[ch]$/, "");
}

/** The functions of each header that only C files of another name define: "header: function (file)". */
export function strayDeclarations(files: readonly SourceFile[]): { header: string; text: string }[] {
  const definers = new Map<string, string[]>();
  for (const file of files.filter(({ path }) => path.endsWith(".c"))) {
    for (const name of namesIn(file, definition)) {
      definers.set(name, [...definers.get(name) ?? [], file.path]);
    }
  }
  return files.filter(({ path }) => path.endsWith(".h")).flatMap((header) =>
    namesIn(header, declaration).flatMap((name) => {
      const places = definers.get(name) ?? [];
      const isOwn = places.length === 0 || places.some((path) => unitOf(path) === unitOf(header.path));
      return isOwn ? [] : [{ header: header.path, text: `${header.path}: ${name} (${places.join(", ")})` }];
    })
  );
}
