// The certificates of the cluster, made afresh for each `up`: one authority
// for everything, and the kubeconfigs that carry the client certificates.

import { join } from "node:path";
import { run } from "./command.ts";
import { apiAddress, apiPort, clusterDomain, node, nodeName, stateDir } from "./layout.ts";

const curve = ["-pkeyopt", "ec_paramgen_curve:prime256v1"];

interface Identity {
  file: string;
  subject: string;
}

const identities: Identity[] = [
  { file: "apiserver", subject: "/CN=kube-apiserver" },
  { file: "admin", subject: "/O=system:masters/CN=admin" },
  { file: "kubelet", subject: `/O=system:nodes/CN=system:node:${nodeName}` },
];

export function pkiPath(file: string): string {
  return stateDir("pki", file);
}

/** All names and addresses by which anything in the cluster is dialled. */
function alternativeNames(): string {
  const kubernetes = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  const names = [...kubernetes, `kubernetes.default.svc.${clusterDomain}`, "localhost", nodeName];
  const addresses = ["127.0.0.1", "::1", node.v4, node.v6, apiAddress.v4, apiAddress.v6];
  return [...names.map((name) => `DNS:${name}`), ...addresses.map((ip) => `IP:${ip}`)].join(",");
}

export async function createPki(): Promise<void> {
  const dir = pkiPath("");
  await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
  const openssl = (...args: string[]) => run(["openssl", ...args], { cwd: dir });
  await openssl(
    ...["req", "-x509", "-newkey", "ec", ...curve, "-nodes", "-days", "3650"],
    ...["-subj", "/CN=mirrord-test-ca", "-keyout", "ca.key", "-out", "ca.crt"],
  );
  await openssl("genpkey", "-algorithm", "EC", ...curve, "-out", "sa.key");
  await openssl("pkey", "-in", "sa.key", "-pubout", "-out", "sa.pub");
  const extensions = `basicConstraints=CA:FALSE\nsubjectAltName=${alternativeNames()}\n`;
  await Deno.writeTextFile(join(dir, "leaf.ext"), extensions);
  for (const { file, subject } of identities) {
    await openssl(
      ...["req", "-newkey", "ec", ...curve, "-nodes", "-subj", subject],
      ...["-keyout", `${file}.key`, "-out", `${file}.csr`],
    );
    await openssl(
      ...["x509", "-req", "-in", `${file}.csr`, "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"],
      ...["-days", "3650", "-extfile", "leaf.ext", "-out", `${file}.crt`],
    );
  }
}

/** A kubeconfig that needs no other file, readable by its owner alone. */
export async function writeKubeconfig(
  path: string,
  identity: "admin" | "kubelet",
  host: string,
): Promise<void> {
  const inline = async (file: string) => btoa(await Deno.readTextFile(pkiPath(file)));
  const cluster = {
    server: `https://${host}:${apiPort}`,
    "certificate-authority-data": await inline("ca.crt"),
  };
  const user = {
    "client-certificate-data": await inline(`${identity}.crt`),
    "client-key-data": await inline(`${identity}.key`),
  };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "mirrord-test", cluster }],
    users: [{ name: identity, user }],
    contexts: [{ name: "mirrord-test", context: { cluster: "mirrord-test", user: identity } }],
    "current-context": "mirrord-test",
  };
  // JSON is YAML, so no library is needed to write it.
  await Deno.writeTextFile(path, JSON.stringify(config, null, 2) + "\n", { mode: 0o600 });
}
