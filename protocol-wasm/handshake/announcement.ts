// The one line with the port and the key of an agent in a container. The agent prints it (agent/main.ts), the
// session reads it from the container's own output (core/deploy/announcement.ts), where no other container
// can write.

import { agentProtocolVersion } from "../messages/agent_messages.ts";

/** Where an agent listens, and the public half of its signing key. */
export interface Announcement {
  version: number;
  port: number;
  key: Uint8Array;
}

/** The line, without its end. */
export function announcementLine({ port, key }: Omit<Announcement, "version">): string {
  return `mirrord-agent/${agentProtocolVersion} port=${port} key=${key.toBase64()}`;
}

/** What `line` announces; null for any other line. */
export function readAnnouncement(line: string): Announcement | null {
  const found = /^mirrord-agent\/(\d{1,5}) port=(\d{1,5}) key=([A-Za-z0-9+/]{43}=)$/.exec(line);
  if (found === null) return null;
  const [, version, port, key = ""] = found;
  return { version: Number(version), port: Number(port), key: Uint8Array.fromBase64(key) };
}
