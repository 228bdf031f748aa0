// Certificate authorities of a test's own, and servers' certificates for 127.0.0.1 and localhost signed by
// them. Made by openssl; the files are gone when the functions return.

import assert from "node:assert/strict";

/** PEM texts. */
export interface Certificate {
  cert: string;
  key: string;
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** An authority that calls itself `name`. */
export async function authority(name: string): Promise<Certificate> {
  return await within(async (folder) => {
    const usage = [
      "-addext",
      "basicConstraints=critical,CA:TRUE",
      "-addext",
      "keyUsage=critical,keyCertSign",
    ];
    const files = ["-keyout", `${folder}/key`, "-out", `${folder}/cert`];
    await openssl("req", "-x509", ...newKey, "-days", "2", "-subj", `/CN=${name}`, ...usage, ...files);
    return read(folder);
  });
}

/** A server's certificate, signed by `by`. */
export async function serverCertificate(by: Certificate): Promise<Certificate> {
  return await within(async (folder) => {
    Deno.writeTextFileSync(`${folder}/ca.cert`, by.cert);
    Deno.writeTextFileSync(`${folder}/ca.key`, by.key);
    Deno.writeTextFileSync(`${folder}/names`, "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    await openssl(
      "req",
      ...newKey,
      "-subj",
      "/CN=server",
      "-keyout",
      `${folder}/key`,
      "-out",
      `${folder}/asked`,
    );
    const signer = ["-CA", `${folder}/ca.cert`, "-CAkey", `${folder}/ca.key`, "-CAcreateserial"];
    const output = ["-extfile", `${folder}/names`, "-out", `${folder}/cert`];
    await openssl("x509", "-req", "-in", `${folder}/asked`, "-days", "2", ...signer, ...output);
    return read(folder);
  });
}

function read(folder: string): Certificate {
  return { cert: Deno.readTextFileSync(`${folder}/cert`), key: Deno.readTextFileSync(`${folder}/key`) };
}

async function within<Result>(make: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-certificates-" });
  try {
    return await make(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

async function openssl(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, stdout: "null", stderr: "piped" })
    .output();
  assert.ok(success, new TextDecoder().decode(stderr));
}
