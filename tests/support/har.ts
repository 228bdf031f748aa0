// HAR files as other programs read them: checked by the published JSON schemas of HAR 1.2.

import assert from "node:assert/strict";
import { harPackages } from "./packages.ts";

const script = decodeURIComponent(new URL("../apps/har_check.cjs", import.meta.url).pathname);

/** The parts of an entry that tests look at. */
export interface HarEntry {
  _comment?: string;
  request: { method: string; url: string; postData?: { text: string }; cookies: unknown[] };
  response: { status: number; content: { size: number; text?: string; mimeType: string } };
}

/** The file's entries, and its remark about the whole. Throws where the schema is not met. */
export async function readHar(path: string): Promise<{ entries: HarEntry[]; comment: string | undefined }> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--unstable-detect-cjs", script, await harPackages(), path],
  }).output();
  const decoder = new TextDecoder();
  assert.deepEqual([decoder.decode(stdout), decoder.decode(stderr)], ["", ""]);
  const har = JSON.parse(await Deno.readTextFile(path));
  return { entries: har.log.entries, comment: har.log._comment };
}
