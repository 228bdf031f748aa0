// The node of the test cluster: how each daemon is configured, in the order
// they are started, and the condition that says each is ready.

import { join } from "node:path";
import { attempt, run } from "./command.ts";
import { startAgain, startDaemon, untilReady } from "./daemons.ts";
import {
  apiPort,
  cgroupName,
  clusterDomain,
  cniNetwork,
  containerdSocket,
  dns,
  inNetnsArgv,
  kubeconfigPath,
  node,
  nodeName,
  nodeNetns,
  nodePods,
  pods,
  services,
  stateDir,
} from "./layout.ts";
import { cniPluginDir } from "./packages.ts";
import { pkiPath, writeKubeconfig } from "./pki.ts";

export interface Programs {
  hyperkube: string;
  coredns: string;
}

/** The programs that the running cluster was started with. */
export async function runningPrograms(): Promise<Programs> {
  return JSON.parse(await Deno.readTextFile(stateDir("programs.json"))) as Programs;
}

export async function recordPrograms(programs: Programs): Promise<void> {
  await Deno.writeTextFile(stateDir("programs.json"), JSON.stringify(programs));
}

export const daemonNames = [
  "containerd",
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "coredns",
];

const etcdUrl = "http://127.0.0.1:2379";
const corednsReadyPort = 8181;

/** Both families in the form the flags of Kubernetes take. */
function dual(pair: { v4: string; v6: string }): string {
  return `${pair.v4},${pair.v6}`;
}

function flags(options: Record<string, string>): string[] {
  return Object.entries(options).map(([name, value]) => `--${name}=${value}`);
}

export async function startContainerd(): Promise<void> {
  const config = stateDir("containerd.toml");
  await Deno.writeTextFile(config, containerdConfig(await cniPluginDir() ?? "", await snapshotter()));
  await Deno.mkdir(stateDir("cni"), { recursive: true });
  await Deno.writeTextFile(stateDir("cni", "10-test.conflist"), JSON.stringify(cniConfig(), null, 2));
  await startDaemon("containerd", ["containerd", "--config", config]);
  await untilReady("containerd", async () => (await attempt(ctr("version"))).code === 0, 20);
}

/** The overlay file system cannot be stacked on itself, as in a container. */
async function snapshotter(): Promise<string> {
  const type = await run(["stat", "--file-system", "--format=%T", stateDir()]);
  return type.trim() === "overlayfs" ? "native" : "overlayfs";
}

export function ctr(...args: string[]): string[] {
  return ["ctr", "--address", containerdSocket(), "--namespace", "k8s.io", ...args];
}

/** Every path that containerd would otherwise take from the system is in the state folder. */
function containerdConfig(pluginDir: string, snapshots: string): string {
  const dir = stateDir("containerd");
  return `version = 2
root = "${join(dir, "root")}"
state = "${join(dir, "state")}"
[grpc]
  address = "${containerdSocket()}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${join(dir, "opt")}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "test.local/pause:1"
  # Lowering a score takes CAP_SYS_RESOURCE, which a container may lack.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${pluginDir}"
    conf_dir = "${stateDir("cni")}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${snapshots}"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "${join(dir, "runc")}"
`;
}

/**
 * Pods hang on the node by point-to-point links, not on a bridge: what is
 * routed always meets kube-proxy's rules, with no br_netfilter to load.
 */
function cniConfig(): unknown {
  const ranges = [[{ subnet: nodePods.v4 }], [{ subnet: nodePods.v6 }]];
  const routes = [{ dst: "0.0.0.0/0" }, { dst: "::/0" }];
  const ipam = { type: "host-local", dataDir: stateDir("cni-addresses"), ranges, routes };
  return {
    cniVersion: "0.4.0",
    name: cniNetwork,
    plugins: [
      { type: "ptp", ipMasq: false, ipam },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
}

export async function startApi({ hyperkube }: Programs): Promise<void> {
  await startDaemon("etcd", [
    "etcd",
    ...flags({
      "data-dir": stateDir("etcd"),
      "listen-client-urls": etcdUrl,
      "advertise-client-urls": etcdUrl,
      "listen-peer-urls": "http://127.0.0.1:2380",
    }),
    "--unsafe-no-fsync",
  ], { ETCD_UNSUPPORTED_ARCH: Deno.build.arch === "aarch64" ? "arm64" : "" });
  await startDaemon("kube-apiserver", [
    hyperkube,
    "kube-apiserver",
    ...flags({
      "etcd-servers": etcdUrl,
      "service-cluster-ip-range": dual(services),
      "client-ca-file": pkiPath("ca.crt"),
      "tls-cert-file": pkiPath("apiserver.crt"),
      "tls-private-key-file": pkiPath("apiserver.key"),
      "service-account-key-file": pkiPath("sa.pub"),
      "service-account-signing-key-file": pkiPath("sa.key"),
      "service-account-issuer": `https://kubernetes.default.svc.${clusterDomain}`,
      "kubelet-client-certificate": pkiPath("admin.crt"),
      "kubelet-client-key": pkiPath("admin.key"),
      "kubelet-certificate-authority": pkiPath("ca.crt"),
      "kubelet-preferred-address-types": "InternalIP",
      "authorization-mode": "Node,RBAC",
      "advertise-address": node.v4,
      "secure-port": String(apiPort),
      "allow-privileged": "true",
      "cert-dir": stateDir("apiserver"),
    }),
  ]);
  await writeKubeconfig(kubeconfigPath(), "admin", node.v4);
  await writeKubeconfig(stateDir("kubelet.kubeconfig"), "kubelet", "127.0.0.1");
}

export async function untilApiReady({ hyperkube }: Programs): Promise<void> {
  const ready = kubectlArgv(hyperkube, ["get", "--raw", "/readyz"]);
  await untilReady("kube-apiserver", async () => (await attempt(ready)).code === 0);
}

export function kubectlArgv(hyperkube: string, args: readonly string[]): string[] {
  return inNetnsArgv(nodeNetns, [hyperkube, "kubectl", "--kubeconfig", kubeconfigPath(), ...args]);
}

export async function startControllers({ hyperkube }: Programs): Promise<void> {
  await startDaemon("kube-controller-manager", [
    hyperkube,
    "kube-controller-manager",
    ...flags({
      "kubeconfig": kubeconfigPath(),
      "service-account-private-key-file": pkiPath("sa.key"),
      "root-ca-file": pkiPath("ca.crt"),
      "cluster-cidr": dual(pods),
      "service-cluster-ip-range": dual(services),
      "allocate-node-cidrs": "true",
      "flex-volume-plugin-dir": stateDir("volume-plugins"),
      "use-service-account-credentials": "true",
      "leader-elect": "false",
    }),
  ]);
  await startDaemon("kube-scheduler", [
    hyperkube,
    "kube-scheduler",
    ...flags({ "kubeconfig": kubeconfigPath(), "leader-elect": "false" }),
  ]);
}

export async function startNode({ hyperkube }: Programs): Promise<void> {
  // Pods see only the cluster's names, not the search list of this machine.
  await Deno.writeTextFile(stateDir("resolv.conf"), "");
  await Deno.writeTextFile(stateDir("kubelet.json"), JSON.stringify(kubeletConfig(), null, 2));
  await startDaemon("kubelet", [
    hyperkube,
    "kubelet",
    ...flags({
      "config": stateDir("kubelet.json"),
      "kubeconfig": stateDir("kubelet.kubeconfig"),
      "node-ip": dual(node),
      "hostname-override": nodeName,
      "root-dir": stateDir("kubelet"),
    }),
  ]);
  await startDaemon("kube-proxy", [
    hyperkube,
    "kube-proxy",
    ...flags({
      "kubeconfig": kubeconfigPath(),
      "proxy-mode": "iptables",
      "hostname-override": nodeName,
      "cluster-cidr": dual(pods),
      // A ready pod is reachable through its Service at once, not a second later.
      "iptables-min-sync-period": "0s",
      // 0 leaves the machine-wide limit on tracked connections alone.
      "conntrack-max-per-core": "0",
    }),
  ]);
}

function kubeletConfig(): unknown {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      x509: { clientCAFile: pkiPath("ca.crt") },
      webhook: { enabled: true },
      anonymous: { enabled: false },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: pkiPath("kubelet.crt"),
    tlsPrivateKeyFile: pkiPath("kubelet.key"),
    clusterDomain,
    clusterDNS: [dns.v4],
    resolvConf: stateDir("resolv.conf"),
    containerRuntimeEndpoint: `unix://${containerdSocket()}`,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroupName}`,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    localStorageCapacityIsolation: false,
    // The machine's disk and images are no business of a test cluster.
    evictionHard: {},
    imageGCHighThresholdPercent: 100,
    podLogsDir: stateDir("pod-logs"),
    volumePluginDir: stateDir("volume-plugins"),
    // The default is one status report in ten seconds, a long wait for a test.
    nodeStatusUpdateFrequency: "2s",
    syncFrequency: "5s",
    registryPullQPS: 0,
    eventRecordQPS: 0,
  };
}

/** CoreDNS runs beside the pods, on the node: a Service without selector points at it. */
export async function startDns({ coredns, hyperkube }: Programs): Promise<void> {
  await Deno.writeTextFile(stateDir("Corefile"), corefile());
  await startDaemon("coredns", [coredns, "-conf", stateDir("Corefile")]);
  await run(kubectlArgv(hyperkube, ["apply", "-f", "-"]), { stdin: JSON.stringify(dnsObjects()) });
  await untilDnsReady();
}

export async function untilDnsReady(): Promise<void> {
  const request = "GET /ready HTTP/1.0\r\n\r\n";
  const ask = inNetnsArgv(nodeNetns, ["socat", "-t5", "-", `TCP:127.0.0.1:${corednsReadyPort}`]);
  await untilReady("coredns", async () => (await attempt(ask, { stdin: request })).stdout.includes(" 200 "));
}

/** Starts a part of the cluster that was stopped (daemons.ts), and waits until the cluster is whole. */
export async function startPart(name: string): Promise<void> {
  const programs = await runningPrograms();
  await startAgain(name);
  if (name === "containerd") await untilReady(name, async () => (await attempt(ctr("version"))).code === 0);
  if (name === "coredns") await untilDnsReady();
  await untilApiReady(programs);
  // A kubelet that was away is ready by its own word, which may be an old one.
  if (name === "kubelet") {
    await untilReady(name, async () => (await attempt(kubeletHealth)).stdout.endsWith("ok"));
  }
  await untilNodeReady(programs);
}

const kubeletHealth = inNetnsArgv(nodeNetns, ["curl", "--silent", "http://127.0.0.1:10248/healthz"]);

function corefile(): string {
  const zones = `${clusterDomain} in-addr.arpa ip6.arpa`;
  return `${zones} {
  bind ${node.v4} ${node.v6}
  errors
  ready 127.0.0.1:${corednsReadyPort}
  kubernetes ${zones} {
    kubeconfig ${kubeconfigPath()}
    pods insecure
    ttl 1
  }
  cache 1
  loadbalance
}
# There is no outside: say so at once instead of letting resolvers wait.
. {
  bind ${node.v4} ${node.v6}
  errors
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;
}

function dnsObjects(): unknown {
  const names = { name: "kube-dns", namespace: "kube-system" };
  const ports = [{ name: "dns", port: 53, protocol: "UDP" }, { name: "dns-tcp", port: 53, protocol: "TCP" }];
  const clusterIPs = [dns.v4, dns.v6];
  const families = ["IPv4", "IPv6"];
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: names,
    spec: { clusterIP: dns.v4, clusterIPs, ipFamilies: families, ipFamilyPolicy: "RequireDualStack", ports },
  };
  const slices = families.map((family) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `kube-dns-${family.toLowerCase()}`,
      namespace: names.namespace,
      labels: { "kubernetes.io/service-name": names.name },
    },
    addressType: family,
    ports,
    endpoints: [{ addresses: [family === "IPv4" ? node.v4 : node.v6], conditions: { ready: true } }],
  }));
  return { apiVersion: "v1", kind: "List", items: [service, ...slices] };
}

export async function untilNodeReady({ hyperkube }: Programs): Promise<void> {
  const kubectl = (...args: string[]) => run(kubectlArgv(hyperkube, args));
  await kubectl("wait", "--for=create", `node/${nodeName}`, "--timeout=180s");
  await kubectl("wait", "--for=condition=Ready", `node/${nodeName}`, "--timeout=180s");
  // Pods are refused in a namespace that has no service account yet.
  await kubectl("wait", "--for=create", "serviceaccount/default", "--namespace=default", "--timeout=180s");
}
