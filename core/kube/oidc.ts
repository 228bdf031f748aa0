// The one auth-provider that kubectl still has: an OIDC login whose id token is renewed by its refresh token.
// Called by credentials.ts. Requests go to the identity provider over https only, and believe the authority
// that the kubeconfig names for it (idp-certificate-authority), otherwise this machine's.

import { dirname, isAbsolute, join } from "node:path";
import { exitCodes, KubeError } from "../base/errors.ts";
import { trusted } from "./authorities.ts";
import type { Issued, KubeUser } from "./identity.ts";
import { decodeBase64, isTable, readPem, textOf, unusable } from "./kubeconfig_file.ts";

/** What the library needs for the renewal of a token. */
interface Renewer {
  refresh(
    token: string,
  ): Promise<{ id_token: string | undefined; refresh_token: string | undefined; expires_at: number }>;
}

interface Library {
  applyAuthentication(user: object, options: object, renewer: Renewer): Promise<void>;
}

/** Issues tokens by `provider`, the user's auth-provider. Throws KubeError for another one than OIDC. */
export function oidcSource(provider: Record<string, unknown>, user: KubeUser): () => Promise<Issued> {
  const name = textOf(provider, "name") ?? "";
  if (name !== "oidc") {
    throw unusable(
      user.file,
      `the user "${user.name}" logs in by the auth-provider "${name}", which Kubernetes gave up in favour of exec plugins`,
      undefined,
      "Log in again with your cloud's current tool: it writes an exec plugin into the file.",
    );
  }
  const config = isTable(provider["config"]) ? { ...provider["config"] } : {};
  const renewer: Renewer = { refresh: async (token) => await renew(token, config, user) };
  let library: Promise<Library> | undefined;
  return async () => {
    library ??= import("@kubernetes/client-node/dist/oidc_auth.js")
      .then(({ OpenIDConnectAuth }) => new OpenIDConnectAuth() as Library);
    const options: { headers: Record<string, string> } = { headers: {} };
    try {
      const account = { name: user.name, authProvider: { name, config } };
      await (await library).applyAuthentication(account, options, renewer);
    } catch (cause) {
      if (cause instanceof KubeError) throw cause;
      throw new KubeError(
        `Cannot log in as "${user.name}": ${cause instanceof Error ? cause.message : String(cause)}`,
        {
          help: "Log in again with your OIDC tool, so that the kubeconfig holds a fresh refresh token.",
          cause,
          exitCode: exitCodes.permission,
        },
      );
    }
    if (options.headers["Authorization"] === undefined) {
      throw unusable(
        user.file,
        `the OIDC login of the user "${user.name}" ran out and holds no refresh token`,
      );
    }
    // The library keeps the token as long as it holds; asking it is cheap.
    return { identity: { headers: options.headers, certificate: undefined }, expires: Date.now() };
  };
}

/** OpenID Connect Core 1.0, section 12. The library refuses whatever is not https. */
async function renew(token: string, config: Record<string, unknown>, user: KubeUser) {
  const { customFetch, discovery, refreshTokenGrant } = await import("openid-client");
  const client = Deno.createHttpClient({ caCerts: await trusted(await authorityOf(config, user)) });
  try {
    const send = async (url: string, options: object) =>
      await fetch(url, { ...options, redirect: "error", client } as RequestInit);
    const found = await discovery(
      new URL(textOf(config, "idp-issuer-url") ?? ""),
      textOf(config, "client-id") ?? "",
      textOf(config, "client-secret"),
      undefined,
      { [customFetch]: send },
    );
    const { id_token, refresh_token, ...answer } = await refreshTokenGrant(found, token);
    const seconds = answer.expiresIn() ?? 0;
    return { id_token, refresh_token: refresh_token ?? token, expires_at: Date.now() / 1000 + seconds };
  } finally {
    client.close();
  }
}

async function authorityOf(config: Record<string, unknown>, user: KubeUser): Promise<string | undefined> {
  const text = textOf(config, "idp-certificate-authority-data");
  if (text !== undefined) return decodeBase64(user.file, "idp-certificate-authority-data", text);
  const path = textOf(config, "idp-certificate-authority");
  if (path === undefined) return undefined;
  return await readPem(isAbsolute(path) ? path : join(dirname(user.file), path), user.file);
}
