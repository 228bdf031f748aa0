// Reading values out of a kubeconfig file, and the words for one that cannot be used.
// Called by the other files of this room.

import { exitCodes, KubeError } from "../base/errors.ts";

const configHelp = "Check the file, or name another with --kubeconfig or KUBECONFIG.";

/** Reads a PEM file that `file` names. */
export async function readPem(path: string, file: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    const state = cause instanceof Deno.errors.NotFound ? "does not exist" : "cannot be read";
    throw unusable(file, `the file "${path}" that it names ${state}`, cause);
  }
}

/** Decodes base64 text that stands under `key` in `file`. */
export function decodeBase64(file: string, key: string, text: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.fromBase64(text.replace(/\s+/g, "")));
  } catch (cause) {
    throw unusable(file, `"${key}" is not base64`, cause);
  }
}

/** `Cannot use the kubeconfig "FILE": …`, exit code 78. */
export function unusable(file: string, state: string, cause?: unknown, help = configHelp): KubeError {
  return new KubeError(`Cannot use the kubeconfig "${file}": ${state}`, {
    help,
    exitCode: exitCodes.config,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A text value that is not empty. */
export function textOf(table: Record<string, unknown>, key: string): string | undefined {
  const value = table[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A plain table, not a list. */
export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
