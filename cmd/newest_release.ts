// What is newest among the releases at the download base, and its program for this machine: the checksums are
// believed for their signature, the program for its checksum. Called by upgrade.ts. Only https, but for a
// server of this machine's own.

import { createHash } from "node:crypto";
import { exitCodes, MirrordError } from "../core/base/errors.ts";
import { noteStep } from "../core/base/progress.ts";
import { verifySignature } from "./minisign.ts";
import type { Origin } from "./origin.ts";

/** A release whose checksums are verified. */
export interface Release {
  version: string;
  /** File name → SHA-256 in hexadecimal. */
  checksums: Map<string, string>;
}

/** Texts of a release are small, its program is not; what is larger is not downloaded to the end. */
const mostTextBytes = 1 << 20;
const mostProgramBytes = 1 << 30;

function unavailable(message: string, options: { help?: string; cause?: unknown } = {}): MirrordError {
  return new MirrordError(message, { exitCode: exitCodes.unavailable, ...options });
}

/** Whether a download from `url` can be trusted to come from its host. */
export function isSafeUrl(url: string): boolean {
  const { protocol, hostname, username } = URL.parse(url) ?? {};
  if (username !== "") return false;
  return protocol === "https:" ||
    (protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname ?? ""));
}

/** The newest release; throws MirrordError when its signature is not that of the origin's key. */
export async function newestRelease(origin: Origin, signal: AbortSignal): Promise<Release> {
  const url = `${origin.downloadBase}/latest/checksums.txt`;
  const text = await download(url, signal);
  const signature = new TextDecoder().decode(await download(`${url}.minisig`, signal));
  let comment: string;
  try {
    comment = await verifySignature(text, { signature, publicKey: origin.publicKey });
  } catch (cause) {
    throw unavailable(`Cannot verify "${url}": its signature is not that of mirrord's key`, {
      help: `Do not use what this server offers. Try another network, and report it: ${origin.homepage}`,
      cause,
    });
  }
  const version = /^mirrord ([0-9A-Za-z.+-]+)$/.exec(comment)?.[1];
  if (version === undefined) throw unavailable(`Cannot use "${url}": its signature names no release`);
  const lines = new TextDecoder().decode(text).matchAll(/^([0-9a-f]{64}) [ *](\S+)$/gm);
  return { version, checksums: new Map([...lines].map(([, sum = "", name = ""]) => [name, sum])) };
}

/** Writes file `name` of the release to `to`; throws MirrordError when its checksum is another. */
export async function downloadVerified(
  { version, checksums }: Release,
  options: { name: string; to: Deno.FsFile; origin: Origin; signal: AbortSignal },
): Promise<void> {
  const { name, to, origin, signal } = options;
  const expected = checksums.get(name);
  if (expected === undefined) {
    throw unavailable(`Cannot download "${name}": release ${version} has no build for this machine`, {
      help: `See ${origin.homepage}`,
    });
  }
  const url = `${origin.downloadBase}/v${version}/${name}`;
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of chunksOf(url, { signal, most: mostProgramBytes })) {
    hash.update(chunk);
    for (let written = 0; written < chunk.length;) written += await to.write(chunk.subarray(written));
    size += chunk.length;
    noteStep(`${(size / 1e6).toFixed(0)} MB`);
  }
  if (hash.digest("hex") !== expected) {
    throw unavailable(`Cannot verify "${url}": its checksum is wrong; nothing was changed`, {
      help: "The file was damaged or changed on its way: run this again, from another network if it stays.",
    });
  }
}

async function download(url: string, signal: AbortSignal): Promise<Uint8Array> {
  const parts: number[] = [];
  for await (const chunk of chunksOf(url, { signal, most: mostTextBytes })) parts.push(...chunk);
  return new Uint8Array(parts);
}

async function* chunksOf(
  url: string,
  { signal, most }: { signal: AbortSignal; most: number },
): AsyncIterable<Uint8Array> {
  const refuse = (state: string, cause?: unknown) =>
    unavailable(`Cannot download "${url}": ${state}`, {
      help: "Check the connection and the proxy (HTTPS_PROXY), then run this again.",
      ...(cause === undefined ? {} : { cause }),
    });
  if (!isSafeUrl(url)) throw refuse("only https is safe enough");
  try {
    const answer = await fetch(url, { signal });
    const body = answer.body ?? new ReadableStream();
    if (!answer.ok || !isSafeUrl(answer.url)) {
      await body.cancel();
      throw refuse(answer.ok ? `it leads to "${answer.url}"` : `the server answered ${answer.status}`);
    }
    let size = 0;
    for await (const chunk of body) {
      size += chunk.length;
      if (size > most) throw refuse("it is too large");
      yield chunk;
    }
  } catch (error) {
    if (error instanceof MirrordError) throw error;
    signal.throwIfAborted();
    throw refuse("the transfer failed", error);
  }
}
