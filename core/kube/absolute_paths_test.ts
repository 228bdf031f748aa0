// Relative paths of kubeconfig files become absolute, and nothing else of the text changes.

import assert from "node:assert/strict";
import { KubeError } from "../base/errors.ts";
import { absolutePaths } from "./absolute_paths.ts";

const before = `apiVersion: v1 # the usual
clusters:
- name: c
  cluster: {server: https://c.example, certificate-authority: "pki/ca.crt"}
- name: absolute
  cluster:
    certificate-authority: /etc/ca.crt
    certificate-authority-data: YQ==
users:
- name: ana
  user:
    client-key: ../keys/ana.key   # secret
    client-certificate: 'ana crt'
    tokenFile: token
    exec:
      command: ./bin/login
      args: [./not-a-path]
- name: plugin
  user:
    exec: {command: aws}
`;

Deno.test("paths that are relative to the file become absolute", async () => {
  const { text, changes } = await absolutePaths("/home/ana/.kube/config", before);
  const expected = before.replace('"pki/ca.crt"', '"/home/ana/.kube/pki/ca.crt"')
    .replace("../keys/ana.key", "/home/ana/keys/ana.key")
    .replace("'ana crt'", '"/home/ana/.kube/ana crt"')
    .replace("tokenFile: token", "tokenFile: /home/ana/.kube/token")
    .replace("command: ./bin/login", "command: /home/ana/.kube/bin/login");
  assert.equal(text, expected);
  assert.deepEqual(changes[0], {
    where: 'cluster "c", certificate-authority',
    before: "pki/ca.crt",
    after: "/home/ana/.kube/pki/ca.crt",
  });
  assert.equal(changes.length, 5);
  assert.deepEqual(await absolutePaths("/home/ana/.kube/config", text), { text, changes: [] });
});

Deno.test("JSON stays JSON", async () => {
  const json = JSON.stringify({ users: [{ name: "a", user: { "client-key": "a.key" } }] }, null, 2);
  const { text } = await absolutePaths("/k/config", json);
  assert.deepEqual(JSON.parse(text), { users: [{ name: "a", user: { "client-key": "/k/a.key" } }] });
});

Deno.test("what is no kubeconfig is refused without showing its content", async () => {
  for (const text of ["- a list", "users: [\nclient-key: hidden"]) {
    await assert.rejects(absolutePaths("/k/config", text), (error) => {
      assert.ok(error instanceof KubeError);
      assert.match(error.message, /^Cannot use the kubeconfig "\/k\/config": /);
      assert.ok(!error.message.includes("hidden"), error.message);
      return true;
    });
  }
});
