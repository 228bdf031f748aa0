// The system's own programs that tell of processes and sockets: ps(1) and lsof(8). Run by its neighbours and
// by core/launch/darwin. On Linux, where the tests run, they lie elsewhere.

export const lsof: readonly string[] = ["/usr/sbin/lsof", "/usr/bin/lsof"];
export const ps: readonly string[] = ["/bin/ps", "/usr/bin/ps"];

/**
 * What the first of `places` that is there prints, whatever its exit code: an empty listing is an error to
 * them. Throws when none is there, or it cannot be run.
 */
export function outputOf(places: readonly string[], args: readonly string[]): string {
  for (const place of places) {
    try {
      const { stdout } = new Deno.Command(place, { args: [...args], stdin: "null", stderr: "null" })
        .outputSync();
      return new TextDecoder().decode(stdout);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error(`there is no ${places[0]}, which every Mac has`);
}

/** Its lines, without those that are blank. */
export function linesOf(places: readonly string[], args: readonly string[]): string[] {
  return outputOf(places, args).split("\n").filter((line) => line.trim() !== "");
}
