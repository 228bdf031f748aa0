// A small release on a loopback server: files, checksums.txt and its minisign signature by a key made here.
// Tests of install.sh and of `mirrord upgrade` change files or answers afterwards, so that what is served is
// no longer what was signed.

import { createHash } from "node:crypto";
import { newKey, publicKeyOf, sign } from "../../scripts/minisign.ts";

const encoder = new TextEncoder();

/** What a release is made of besides its version. */
export interface ReleaseParts {
  /** minisign's secret key; otherwise a new one. */
  secretKey?: string;
  /** Name → content; otherwise a program for each processor of Linux. */
  files?: Record<string, Uint8Array>;
}

/** A shell script that answers `--version`. */
export function fakeProgram(version: string): Uint8Array {
  return encoder.encode(`#!/bin/sh\necho "mirrord ${version}"\n`);
}

export class FakeRelease implements AsyncDisposable {
  readonly publicKey: string;
  readonly #secretKey: string;
  readonly base: string;
  /** Path ("v1.2.3/checksums.txt") → what is served; a function answers by itself. */
  readonly served = new Map<string, Uint8Array | (() => Response)>();
  /** Paths in the order in which they were asked for. */
  readonly asked: string[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(secretKey: string) {
    this.#secretKey = secretKey;
    this.publicKey = publicKeyOf(secretKey);
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      const path = new URL(request.url).pathname.slice(1);
      this.asked.push(path);
      const found = this.served.get(path);
      if (found === undefined) return new Response("no such file\n", { status: 404 });
      return typeof found === "function" ? found() : new Response(new Uint8Array(found));
    });
    this.base = `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Serves release `version` as itself and as the newest. */
  static async serve(version: string, parts: ReleaseParts = {}): Promise<FakeRelease> {
    const release = new FakeRelease(parts.secretKey ?? (await newKey()).secretKey);
    await release.publish(version, parts);
    return release;
  }

  /** Serves what `make` makes of the address where it will lie, a real release's files. */
  static async serveFiles(
    version: string,
    make: (base: string, secretKey: string) => Promise<Map<string, Uint8Array>>,
  ): Promise<FakeRelease> {
    const { secretKey } = await newKey();
    const release = new FakeRelease(secretKey);
    for (const [name, content] of await make(release.base, secretKey)) {
      for (const folder of [`v${version}`, "latest"]) release.served.set(`${folder}/${name}`, content);
    }
    return release;
  }

  /** Adds a release, the newest from now on. */
  async publish(version: string, { files, secretKey = this.#secretKey }: ReleaseParts = {}): Promise<void> {
    const program = fakeProgram(version);
    const all = files ?? { "mirrord-linux-aarch64": program, "mirrord-linux-x86_64": program };
    const lines = Object.entries(all).map(([name, content]) =>
      `${createHash("sha256").update(content).digest("hex")}  ${name}\n`
    );
    const checksums = encoder.encode(lines.join(""));
    const signature = encoder.encode(await sign(checksums, { secretKey, comment: `mirrord ${version}` }));
    for (const folder of [`v${version}`, "latest"]) {
      for (const [name, content] of Object.entries(all)) this.served.set(`${folder}/${name}`, content);
      this.served.set(`${folder}/checksums.txt`, checksums);
      this.served.set(`${folder}/checksums.txt.minisig`, signature);
    }
  }

  /** Changes what is served as `name` of every folder. */
  replace(name: string, change: (before: Uint8Array) => Uint8Array | (() => Response)): void {
    for (const [path, content] of this.served) {
      if (path.endsWith(`/${name}`) && typeof content !== "function") this.served.set(path, change(content));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** An answer that ends before its announced length. */
export function cutOff(content: Uint8Array): () => Response {
  return () => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(content.slice(0, content.length / 2));
        controller.close();
      },
    });
    return new Response(body);
  };
}
