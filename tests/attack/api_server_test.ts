// A hostile API server, or one that poses as the cluster's: a certificate of another authority that this
// machine trusts, http in the place of https, redirects, names that are no names, and an identity provider
// that is not the kubeconfig's. Each attack is shown to succeed first where nothing protects: by the
// runtime's own client under the same conditions, or without the check.

import assert from "node:assert/strict";
import { KubeClient } from "../../core/kube/client.ts";
import { credentialsOf } from "../../core/kube/credentials.ts";
import { authority, type Certificate, serverCertificate } from "../support/certificates.ts";
import { type Finished, runMirrord } from "../support/program.ts";

/** A server that keeps what reached it. */
interface Server extends AsyncDisposable {
  url: string;
  /** Paths, with what logged in: "GET /x Bearer y". */
  asked: string[];
}

function serve(tls: Certificate | null, answer: (request: Request) => Response | Promise<Response>): Server {
  const asked: string[] = [];
  const handler = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    asked.push(`${request.method} ${pathname} ${request.headers.get("authorization") ?? "nobody"}`);
    return await answer(request);
  };
  const place = { hostname: "127.0.0.1", port: 0, onListen() {} };
  const server = tls === null ? Deno.serve(place, handler) : Deno.serve({ ...place, ...tls }, handler);
  const scheme = tls === null ? "http" : "https";
  return {
    url: `${scheme}://127.0.0.1:${server.addr.port}`,
    asked,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A pod that runs and is ready. */
const pod = (name: string) => ({
  metadata: { name },
  spec: { containers: [{ name: "web" }] },
  status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
});
const pods = (...names: string[]) => (request: Request): Response =>
  Response.json({ items: request.url.includes("/pods") ? names.map(pod) : [] });

const [own, foreign] = await Promise.all([authority("the cluster's"), authority("a public one")]);
const [genuine, posed] = await Promise.all([serverCertificate(own), serverCertificate(foreign)]);

interface Cluster {
  cluster: Record<string, unknown>;
  user?: Record<string, unknown>;
}

/** `mirrord ls` with a kubeconfig, on a machine whose own authority is the foreign one. */
async function list(
  { cluster, user = { token: "secret" } }: Cluster,
): Promise<Finished & { folder: string }> {
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-api-" });
  try {
    Deno.writeTextFileSync(`${folder}/bundle`, foreign.cert);
    Deno.writeTextFileSync(
      `${folder}/kubeconfig`,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "c", cluster }],
        users: [{ name: "u", user }],
        contexts: [{ name: "c", context: { cluster: "c", user: "u", namespace: "shop" } }],
        "current-context": "c",
      }),
    );
    const run = await runMirrord(["ls", "--kubeconfig", "kubeconfig"], {
      cwd: folder,
      env: { SSL_CERT_FILE: `${folder}/bundle`, DENO_TLS_CA_STORE: "system" },
    });
    return { ...run, folder };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const pem = (text: string): string => new TextEncoder().encode(text).toBase64();

/** What a client of the runtime's, which adds `ca` to this machine's authorities, gets from `url`. */
async function naive(url: string, ca: string): Promise<string> {
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-api-" });
  try {
    Deno.writeTextFileSync(`${folder}/bundle`, foreign.cert);
    const code = `const client = Deno.createHttpClient({ caCerts: [${JSON.stringify(ca)}] });
const answer = await fetch(${
      JSON.stringify(url)
    }, { client, headers: { authorization: "Bearer secret" } }).catch(String);
console.log(answer.status ?? answer);`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-config", code],
      env: { SSL_CERT_FILE: `${folder}/bundle`, DENO_TLS_CA_STORE: "system" },
    }).output();
    return new TextDecoder().decode(stdout).trim();
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("a kubeconfig's authority is the only one: a public one cannot vouch for another server", async () => {
  await using real = serve(genuine, pods("web-1"));
  await using fake = serve(posed, pods("evil-1"));
  assert.equal(await naive(fake.url, own.cert), "200", "the attack's own success");
  assert.deepEqual(fake.asked.splice(0), ["GET / Bearer secret"]);

  const ca = { "certificate-authority-data": pem(own.cert) };
  for (const more of [{}, { "tls-server-name": "localhost" }]) {
    const met = await list({ cluster: { server: fake.url, ...ca, ...more } });
    assert.equal(met.code, 69, met.stderr);
    assert.match(met.stderr, /not signed by the authority in the kubeconfig|certificate/);
    assert.deepEqual(fake.asked, [], "no request, so no token, was sent");
    const right = await list({ cluster: { server: real.url, ...ca, ...more } });
    assert.deepEqual([right.code, right.stdout], [0, "pod/web-1\n"], right.stderr);
  }
});

Deno.test("without an authority in the kubeconfig this machine's count, and no others", async () => {
  await using known = serve(posed, pods("web-1"));
  await using unknown = serve(genuine, pods("evil-1"));
  const right = await list({ cluster: { server: known.url } });
  assert.deepEqual([right.code, right.stdout], [0, "pod/web-1\n"], right.stderr);
  const wrong = await list({ cluster: { server: unknown.url } });
  assert.equal(wrong.code, 69);
  assert.match(wrong.stderr, /the kubeconfig, which names none, nor by this machine's/);
  assert.deepEqual(unknown.asked, []);
});

const plugin = (token: string) => ({
  exec: {
    apiVersion: "client.authentication.k8s.io/v1",
    command: "sh",
    args: [
      "-c",
      `echo asked >&2; echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"${token}"}}'`,
    ],
    interactiveMode: "Never",
  },
});
const logins: Record<string, Record<string, unknown>> = {
  "a token": { token: "secret" },
  "a name and password": { username: "ana", password: "secret" },
  "a plugin's token": plugin("secret"),
  "an impersonated user": { token: "secret", as: "root" },
};

for (const [what, user] of Object.entries(logins)) {
  Deno.test(`${what} is not sent over http`, async () => {
    await using server = serve(null, pods("web-1"));
    const credentials = await credentialsOf({
      name: "u",
      file: "/kubeconfig",
      body: user,
      cluster: { server: server.url, authority: undefined, body: {} },
    });
    const context = {
      name: "c",
      server: server.url,
      namespace: "shop",
      authority: undefined,
      proxy: undefined,
    };
    using client = new KubeClient({ ...context, credentials });
    await client.listPods();
    assert.match(server.asked.splice(0).join(), /^GET \S+ (Bearer|Basic) /, "the attack's own success");

    const { code, stdout, stderr } = await list({ cluster: { server: server.url }, user });
    assert.deepEqual([code, stdout], [0, "pod/web-1\n"], stderr);
    assert.ok(
      server.asked.length > 0 && server.asked.every((one) => one.endsWith(" nobody")),
      server.asked.join(),
    );
    assert.match(stderr, /warning: The user "u" is not logged in at "http:/);
    assert.doesNotMatch(stderr, /asked/, "the plugin was not run");
  });
}

Deno.test("a redirect is not followed, to whomever", async () => {
  await using other = serve(genuine, pods("evil-1"));
  await using server = serve(
    genuine,
    () => new Response(null, { status: 302, headers: { location: `${other.url}/api/v1/pods` } }),
  );
  assert.equal(await naive(server.url, own.cert), "200", "the attack's own success");
  assert.equal(other.asked.splice(0).length, 1);
  const met = await list({ cluster: { server: server.url, "certificate-authority-data": pem(own.cert) } });
  assert.equal(met.code, 69, met.stderr);
  assert.deepEqual(other.asked, []);
});

Deno.test("names that Kubernetes does not give are not listed", async () => {
  const names = ["web-1", "$(touch ran)", "a\nb", "\u001b[2J", "../../x", "a b", "-f", "web-2.x"];
  await using server = serve(genuine, pods(...names));
  const ca = { "certificate-authority-data": pem(own.cert) };
  const met = await list({ cluster: { server: server.url, ...ca } });
  assert.deepEqual([met.code, met.stdout], [0, "pod/web-1\npod/web-2.x\n"], met.stderr);
  assert.match(met.stderr, /says 6 pods with names that Kubernetes does not give/);
});

/** A JSON Web Token that ended long ago, and one that still holds. */
const jwt = (seconds: number): string => {
  const part = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url", omitPadding: true });
  return `${part({ alg: "none" })}.${part({ exp: seconds })}.${part("signature")}`;
};

Deno.test("an OIDC login is renewed only where the kubeconfig's authority vouches for the provider", async () => {
  let issuer = "";
  const provider = (request: Request): Response => {
    if (request.url.endsWith("/.well-known/openid-configuration")) {
      return Response.json({
        issuer,
        token_endpoint: `${issuer}/token`,
        authorization_endpoint: `${issuer}/auth`,
        jwks_uri: `${issuer}/keys`,
      });
    }
    return Response.json({
      access_token: "a",
      token_type: "bearer",
      expires_in: 3600,
      refresh_token: "next",
    });
  };
  await using real = serve(genuine, provider);
  await using fake = serve(posed, provider);
  await using server = serve(genuine, pods("web-1"));
  const login = (url: string) => ({
    "auth-provider": {
      name: "oidc",
      config: {
        "idp-issuer-url": issuer = url,
        "client-id": "mirrord",
        "id-token": jwt(1000),
        "refresh-token": "refresh-secret",
        "idp-certificate-authority-data": pem(own.cert),
      },
    },
  });
  assert.equal(
    await naive(`${fake.url}/.well-known/openid-configuration`, own.cert),
    "200",
    "the attack's own success",
  );
  fake.asked.length = 0;
  const cluster = { server: server.url, "certificate-authority-data": pem(own.cert) };
  const met = await list({ cluster, user: login(fake.url) });
  assert.equal(met.code, 77, met.stderr);
  assert.deepEqual(fake.asked, []);
  await list({ cluster, user: login(real.url) });
  assert.ok(real.asked.some((one) => one.startsWith("POST /token")), real.asked.join());
});
