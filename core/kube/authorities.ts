// The authorities that may sign a server's certificate: the one that a kubeconfig names, otherwise this
// machine's. The runtime only ever adds to authorities of its own, Mozilla's or the system's, so those are
// removed once, before its first connection, and every client gets the full list that it trusts. Called by
// transport.ts, tls_tunnel.ts and oidc.ts.

import { variable } from "../base/variables.ts";

/**
 * Which authorities the runtime begins with (Deno, "Environment variables"); read once, at its first TLS
 * client.
 */
const runtimeVariable = "DENO_TLS_CA_STORE";
/**
 * The system's authorities in one file: of Debian, Fedora, SUSE, RHEL, Alpine (as Go's crypto/x509, which
 * kubectl uses, looks for them).
 */
const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

let isCleared = false;
let system: Promise<string[]> | undefined;

/**
 * From now on this process trusts only the authorities that a client is given. Before the first TLS
 * connection of the process.
 */
export function trustNobody(): void {
  if (isCleared) return;
  isCleared = true;
  const before = variable(runtimeVariable);
  Deno.env.set(runtimeVariable, "");
  try {
    Deno.createHttpClient({}).close();
  } finally {
    if (before === undefined) Deno.env.delete(runtimeVariable);
    else Deno.env.set(runtimeVariable, before);
  }
}

/** The PEM texts that a client is given: `authority` alone where there is one, otherwise this machine's. */
export async function trusted(authority: string | undefined): Promise<string[]> {
  trustNobody();
  if (authority !== undefined) return [authority];
  return await (system ??= readSystem());
}

/**
 * SSL_CERT_FILE and SSL_CERT_DIR overrule the usual places (OpenSSL); Mozilla's list is for a machine that
 * has none.
 */
async function readSystem(): Promise<string[]> {
  const file = variable("SSL_CERT_FILE");
  const folder = variable("SSL_CERT_DIR");
  const files = file ? [file] : folder ? [] : bundles;
  const found: string[] = [];
  for (const path of files) {
    const text = await Deno.readTextFile(path).catch(() => "");
    if (text === "") continue;
    found.push(text);
    break;
  }
  for (const one of (folder ?? "").split(":").filter((path) => path !== "")) {
    found.push(...await readFolder(one));
  }
  const certificates = found.flatMap((text) =>
    text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  );
  if (certificates.length > 0) return certificates;
  const { rootCertificates } = await import("node:tls");
  return [...rootCertificates];
}

async function readFolder(folder: string): Promise<string[]> {
  try {
    const names = await Array.fromAsync(Deno.readDir(folder));
    return await Promise.all(names.map(({ name }) => Deno.readTextFile(`${folder}/${name}`).catch(() => "")));
  } catch {
    return [];
  }
}
