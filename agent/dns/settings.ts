// How the target finds hosts: its resolv.conf, hosts, nsswitch.conf, host.conf and host name, as they are
// now. Called by lookup.ts and dns.ts. Kubernetes writes most of them for every pod, and some while it runs.

import { type HostsLine, parseHosts } from "./hosts.ts";
import { parseNsswitch, parseResolvConf, type ResolvConf, type Source } from "./resolv_conf.ts";
import { hostNameOf } from "../sys/uts.ts";
import type { TargetPlace } from "../sys/target_place.ts";
import { TargetFile } from "./target_files.ts";

export class Settings {
  readonly #target: TargetPlace;
  readonly #hosts = new TargetFile("/etc/hosts", parseHosts);
  readonly #sources = new TargetFile("/etc/nsswitch.conf", parseNsswitch);
  readonly #multi = new TargetFile("/etc/host.conf", (text) => /^\s*multi\s+on\b/m.test(text));
  readonly #resolvConf = new TargetFile("/etc/resolv.conf", (text) => parseResolvConf(text, this.hostName()));

  /** Everything is of the process that `target` found last. */
  constructor(target: TargetPlace) {
    this.#target = target;
  }

  resolvConf(): ResolvConf {
    return this.#resolvConf.read(this.#target.root);
  }

  hosts(): readonly HostsLine[] {
    return this.#hosts.read(this.#target.root);
  }

  sources(): readonly Source[] {
    return this.#sources.read(this.#target.root);
  }

  /** host.conf(5): all addresses of a name in the hosts file, not the first alone. */
  multi(): boolean {
    return this.#multi.read(this.#target.root);
  }

  /** What gethostname(2) returns in the target. */
  hostName(): string {
    return hostNameOf(this.#target.pid);
  }
}
