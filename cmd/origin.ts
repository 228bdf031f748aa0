// Where releases of mirrord come from, and the key that signs them: once, for `mirrord upgrade` and for what
// scripts/release.ts puts into install.sh, the formula and the manual pages. An environment variable
// overrides the addresses and the key, for a mirror of one's own.

import { variable } from "../core/base/variables.ts";

/** Where a release's files lie. */
export interface Origin {
  homepage: string;
  /** `<base>/v<VERSION>/<file>` is a file of that release, `<base>/latest/<file>` one of the newest. */
  downloadBase: string;
  /** minisign's public key in base64 (its file's second line); "" where no key signs releases. */
  publicKey: string;
  /**
   * The name, without a tag, under which every cluster can pull the agent's image; "" where it is published
   * nowhere: then the agent is sent unless the configuration names an image (core/config/agent_image.ts).
   */
  agentImage: string;
}

/** The project has no address and no key of its own yet: ".example" never resolves (RFC 2606). */
const homepage = "https://mirrord.example";
const downloadBase = "https://mirrord.example/download";
const publicKey = "";
/** No registry has it yet. */
const agentImage = "";

/** What a release was built with; put in by the bundler (scripts/build_binary.ts). */
declare const releaseOrigin: Origin | undefined;

/** The constants above, or what the release was built with, or what the environment says instead. */
export function origin(): Origin {
  const built = typeof releaseOrigin === "object"
    ? releaseOrigin
    : { homepage, downloadBase, publicKey, agentImage };
  return {
    homepage: variable("MIRRORD_HOMEPAGE") ?? built.homepage,
    downloadBase: (variable("MIRRORD_DOWNLOAD_BASE") ?? built.downloadBase).replace(/\/+$/, ""),
    publicKey: variable("MIRRORD_PUBLIC_KEY") ?? built.publicKey,
    agentImage: built.agentImage,
  };
}
