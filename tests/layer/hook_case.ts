// The shape of the cases of hook_cases.ts and its parts.

/** A case; `layer` is the library to load. */
export type HookCase = (layer: string) => Promise<void>;
