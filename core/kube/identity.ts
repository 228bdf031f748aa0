// What a request carries to identify its user, and the kubeconfig user it comes from.
// Shared by credentials.ts and exec_plugin.ts.

import { exitCodes, KubeError } from "../base/errors.ts";

/** One user of a kubeconfig, its paths already absolute. */
export interface KubeUser {
  name: string;
  file: string;
  body: Record<string, unknown>;
  /** authority: PEM, from wherever the cluster's entry has it. */
  cluster: { server: string; authority: string | undefined; body: Record<string, unknown> };
}

/** What goes into a request. */
export interface Identity {
  headers: Record<string, string>;
  certificate: { cert: string; key: string } | undefined;
}

/** An identity and until when it holds (milliseconds since 1970; undefined: for good). */
export interface Issued {
  identity: Identity;
  expires: number | undefined;
}

/** What a token can consist of: visible ASCII, as an HTTP header carries it (RFC 9110, section 5.5). */
const tokenText = /^[\x21-\x7e]+$/;

/** The header of a bearer token. Throws KubeError, without the token's text, for what cannot be one. */
export function bearer(token: string): Record<string, string> {
  if (!tokenText.test(token)) {
    throw new KubeError("Cannot log in to the cluster: the token has characters that no token can have", {
      help: "Look for a line break or a space in the token, its file, or what the login plugin prints.",
      exitCode: exitCodes.config,
    });
  }
  return { Authorization: `Bearer ${token}` };
}
