// Kubeconfig files as kubectl reads them: lists, relative paths, users of every kind, and what is wrong with
// a file.

import assert from "node:assert/strict";
import { KubeError } from "../base/errors.ts";
import { setLogSink } from "../base/log.ts";
import { type KubeContext, loadKubeContext } from "./kubeconfig.ts";

/** A directory with `files`, for the length of `use`. */
async function withFiles<Result>(
  files: Record<string, string>,
  use: (directory: string) => Promise<Result>,
): Promise<Result> {
  const directory = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(`${directory}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${directory}/${name}`, text, { mode: 0o755 });
    }
    return await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** A file with one cluster, one context and `user`. */
function config(user: unknown, cluster: Record<string, unknown> = {}): string {
  return JSON.stringify({
    "current-context": "c",
    clusters: [{ name: "k", cluster: { server: "https://cluster.test:6443/", ...cluster } }],
    contexts: [{ name: "c", context: { cluster: "k", user: "u", namespace: "shop" } }],
    users: [{ name: "u", user }],
  });
}

async function load(files: Record<string, string>, name = "config"): Promise<KubeContext> {
  return await withFiles(
    files,
    (directory) => loadKubeContext({ kubeconfig: `${directory}/${name}`, env: new Map() }),
  );
}

const rejects = (promise: Promise<unknown>, message: RegExp, help?: RegExp) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof KubeError, String(error));
    assert.match(error.message, message);
    if (help !== undefined) assert.match(error.help ?? "", help);
    return true;
  });

Deno.test("the current context gives server, namespace and credentials", async () => {
  const authority = new TextEncoder().encode("-----BEGIN CERTIFICATE-----").toBase64();
  const context = await load({ config: config({ token: "t" }, { "certificate-authority-data": authority }) });
  assert.equal(context.name, "c");
  assert.equal(context.server, "https://cluster.test:6443");
  assert.equal(context.namespace, "shop");
  assert.equal(context.authority, "-----BEGIN CERTIFICATE-----");
  assert.deepEqual(await context.credentials.get(), {
    headers: { Authorization: "Bearer t" },
    certificate: undefined,
  });
});

Deno.test("of a KUBECONFIG list the first file wins, missing files are skipped", async () => {
  const first = { contexts: [{ name: "a", context: { cluster: "k", namespace: "one" } }] };
  const second = {
    "current-context": "a",
    clusters: [{ name: "k", cluster: { server: "https://two.test" } }],
    contexts: [{ name: "a", context: { cluster: "k", namespace: "two" } }, {
      name: "b",
      context: { cluster: "k" },
    }],
  };
  await withFiles({ one: JSON.stringify(first), two: JSON.stringify(second) }, async (directory) => {
    const env = new Map([["KUBECONFIG", `${directory}/gone:${directory}/one:${directory}/two`]]);
    const context = await loadKubeContext({ env });
    assert.equal(context.namespace, "one");
    assert.equal(context.server, "https://two.test");
    const other = await loadKubeContext({ env, context: "b", namespace: "asked" });
    assert.deepEqual([other.name, other.namespace], ["b", "asked"]);
    await rejects(loadKubeContext({ env, context: "bb" }), /there is no context "bb"/, /Did you mean "[ab]"/);
  });
});

Deno.test("paths in a file are relative to the file", async () => {
  const context = await load({
    "sub/config": config(
      { "client-certificate": "me.crt", "client-key": "keys/me.key", "tokenFile": "token" },
      { "certificate-authority": "../ca.crt" },
    ),
    "sub/me.crt": "CERT",
    "sub/keys/me.key": "KEY",
    "ca.crt": "CA",
  }, "sub/config");
  assert.equal(context.authority, "CA");
  await rejects(context.credentials.get(), /the file ".*sub\/token" that it names does not exist/);
});

Deno.test("a token file is read when asked and needs no restart", async () => {
  await withFiles({ config: config({ tokenFile: "token" }), token: "one\n" }, async (directory) => {
    const { credentials } = await loadKubeContext({ kubeconfig: `${directory}/config`, env: new Map() });
    assert.equal((await credentials.get()).headers["Authorization"], "Bearer one");
    await Deno.writeTextFile(`${directory}/token`, "two\n");
    assert.equal((await credentials.get()).headers["Authorization"], "Bearer one");
    assert.equal(credentials.refresh(), true);
    assert.equal((await credentials.get()).headers["Authorization"], "Bearer two");
  });
});

Deno.test("name and password, certificate and impersonation go into the request", async () => {
  const pem = (text: string) => new TextEncoder().encode(text).toBase64();
  const { credentials } = await load({
    config: config({
      username: "me",
      password: "pass",
      as: "other",
      "as-groups": ["g"],
      "client-certificate-data": pem("C"),
      "client-key-data": pem("K"),
    }),
  });
  assert.deepEqual(await credentials.get(), {
    headers: { "Impersonate-User": "other", "Impersonate-Group": "g", Authorization: "Basic bWU6cGFzcw==" },
    certificate: { cert: "C", key: "K" },
  });
  assert.equal(credentials.refresh(), false);
});

Deno.test("an exec plugin is run with its variables, asked again after its token ran out", async () => {
  const plugin = `#!/bin/sh
echo "log in at https://example.test" >&2
echo run >> "$(dirname "$0")/runs"
echo "$KUBERNETES_EXEC_INFO" > "$(dirname "$0")/asked"
echo "{\\"apiVersion\\": \\"client.authentication.k8s.io/v1\\", \\"kind\\": \\"ExecCredential\\", \\"status\\": {\\"token\\": \\"$PREFIX-$1\\", \\"expirationTimestamp\\": \\"$2\\"}}"
`;
  const exec = (expires: string) => ({
    exec: {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "./bin/plugin",
      args: ["arg", expires],
      env: [{ name: "PREFIX", value: "p" }],
      provideClusterInfo: true,
      interactiveMode: "Never",
    },
  });
  const said: string[] = [];
  const before = setLogSink((_level, text) => said.push(text));
  try {
    for (const [expires, runs] of [["2999-01-01T00:00:00Z", 1], ["2000-01-01T00:00:00Z", 2]] as const) {
      await withFiles({ config: config(exec(expires)), "bin/plugin": plugin }, async (directory) => {
        const { credentials } = await loadKubeContext({
          kubeconfig: `${directory}/config`,
          env: new Map(),
        });
        assert.equal((await credentials.get()).headers["Authorization"], "Bearer p-arg");
        await credentials.get();
        assert.equal((await Deno.readTextFile(`${directory}/bin/runs`)).trim().split("\n").length, runs);
        const asked = JSON.parse(await Deno.readTextFile(`${directory}/bin/asked`));
        assert.deepEqual(asked.spec, {
          interactive: false,
          cluster: { server: "https://cluster.test:6443" },
        });
      });
    }
  } finally {
    setLogSink(before);
  }
  assert.ok(said.some((line) => line.includes("log in at https://example.test")));
});

Deno.test("a plugin that fails says how", async () => {
  const cases: [Record<string, unknown>, RegExp, RegExp?][] = [
    [
      { command: "no-such-plugin", installHint: "get it from x" },
      /there is no such program/,
      /get it from x/,
    ],
    [{ command: "./fails" }, /it ended with code 3: no session/],
    [{ command: "./talks" }, /it printed no JSON/],
    [{ command: "./empty" }, /it printed no ExecCredential/],
    [{ command: "./fails", apiVersion: "client.authentication.k8s.io/v1alpha1" }, /speaks ".*v1alpha1"/],
    [{}, /names no command/],
  ];
  for (const [exec, message, help] of cases) {
    const user = {
      exec: { apiVersion: "client.authentication.k8s.io/v1", interactiveMode: "Never", ...exec },
    };
    await withFiles({
      config: config(user),
      fails: "#!/bin/sh\necho trying >&2\necho no session >&2\nexit 3\n",
      talks: "#!/bin/sh\necho hello\n",
      empty: "#!/bin/sh\necho '{}'\n",
    }, async (directory) => {
      const { credentials } = await loadKubeContext({ kubeconfig: `${directory}/config`, env: new Map() });
      await rejects(credentials.get(), message, help);
    });
  }
});

/** Everything of an error that is printed: message, help, causes. */
function shown(error: unknown): string {
  if (!(error instanceof Error)) return "";
  return [error.message, error instanceof KubeError ? error.help : "", shown(error.cause)].join("\n");
}

Deno.test("no error shows a secret", async () => {
  const secret = "hunter2hunter2";
  const plugin = {
    exec: {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "./prints",
      interactiveMode: "Never",
    },
  };
  const files = [
    config({ token: `${secret}\nmore` }),
    config({ tokenFile: "token" }),
    config(plugin),
    `users:\n- name: u\n  user:\n    token: ${secret}: more\n`,
  ];
  for (const text of files) {
    await withFiles({
      config: text,
      token: `${secret} and more`,
      prints: `#!/bin/sh\necho ${secret}\n`,
    }, async (directory) => {
      const kubeconfig = `${directory}/config`;
      const login = loadKubeContext({ kubeconfig, env: new Map() }).then(({ credentials }) =>
        credentials.get()
      );
      await assert.rejects(login, (error) => {
        assert.ok(error instanceof KubeError, String(error));
        assert.ok(!shown(error).includes(secret.slice(0, 6)), shown(error));
        return true;
      });
    });
  }
});

Deno.test("an OIDC token that still holds is used as it is", async () => {
  const part = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url", omitPadding: true });
  const token = `${part({ alg: "none" })}.${part({ exp: 32_503_680_000 })}.s`;
  const { credentials } = await load({
    config: config({ "auth-provider": { name: "oidc", config: { "id-token": token } } }),
  });
  assert.equal((await credentials.get()).headers["Authorization"], `Bearer ${token}`);
});

Deno.test("a pod's own service account is used when there is no kubeconfig", async () => {
  await withFiles({ token: "t\n", namespace: "own", "ca.crt": "CA" }, async (accountDirectory) => {
    const env = new Map([["KUBERNETES_SERVICE_HOST", "fd00::1"], ["KUBERNETES_SERVICE_PORT", "443"]]);
    const context = await loadKubeContext({ env, accountDirectory });
    assert.deepEqual([context.name, context.server, context.namespace, context.authority], [
      "in-cluster",
      "https://[fd00::1]:443",
      "own",
      "CA",
    ]);
    assert.equal((await context.credentials.get()).headers["Authorization"], "Bearer t");
  });
});

Deno.test("without a kubeconfig the error says where one is looked for", async () => {
  const env = new Map([["HOME", "/nonexistent"]]);
  await rejects(loadKubeContext({ env }), /there is no kubeconfig/, /KUBECONFIG, .*~\/\.kube\/config/);
});

Deno.test("what is wrong in a kubeconfig is named, with exit code 78", async () => {
  const cases: [string, RegExp][] = [
    ["{", /Cannot use the kubeconfig/],
    ["[]", /it is not a kubeconfig/],
    ["{}", /it names no current context/],
    ["current-context: x", /there is no context "x"/],
    [config({}, { server: "ftp://x" }), /no server address/],
    [
      config({}, { "insecure-skip-tls-verify": true, "proxy-url": "http://p" }),
      /proxy-url and insecure-skip/,
    ],
    [config({}, { "tls-server-name": "x", "proxy-url": "http://p" }), /proxy-url and tls-server-name/],
    [config({}, { "certificate-authority": "gone.crt" }), /gone\.crt" that it names does not exist/],
    [config({}, { "certificate-authority-data": "%%" }), /"certificate-authority-data" is not base64/],
    [config({ "client-certificate-data": "QQ==" }), /only one is there/],
    [config({ "auth-provider": { name: "gcp" } }), /auth-provider "gcp"/],
  ];
  for (const [text, message] of cases) {
    await rejects(load({ config: text }), message);
    await assert.rejects(load({ config: text }), { exitCode: 78 });
  }
  await rejects(loadKubeContext({ kubeconfig: "/gone/config", env: new Map() }), /there is no such file/);
});
