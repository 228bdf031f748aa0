// The configuration format, declared once: the checks, the TypeScript types and the published JSON schema,
// which documents each key, all come from this declaration. Loaded only when there is a configuration to
// check (load.ts imports it lazily). Keys have the names of upstream's format, in which mirrord's users
// already have files. Keys of that format that are missing in this release are in later.ts, which reports
// each by name.

import * as z from "zod/mini";

const port = z.int().check(z.minimum(1), z.maximum(65535));
const seconds = z.int().check(z.minimum(1), z.maximum(86400));
const secondsOrNone = z.int().check(z.minimum(0), z.maximum(86400));
const text = z.string().check(z.minLength(1));
const oneOrMany = z.union([text, z.array(text)]);
const pairs = z.array(z.tuple([port, port]));

/** A key that may be left out; `about` is what editors show for it. */
function key<T extends z.ZodMiniType>(about: string, type: T): z.ZodMiniOptional<T> {
  const optional = z.optional(type);
  z.globalRegistry.add(optional, { description: about });
  return optional;
}

/** A filter: exactly one of these keys (checked in resolve.ts, where the sentence can name both). */
export interface FilterLeaf {
  header?: string | undefined;
  path?: string | undefined;
  method?: string | undefined;
  all_of?: FilterLeaf[] | undefined;
  any_of?: FilterLeaf[] | undefined;
  not?: FilterLeaf | undefined;
}

const about = {
  header: 'A regular expression over each header, written "name: value". A request matches if one does.',
  path: "A regular expression over the path with its query.",
  method: "The method, such as GET. Case does not matter.",
  allOf: "A list of filters: a request matches if all of them do.",
  anyOf: "A list of filters: a request matches if one of them does.",
  not: "A filter: a request matches if this one does not.",
};

const filterLeaf: z.ZodMiniType<FilterLeaf> = z.strictObject({
  header: key(about.header, text),
  path: key(about.path, text),
  method: key(about.method, text),
  get all_of() {
    return key(about.allOf, z.array(filterLeaf));
  },
  get any_of() {
    return key(about.anyOf, z.array(filterLeaf));
  },
  get not() {
    return key(about.not, filterLeaf);
  },
});

const httpFilter = z.strictObject({
  header_filter: key(about.header, text),
  path_filter: key(about.path, text),
  method_filter: key(about.method, text),
  all_of: key(about.allOf, z.array(filterLeaf)),
  any_of: key(about.anyOf, z.array(filterLeaf)),
  not: key(about.not, filterLeaf),
  ports: key(
    "The port or ports whose requests are filtered. Without it: every port that is stolen or mirrored.",
    z.union([port, z.array(port)]),
  ),
});

const incomingMode = z.enum(["off", "steal", "mirror"]);

const incoming = z.strictObject({
  mode: key(
    '"mirror" (default): your program gets a copy of what clients send, and the target answers. ' +
      '"steal": your program answers in the place of the target. "off": neither.',
    incomingMode,
  ),
  ports: key(
    "The ports of the target whose traffic is taken. Without it: all on which you listen.",
    z.array(port),
  ),
  ignore_ports: key("Ports whose traffic is not taken. Not together with ports.", z.array(port)),
  port_mapping: key(
    "Pairs [local, remote]: your program's port gets the traffic of that of the target.",
    pairs,
  ),
  ignore_localhost: key("true: listeners on loopback stay on this machine. Default: false.", z.boolean()),
  listen_ports: key(
    "Pairs [asked, local]: where on this machine your program listens when it asks for the first.",
    pairs,
  ),
  dynamic_ports: key(
    "false: listeners for which your program asked port 0 stay on this machine. true: they are the target's.",
    z.boolean(),
  ),
  http_filter: key(
    "Only HTTP requests that match are taken; the target answers the others. One of header_filter, " +
      "path_filter, method_filter, all_of, any_of, not; and ports. A switch filters nothing.",
    z.union([z.boolean(), httpFilter]),
  ),
});

const envMode = z.enum(["denylist", "allowlist"]);

const env = z.strictObject({
  mode: key(
    '"denylist" (default): all variables but those of exclude and of the built-in list. ' +
      '"allowlist": only those that include names, and include must be there.',
    envMode,
  ),
  include: key("Names of variables that are taken, with * and ?. Not together with exclude.", oneOrMany),
  exclude: key("Names of variables that are not taken, with * and ?.", oneOrMany),
  override: key(
    "Variables with values of your own, over those of the target.",
    z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  ),
  mapping: key(
    "Pattern over the name → value, for variables of the target.",
    z.record(z.string(), z.string()),
  ),
  unset: key("Names of variables that your program does not get, whatever their case.", oneOrMany),
  env_file: key("A dotenv file whose variables your program gets, over those of the target.", text),
});

const texts = z.record(z.string(), z.string());
const quantities = z.record(z.string(), z.union([text, z.number()]));

/** As in the specification of a pod. */
const toleration = z.strictObject({
  key: key("The taint's key. Without it: every key, with the operator Exists.", z.string()),
  operator: key('"Equal" (default) or "Exists".', z.string()),
  value: key("The taint's value, for the operator Equal.", z.string()),
  effect: key('"NoSchedule", "PreferNoSchedule" or "NoExecute". Without it: every effect.', z.string()),
  tolerationSeconds: key("How long a taint with the effect NoExecute is tolerated.", z.int()),
});

const ownPod = "Of the agent's own pod, which it has without a target; it has no effect with one.";

const agent = z.strictObject({
  image: key(
    'The agent\'s image: a text, or an object of registry and tag. "target": no image, the agent is sent into ' +
      "a container of the target's own. Default: the image that this release published, otherwise target.",
    z.union([
      text,
      z.strictObject({
        registry: key("Registry and name of the image, without a tag.", text),
        tag: key("The image's tag.", text),
      }),
    ]),
  ),
  image_pull_policy: key(
    "When the node pulls an image that agent.image names. Default: IfNotPresent.",
    z.enum(["Always", "IfNotPresent", "Never"]),
  ),
  image_pull_secrets: key(
    `Secrets by which the agent's image is pulled. ${ownPod}`,
    z.array(z.strictObject({ name: text.register(z.globalRegistry, { description: "The Secret's name." }) })),
  ),
  startup_timeout: key("Seconds until the agent must answer. Default: 60.", seconds),
  communication_timeout: key("Seconds after which an agent without a client leaves. Default: 30.", seconds),
  heartbeat_timeout: key(
    "Seconds without a sign of the agent, of the link or of mirrord itself after which the target answers new " +
      "connections of stolen ports by itself. They are stolen again once all are heard. Default: 2.",
    seconds,
  ),
  linger: key(
    "Seconds that bytes which your program sent may stand still on their way after it ended; then they are " +
      "given up (exit code 74). 0: at once. Default: 10.",
    secondsOrNone,
  ),
  http_detection_timeout: key(
    "Seconds in which the first line of a filtered connection must end; otherwise the whole connection goes to " +
      "the target, as it is not HTTP. Default: 2.",
    secondsOrNone,
  ),
  log_level: key('"debug", "info" (default), "warning" or "error".', text),
  owner: key("A text in the pod's specification that names the owner of the session. Default: none.", text),
  ephemeral: key("true: the agent is an ephemeral container, as it always is with a target.", z.boolean()),
  allow_host_network: key(
    "true: the traffic of a pod that uses its node's network may be taken, on the ports that it declares. " +
      "Default: false.",
    z.boolean(),
  ),
  // Of the agent's own pod (agent_pod.ts); shapes and names within are those of Kubernetes.
  namespace: key(`The pod's namespace; short names of Services are looked up there. ${ownPod}`, text),
  labels: key(`Labels of the Job and its pod. ${ownPod}`, texts),
  annotations: key(`Annotations of the Job and its pod. ${ownPod}`, texts),
  node_selector: key(`Labels of the nodes that may run the pod. ${ownPod}`, texts),
  tolerations: key(`Taints of nodes that the pod tolerates. ${ownPod}`, z.array(toleration)),
  priority_class: key(`The pod's priority class. ${ownPod}`, text),
  service_account: key(`The pod's service account. ${ownPod}`, text),
  resources: key(
    `Requests and limits; given, they replace both defaults (1m and 64Mi, 1 CPU and 512Mi). ${ownPod}`,
    z.strictObject({
      requests: key("What the node keeps for the pod, such as cpu and memory.", quantities),
      limits: key("What the pod may use at most, such as cpu and memory.", quantities),
      claims: key("Known by name only: the agent claims no resources.", z.array(z.unknown())),
    }),
  ),
  ttl: key(`Seconds that a finished agent stays. Default: 10. ${ownPod}`, secondsOrNone),
  disable_mesh_sidecar_injection: key(
    `false: Istio, Linkerd and Kuma may add their sidecar. Default: true. ${ownPod}`,
    z.boolean(),
  ),
});

const targetKeys = {
  pod: key("The name of a pod.", text),
  deployment: key("The name of a Deployment.", text),
  container: key("The name of a container of the target. Default: its first one.", text),
};

const workload = z.strictObject(targetKeys);

const sideFilter = z.strictObject({
  remote: key("Only what these match goes by the target, all else by this machine.", oneOrMany),
  local: key("What these match goes by this machine, all else by the target.", oneOrMany),
});

const outgoing = z.strictObject({
  tcp: key("TCP connections of your program go by the target. Default: true.", z.boolean()),
  udp: key("UDP datagrams of your program go by the target. Default: true.", z.boolean()),
  ignore_localhost: key("true: connections to loopback stay on this machine. Default: false.", z.boolean()),
  filter: key(
    "Which connections go by the target, as [tcp://|udp://]host, address or network[:port].",
    sideFilter,
  ),
});

const dns = z.strictObject({
  enabled: key("Names are resolved by the target. Default: true.", z.boolean()),
  filter: key("Which names the target resolves, as name[:port].", sideFilter),
});

const network = z.strictObject({
  incoming: key(
    'The traffic of the target: "mirror" (default), "steal", "off", a switch, or an object.',
    z.union([z.boolean(), incomingMode, incoming]),
  ),
  outgoing: key(
    "Connections that your program makes come from the target. A switch (default: true), or an object.",
    z.union([z.boolean(), outgoing]),
  ),
  dns: key(
    "Names are resolved as in the target. A switch (default: true), or an object.",
    z.union([z.boolean(), dns]),
  ),
  interfaces: key(
    "Your program sees the network interfaces and addresses of the target, where incoming or outgoing is on. " +
      "Default: true.",
    z.boolean(),
  ),
});

const filesMode = z.enum(["local", "localwithoverrides", "local-with-overrides", "read", "write"]);

const files = z.strictObject({
  mode: key(
    '"read" (default): files are read from the target, and written on this machine. "write": both in the ' +
      'target. "local": both here. "localwithoverrides": here, but for what the patterns say.',
    filesMode,
  ),
  read_write: key("Patterns of paths that are read and written in the target.", oneOrMany),
  read_only: key("Patterns of paths that are read from the target.", oneOrMany),
  local: key("Patterns of paths that are this machine's.", oneOrMany),
  not_found: key("Patterns of paths that do not exist for your program. Looked at first.", oneOrMany),
  mapping: key("Pattern → path: files are found at another path.", z.record(z.string(), z.string())),
  readonly_file_buffer: key(
    "Bytes that are read ahead of a file that is only read. Default: 128000.",
    z.int().check(z.minimum(0), z.maximum(15 << 20)),
  ),
  cache: key(
    '"walk" (default): names of the target\'s folders and their attributes may be up to a second old while a ' +
      'tree is walked. "off": each is asked for.',
    z.enum(["off", "walk"]),
  ),
});

const magic = z.strictObject({
  auto_mount: key(
    "Volumes mounted in the target's container are read from it, wherever they are: after the patterns of " +
      "feature.fs, before the built-in lists. Default: true.",
    z.boolean(),
  ),
});

const feature = z.strictObject({
  env: key(
    "Your program gets the target's environment variables. A switch (default: true), or an object.",
    z.union([z.boolean(), env]),
  ),
  fs: key(
    'Files of the target: "read" (default), "write", "local", "localwithoverrides", a switch, or an object.',
    z.union([z.boolean(), filesMode, files]),
  ),
  network: key("false turns all four below off. Default: true.", z.union([z.boolean(), network])),
  hostname: key("Your program has the target's host name. Default: true.", z.boolean()),
  magic: key(
    "Conveniences; a switch for all of them (default: true), or an object.",
    z.union([z.boolean(), magic]),
  ),
});

/** The whole file. */
export const configSchema = z.strictObject({
  $schema: key("The schema by which an editor checks this file.", z.string()),
  target: key(
    'In whose conditions your program runs: "pod/NAME", "deployment/NAME" (each with "/container/NAME"), ' +
      '"process/PID", "targetless" (only the cluster\'s network and names), or an object.',
    z.union([
      text,
      z.strictObject({
        path: key(
          'The target: "pod/NAME", "deployment/NAME" and so on, or an object.',
          z.union([text, workload]),
        ),
        namespace: key("The target's namespace. Default: that of the context.", text),
        ...targetKeys,
      }),
    ]),
  ),
  kubeconfig: key("The kubeconfig file. Default: as kubectl.", text),
  kube_context: key("The context of the kubeconfig. Default: the current one.", text),
  accept_invalid_certificates: key(
    "true: the certificate of the API server is not checked. Default: as the kubeconfig says.",
    z.boolean(),
  ),
  telemetry: key("It has no effect: mirrord sends nothing about you to anybody.", z.boolean()),
  key: key("What {{ key }} in this file stands for. Default: five random digits.", text),
  skip_processes: key("Names of programs that run without mirrord.", oneOrMany),
  skip_build_tools: key(
    "Compilers, linkers and similar tools run without mirrord. Default: true.",
    z.boolean(),
  ),
  ci: key(
    "For mirrord ci.",
    z.strictObject({
      output_dir: key(
        "Where mirrord ci start and ci container make a folder for what the program prints. Default: the folder " +
          "for temporary files.",
        text,
      ),
    }),
  ),
  skip_extra_build_tools: key("Names added to those of skip_build_tools.", oneOrMany),
  skip_sip: key(
    "macOS: names of programs that run without mirrord though the system protects them. Default: git.",
    oneOrMany,
  ),
  sip_binaries: key(
    "macOS: ends of paths of programs that run by a copy, though they do not look protected.",
    oneOrMany,
  ),
  agent: key("How the agent in the cluster runs.", agent),
  feature: key("What your program has of the target.", feature),
});

/** A checked file, before defaults. */
export type ConfigFile = z.infer<typeof configSchema>;
export type IncomingFile = z.infer<typeof incoming>;
export type HttpFilterFile = z.infer<typeof httpFilter>;
export type EnvFile = z.infer<typeof env>;
export type FilesFile = z.infer<typeof files>;
export type SideFilterFile = z.infer<typeof sideFilter>;

/** The JSON schema that editors use for completion; the same declaration as the checks. */
export function jsonSchema(): Record<string, unknown> {
  return { title: "mirrord configuration", ...z.toJSONSchema(configSchema) };
}

/** The same as the file that editors read. */
export function schemaText(): string {
  return `${JSON.stringify(jsonSchema(), null, 2)}\n`;
}
