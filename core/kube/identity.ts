// What a request carries to say who asks, and the kubeconfig user it comes from.
// Shared by credentials.ts and exec_plugin.ts.

/** One user of a kubeconfig, its paths already absolute. */
export interface KubeUser {
  name: string;
  file: string;
  body: Record<string, unknown>;
  cluster: { server: string; body: Record<string, unknown> };
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

/** The header of a bearer token. */
export function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}
