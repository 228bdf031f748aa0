// Which image the agent runs where the configuration names none. Called by resolve.ts and `mirrord version`.
// A build's image is published if the build is a release that was made with the name under which clusters can
// pull it (cmd/origin.ts). The image of any other build is a file, dist/mirrord-agent.tar, that no cluster
// has: so its agent is sent.

import { mirrordVersion } from "../base/version.ts";

/** Put in by the bundler (scripts/build_binary.ts): cmd/origin.ts has the whole of it. */
declare const releaseOrigin: { agentImage: string } | undefined;

/** Instead of an image: the agent is sent into a container of the target's own image. */
export const sentImage = "target";

const published = typeof releaseOrigin === "object" ? releaseOrigin.agentImage : "";

/** The image's name without its tag: in a registry, or as a node has it from the build's file. */
export const imageRegistry: string = published === "" ? "localhost/mirrord-agent" : published;

/** This release's image. */
export const releaseImage: string = `${imageRegistry}:${mirrordVersion}`;

/**
 * The default. `ownPod`: the agent has a pod of its own, without a target whose image it could be sent into.
 */
export function usualImage(ownPod: boolean): string {
  return published === "" && !ownPod ? sentImage : releaseImage;
}
