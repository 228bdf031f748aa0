// How much a node pulls for the agent: the compressed layers of this machine's image, in
// dist/mirrord-agent.tar (OCI image layout). Called by start.ts.

interface Descriptor {
  digest: string;
  size: number;
  platform?: { architecture: string };
}

const root = decodeURIComponent(new URL("../", import.meta.url).pathname);

/** Bytes. */
export async function imageSize(): Promise<number> {
  const top = await read("index.json") as { manifests: Descriptor[] };
  const index = await readBlob(top.manifests[0]) as { manifests: Descriptor[] };
  const wanted = Deno.build.arch === "aarch64" ? "arm64" : "amd64";
  const own = index.manifests.find(({ platform }) => platform?.architecture === wanted);
  const { layers } = await readBlob(own) as { layers: Descriptor[] };
  return layers.reduce((sum, { size }) => sum + size, 0);
}

function readBlob(descriptor: Descriptor | undefined): Promise<unknown> {
  if (descriptor === undefined) {
    throw new Error("Cannot read the agent's image: it has no image for this machine");
  }
  return read(`blobs/${descriptor.digest.replace(":", "/")}`);
}

async function read(path: string): Promise<unknown> {
  const args = ["-xOf", `${root}dist/mirrord-agent.tar`, path];
  const { success, stdout, stderr } = await new Deno.Command("tar", { args }).output();
  if (!success) throw new Error(`Cannot read the agent's image: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}
