// The whole release, from top to bottom: out of a checkout, dist/release/ with everything that is published.
// Run by `./dev release`. Same commit, same bytes, wherever and whenever it runs: nothing below asks for the
// time.
//   MIRRORD_SIGNING_KEY   file of minisign's secret key, without a password; without it nothing is signed
//   MIRRORD_HOMEPAGE, MIRRORD_DOWNLOAD_BASE, MIRRORD_PUBLIC_KEY, MIRRORD_PUBLISHED_IMAGE   instead of what
//                         cmd/origin.ts says; the last names the registry's image that is pushed with it

import { origin } from "../cmd/origin.ts";
import { mirrordVersion } from "../core/base/version.ts";
import { buildAssets, buildImage } from "./build.ts";
import { buildBinary, macPlatforms, platforms, type ReleaseFacts } from "./build_binary.ts";
import { buildMacLayer } from "./build_layer.ts";
import { buildLibraries } from "./build_libraries.ts";
import { publicKeyOf } from "./minisign.ts";
import { packagesOf } from "./packages/packages.ts";
import { assembleRelease } from "./release_files.ts";
import { releaseParts } from "./release_parts.ts";
import type { Metafile } from "./sbom.ts";
import { exists, root, say } from "./step.ts";
import { packageExtension } from "./vscode.ts";

async function release(): Promise<void> {
  const signingKey = readSigningKey();
  const facts: ReleaseFacts = { commit: await commitNow(), origin: releaseOrigin(signingKey) };

  // The programs, each with its layer inside, and the image made from them.
  await buildAssets();
  await buildMacLayer();
  await buildLibraries();
  const all = [...Object.values(platforms), ...Object.values(macPlatforms)];
  for (const platform of all) await buildBinary(platform, facts);
  await buildImage(9);

  // The files around them. The bundle is the same for every machine.
  const metafile = read(`build/bundle-${platforms.x86_64.name}.json`);
  const made = await assembleRelease(`${root}dist/release`, {
    facts,
    signingKey,
    programs: new Map(all.map(({ name }) => [name, Deno.readFileSync(`${root}dist/mirrord-${name}`)])),
    image: exists(`${root}dist/mirrord-agent.tar`)
      ? Deno.readFileSync(`${root}dist/mirrord-agent.tar`)
      : null,
    extension: await packageExtension(),
    packages: (archive, platform) => packagesOf(archive, { platform, homepage: facts.origin.homepage }),
    parts: await releaseParts(JSON.parse(metafile) as Metafile),
    texts: {
      changelog: read("CHANGELOG.md"),
      exitCodes: read("docs/exit-codes.md"),
      licence: read("LICENSE"),
      installScript: readOrNull("scripts/install/install.sh"),
      formula: readOrNull("scripts/install/mirrord.rb.in"),
    },
  });

  for (const [name, size] of made) say(`  dist/release/${name}  ${(size / 1e6).toFixed(2)} MB`);
  if (signingKey === null) {
    say("Not signed: MIRRORD_SIGNING_KEY names no key, so install.sh checks the sums alone");
  }
  if (facts.commit.endsWith("-changed")) say("Not a clean checkout: files differ from the commit");
  say(`Release ${mirrordVersion} of ${facts.commit} is in dist/release`);
}

/** The text of the key file that the environment names; null without one. */
function readSigningKey(): string | null {
  const path = Deno.env.get("MIRRORD_SIGNING_KEY");
  return path === undefined || path === "" ? null : Deno.readTextFileSync(path);
}

/** Where releases come from; the key that signs this one must be the published one. */
function releaseOrigin(signingKey: string | null): ReleaseFacts["origin"] {
  const said = { ...origin(), agentImage: Deno.env.get("MIRRORD_PUBLISHED_IMAGE") ?? origin().agentImage };
  if (signingKey === null) return { ...said, publicKey: "" };
  const publicKey = publicKeyOf(signingKey);
  if (said.publicKey !== "" && said.publicKey !== publicKey) {
    throw new Error("Cannot sign the release: MIRRORD_SIGNING_KEY is not the secret half of the public key");
  }
  return { ...said, publicKey };
}

/** The commit that is checked out, marked where files differ from it. */
async function commitNow(): Promise<string> {
  const git = async (...args: string[]) => {
    const { success, stdout } = await new Deno.Command("git", { args, cwd: root }).output();
    if (!success) throw new Error("Cannot name the commit: this is no checkout of git");
    return new TextDecoder().decode(stdout).trim();
  };
  const changed = await git("status", "--porcelain") !== "";
  return `${await git("rev-parse", "HEAD")}${changed ? "-changed" : ""}`;
}

function read(path: string): string {
  return Deno.readTextFileSync(root + path);
}

function readOrNull(path: string): string | null {
  return exists(root + path) ? read(path) : null;
}

if (import.meta.main) {
  await release();
  // esbuild's own process would keep this one alive.
  Deno.exit(0);
}
