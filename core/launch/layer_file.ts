// Unpacks the layer that this binary carries into the session's private directory. Called by cmd/exec.ts; the
// directory's owner removes it.

/** Writes the layer for this machine to `folder` (mode 0600) and returns its path. */
export function unpackLayer(folder: string): string {
  const bytes = Deno.readFileSync(new URL(`./layer_linux_${Deno.build.arch}.so`, import.meta.url));
  const path = `${folder}/libmirrord_layer.so`;
  Deno.writeFileSync(path, bytes, { mode: 0o600, createNew: true });
  return path;
}
