// The identity of requests to the API server: client certificates, tokens, token files, user name and
// password, exec plugins, OIDC, and impersonation on top. Made by kubeconfig.ts, used by client.ts for every
// request.
// Secrets stay in here and in the request's headers; none is ever logged.

import { exitCodes, KubeError } from "../base/errors.ts";
import { runPlugin } from "./exec_plugin.ts";
import { bearer, type Identity, type Issued, type KubeUser } from "./identity.ts";
import { decodeBase64, isTable, readPem, textOf, unusable } from "./kubeconfig_file.ts";
import { oidcSource } from "./oidc.ts";

/** Hands out identities; asks again when one is about to expire. */
export interface Credentials {
  get(): Promise<Identity>;
  /** The server refused the last identity (401). True: another may be had, so trying again makes sense. */
  refresh(): boolean;
}

/**
 * A token file is read again after this long; service account tokens are rotated (client-go does the same).
 */
const tokenFileMilliseconds = 60_000;
/** An identity is asked for again when it would expire within this time. */
const marginMilliseconds = 10_000;

/** No identity: a request contains nothing about the user. */
export const noCredentials: Credentials = {
  get: () => Promise.resolve({ headers: {}, certificate: undefined }),
  refresh: () => false,
};

/** The credentials of `user`, by the same precedence as kubectl's. */
export async function credentialsOf(user: KubeUser): Promise<Credentials> {
  const certificate = await certificateOf(user);
  const headers = impersonation(user.body);
  const withBase = ({ identity, expires }: Issued): Issued => ({
    identity: {
      headers: { ...headers, ...identity.headers },
      certificate: identity.certificate ?? certificate,
    },
    expires,
  });
  const source = sourceOf(user);
  return cached(async () => withBase(await source()), isRenewable(user));
}

function sourceOf(user: KubeUser): () => Promise<Issued> {
  const { body } = user;
  const fixed = (headers: Record<string, string>) => () =>
    Promise.resolve({ identity: { headers, certificate: undefined }, expires: undefined });
  const tokenFile = textOf(body, "tokenFile");
  if (tokenFile !== undefined) return () => readToken(tokenFile, user.file);
  const token = textOf(body, "token");
  if (token !== undefined) return fixed(bearer(token));
  const username = textOf(body, "username");
  if (username !== undefined) {
    const pair = new TextEncoder().encode(`${username}:${textOf(body, "password") ?? ""}`);
    return fixed({ Authorization: `Basic ${pair.toBase64()}` });
  }
  const { exec } = body;
  if (isTable(exec)) return () => runPlugin(exec, user);
  const provider = body["auth-provider"];
  if (isTable(provider)) return oidcSource(provider, user);
  return fixed({});
}

function isRenewable({ body }: KubeUser): boolean {
  return isTable(body["exec"]) || isTable(body["auth-provider"]) || textOf(body, "tokenFile") !== undefined;
}

function cached(issue: () => Promise<Issued>, renewable: boolean): Credentials {
  let current: Promise<Issued> | undefined;
  return {
    async get() {
      const held = await current;
      if (
        held === undefined || (held.expires !== undefined && held.expires - marginMilliseconds < Date.now())
      ) {
        current = issue();
        current.catch(() => current = undefined);
      }
      return (await (current ?? issue())).identity;
    },
    refresh() {
      current = undefined;
      return renewable;
    },
  };
}

async function readToken(path: string, file: string): Promise<Issued> {
  const token = (await readPem(path, file)).trim();
  return {
    identity: { headers: bearer(token), certificate: undefined },
    expires: Date.now() + tokenFileMilliseconds + marginMilliseconds,
  };
}

async function certificateOf({ body, file }: KubeUser): Promise<Identity["certificate"]> {
  const read = async (key: string) => {
    const data = textOf(body, `${key}-data`);
    if (data !== undefined) return decodeBase64(file, `${key}-data`, data);
    const path = textOf(body, key);
    return path === undefined ? undefined : await readPem(path, file);
  };
  const cert = await read("client-certificate");
  const key = await read("client-key");
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw unusable(file, "of client-certificate and client-key only one is there");
  }
  return { cert, key };
}

/**
 * Kubernetes "User impersonation": as, as-uid, as-groups, as-user-extra. Groups cannot repeat a header here.
 */
function impersonation(body: Record<string, unknown>): Record<string, string> {
  const user = textOf(body, "as");
  const uid = textOf(body, "as-uid");
  const groups = body["as-groups"];
  const headers: Record<string, string> = {};
  if (user !== undefined) headers["Impersonate-User"] = user;
  if (uid !== undefined) headers["Impersonate-Uid"] = uid;
  if (Array.isArray(groups) && groups.length === 1) headers["Impersonate-Group"] = String(groups[0]);
  if ((Array.isArray(groups) && groups.length > 1) || isTable(body["as-user-extra"])) {
    throw new KubeError("Cannot impersonate: more than one as-groups, or as-user-extra, is not supported", {
      help: "Name one group, or log in as the user itself.",
      exitCode: exitCodes.config,
    });
  }
  return headers;
}
