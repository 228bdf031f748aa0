// How the target finds hosts: its resolv.conf, hosts, nsswitch.conf, host.conf and host name, as they are
// now. Called by lookup.ts and dns.ts. Kubernetes writes most of them for every pod, and some while it runs.

import { type HostsLine, parseHosts } from "./hosts.ts";
import { parseNsswitch, parseResolvConf, type ResolvConf, type Source } from "./resolv_conf.ts";
import { hostNameOf } from "../sys/uts.ts";
import { TargetFile } from "./target_files.ts";

export class Settings {
  readonly #pid: () => number;
  readonly #hosts = new TargetFile("/etc/hosts", parseHosts);
  readonly #sources = new TargetFile("/etc/nsswitch.conf", parseNsswitch);
  readonly #multi = new TargetFile("/etc/host.conf", (text) => /^\s*multi\s+on\b/m.test(text));
  readonly #resolvConf = new TargetFile("/etc/resolv.conf", (text) => parseResolvConf(text, this.hostName()));

  /** `pid` returns the target's process at each call. */
  constructor(pid: () => number) {
    this.#pid = pid;
  }

  resolvConf(): ResolvConf {
    return this.#resolvConf.read(this.#pid());
  }

  hosts(): readonly HostsLine[] {
    return this.#hosts.read(this.#pid());
  }

  sources(): readonly Source[] {
    return this.#sources.read(this.#pid());
  }

  /** host.conf(5): all addresses of a name in the hosts file, not the first alone. */
  multi(): boolean {
    return this.#multi.read(this.#pid());
  }

  /** What gethostname(2) returns in the target. */
  hostName(): string {
    return hostNameOf(this.#pid());
  }
}
