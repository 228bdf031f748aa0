// An API server that a test plays over plain http, and mirrord run from its sources against it: for
// commands that only ask. The kubeconfig has the contexts "here" (the namespace that the test names) and
// "there" ("far").

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** What a run ended with. */
export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** The refusal of a request that a user may not make. */
export function forbidden(resource: string, place: string): Response {
  const message =
    `${resource} is forbidden: User "u" cannot list resource "${resource}" in API group "" ${place}`;
  return Response.json({ kind: "Status", reason: "Forbidden", code: 403, message }, { status: 403 });
}

/** The answer for what is not there. */
export function notFound(what: string): Response {
  const message = `${what} not found`;
  return Response.json({ kind: "Status", reason: "NotFound", code: 404, message }, { status: 404 });
}

/** Runs mirrord once for each of `lines`, side by side, in a folder that holds the kubeconfig. */
export async function runAgainst(
  answer: (request: Request) => Response | Promise<Response>,
  { namespace, lines }: { namespace: string; lines: string[][] },
): Promise<Ran[]> {
  const folder = await Deno.makeTempDir();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  try {
    const cluster = { server: `http://127.0.0.1:${server.addr.port}` };
    const context = (name: string, where: string) => ({ name, context: { cluster: "c", namespace: where } });
    await Deno.writeTextFile(
      `${folder}/config`,
      JSON.stringify({
        "current-context": "here",
        clusters: [{ name: "c", cluster }],
        contexts: [context("here", namespace), context("there", "far")],
      }),
    );
    return await Promise.all(lines.map(async (line) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", `${root}main.ts`, ...line],
        cwd: folder,
        env: { KUBECONFIG: `${folder}/config`, NO_COLOR: "1" },
        stdin: "null",
      }).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      return { code, stdout: text(stdout), stderr: text(stderr) };
    }));
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}
