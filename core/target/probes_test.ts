// Which connections of the kubelet a pod declares, and which of its commands may be one.

import assert from "node:assert/strict";
import { compileFilter } from "../../protocol-wasm/mod.ts";
import { commandProbes, nodeAddresses, probesOf } from "./probes.ts";

const restarted = { restartPolicy: "Always" };

/** A request as the kubelet writes it. */
function request(path: string, headers: Record<string, string>): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return new TextEncoder().encode(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
}

Deno.test("probes of every kind and container are found, ports by number and by their own container's names", () => {
  const named = { httpGet: { port: "web", path: "/" } };
  const probes = probesOf({
    spec: {
      containers: [
        {
          name: "app",
          ports: [{ name: "web", containerPort: 8080 }],
          livenessProbe: named,
          readinessProbe: named,
        },
        { name: "side", ports: [{ name: "web", containerPort: 9090 }], startupProbe: named },
        {
          name: "other",
          livenessProbe: { httpGet: { port: 443, scheme: "HTTPS" } },
          readinessProbe: { tcpSocket: { port: "6379" } },
          startupProbe: { exec: { command: ["true"] } },
        },
        { name: "typo", livenessProbe: { httpGet: { port: "no-such-name" } } },
      ],
      initContainers: [{ name: "proxy", ...restarted, readinessProbe: { grpc: { port: 50051 } } }],
    },
  });
  assert.deepEqual(
    probes.map(({ port, how }) => `${how} ${port}`),
    [
      "http 8080",
      "http 9090",
      "tcp 6379",
      "https 443",
      "grpc 50051",
    ].toSorted((a, b) =>
      probes.findIndex((one) => `${one.how} ${one.port}` === a) -
      probes.findIndex((one) => `${one.how} ${one.port}` === b)
    ),
  );
  assert.equal(probes.length, 5);
});

Deno.test("hooks by HTTP are the kubelet's too", () => {
  const [hook] = probesOf({
    spec: {
      containers: [{ name: "app", lifecycle: { preStop: { httpGet: { port: 80, path: "/bye" } } } }],
    },
  });
  assert.ok(hook !== undefined);
  using filter = compileFilter(hook.filter);
  assert.ok(filter.matches(request("/bye", { Host: "pod", "User-Agent": "kube-lifecycle/1.34" })));
});

Deno.test("an HTTP probe's request is known by its path and all that the kubelet sends", () => {
  const [probe] = probesOf({
    spec: {
      containers: [{
        name: "app",
        livenessProbe: {
          httpGet: {
            port: 80,
            path: "/health.php?deep=1",
            httpHeaders: [{ name: "Host", value: "shop.example" }, { name: "X-Probe", value: "a+b" }],
          },
        },
      }],
    },
  });
  assert.ok(probe !== undefined);
  using filter = compileFilter(probe.filter);
  const headers = { Host: "shop.example", "X-Probe": "a+b", "User-Agent": "kube-probe/1.34" };
  assert.ok(filter.matches(request("/health.php?deep=1", headers)));
  assert.ok(!filter.matches(request("/healthxphp?deep=1", headers)));
  assert.ok(!filter.matches(request("/health.php?deep=1", { ...headers, Host: "shop" })));
  assert.ok(!filter.matches(request("/health.php?deep=1", { ...headers, "X-Probe": "aab" })));
  assert.ok(!filter.matches(request("/health.php?deep=1", { ...headers, "User-Agent": "curl/8" })));
});

Deno.test("a probe with a User-Agent of its own is known by that", () => {
  const [probe] = probesOf({
    spec: {
      containers: [{
        name: "app",
        livenessProbe: { httpGet: { port: 80, httpHeaders: [{ name: "user-agent", value: "check" }] } },
      }],
    },
  });
  assert.ok(probe !== undefined);
  using filter = compileFilter(probe.filter);
  assert.ok(filter.matches(request("/", { Host: "pod", "User-Agent": "check" })));
  assert.ok(!filter.matches(request("/", { Host: "pod", "User-Agent": "kube-probe/1.34" })));
});

Deno.test("probes by a command are named when it may connect", () => {
  const probe = (...command: string[]) => ({ exec: { command } });
  const named = (...command: string[]) =>
    commandProbes({ spec: { containers: [{ name: "app", livenessProbe: probe(...command) }] } });
  assert.deepEqual(named("curl", "-f", "localhost"), ['the liveness probe of "app" (curl -f localhost)']);
  assert.equal(named("sh", "-c", "redis-cli ping | grep PONG").length, 1);
  assert.equal(named("sh", "-c", "test -f $(mktemp)").length, 1);
  assert.equal(named("bash", "-c", "echo > /dev/tcp/localhost/80").length, 1);
  assert.equal(named("/app/health").length, 1);
  assert.deepEqual(named("cat", "/tmp/healthy"), []);
  assert.deepEqual(named("/bin/sh", "-c", "test -f /tmp/ready && ! [ -f /tmp/drain ]").length, 1);
  assert.deepEqual(named("/bin/sh", "-c", "test -f /tmp/ready && cat /tmp/ready"), []);
  assert.deepEqual(commandProbes({ spec: { containers: [{ name: "app" }] } }), []);
  const http = { httpGet: { port: 80 } };
  assert.deepEqual(commandProbes({ spec: { containers: [{ name: "app", livenessProbe: http }] } }), []);
});

Deno.test("a node's addresses are those of the pod's status", () => {
  assert.deepEqual(
    nodeAddresses({ status: { hostIP: "10.0.0.1", hostIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }] } }),
    ["10.0.0.1", "fd00::1"],
  );
  assert.deepEqual(nodeAddresses({}), []);
});
