// The calls of layer/hooks.h that are hooked on macOS: those of every platform and those of Darwin alone.

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** Their names, sorted; calls with a list of arguments (execl and its family) included. */
export function darwinHooks(): string[] {
  const names = ["hooks", "hooks_files"].flatMap((header) =>
    Deno.readTextFileSync(`${root}layer/${header}.h`).split(/^#define /m)
      .filter((block) =>
        /^LAYER_\w+\(X\)/.test(block) && !/^LAYER_\w*(LINUX|GLIBC|MUSL|NUMBERED)\w*\(X\)/.test(block)
      )
      .flatMap((block) => [...block.matchAll(/^\tX\([\w ]+\*?, (\w+),/gm)].map(([, name = ""]) => name))
  );
  return [...new Set(names)].sort();
}
