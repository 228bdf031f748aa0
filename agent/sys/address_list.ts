// The addresses of this network namespace as they are at each question. Called by agent/dns. They are read
// again when the kernel says that one came, went or changed: it does so before the call that changes it ends
// (rtnetlink(7), RTMGRP_IPV4_IFADDR and RTMGRP_IPV6_IFADDR), so what is kept is as new as the question.

import { AF_NETLINK } from "../../core/net/linux/diag_dump.ts";
import { addressBytes } from "../../core/net/address.ts";
import { formatIp } from "../../protocol-wasm/mod.ts";
import { outcome } from "../../core/net/linux/libc.ts";
import { c, E, K } from "./libc.ts";

/** IPv4 addresses with the bits of their network, IPv6 ones with the kernel's flags (IFA_F_…). */
export interface Addresses {
  prefixes: ReadonlyMap<string, number>;
  flags: ReadonlyMap<string, number>;
}

const NETLINK_ROUTE = 0;
/** <linux/rtnetlink.h>: RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR. */
const addressGroups = 0x10 | 0x100;

export class AddressList implements Disposable {
  /** Negative: the kernel does not tell of changes, and each question reads. */
  #fd: number;
  #kept: Addresses | null = null;
  /** Their content does not matter. */
  readonly #news = new Uint8Array(4096);

  constructor() {
    this.#fd = subscribe();
  }

  now(): Addresses {
    if (this.#hasNews() || this.#kept === null) this.#kept = read();
    return this.#kept;
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) c.close(this.#fd);
    this.#fd = -1; // a question that is under way may still come, and the number be another socket's
  }

  /** Whatever is not "nothing there" counts: ENOBUFS says that something was lost. */
  #hasNews(): boolean {
    if (this.#fd < 0) return true;
    for (let news = false;; news = true) {
      const count = outcome.recv(this.#fd, this.#news, K.MSG_DONTWAIT);
      if (count === -E.EAGAIN) return news;
      if (count < 0) return true;
    }
  }
}

function subscribe(): number {
  const fd = c.socket(AF_NETLINK, K.SOCK_DGRAM | K.SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return fd;
  const name = new DataView(new ArrayBuffer(12)); // struct sockaddr_nl
  name.setUint16(0, AF_NETLINK, true);
  name.setUint32(8, addressGroups, true);
  if (c.bind(fd, new Uint8Array(name.buffer), name.byteLength) === 0) return fd;
  c.close(fd);
  return -1;
}

function read(): Addresses {
  const prefixes = new Map<string, number>();
  for (const { family, address, netmask } of Deno.networkInterfaces()) {
    if (family === "IPv4") prefixes.set(address, bitsOf(addressBytes(netmask)));
  }
  return { prefixes, flags: ipv6Flags() };
}

/** Lines of 32 digits, interface, prefix length, scope, flags, name (proc_net(5)); no file: no IPv6. */
function ipv6Flags(): Map<string, number> {
  let text: string;
  try {
    text = Deno.readTextFileSync("/proc/thread-self/net/if_inet6");
  } catch {
    return new Map();
  }
  return new Map(
    text.split("\n").filter(Boolean).map((line) => {
      const [digits = "", , , , flags = "0"] = line.split(/\s+/);
      const address = addressBytes((digits.match(/.{4}/g) ?? []).join(":"));
      return [formatIp(6, address) ?? "", parseInt(flags, 16)];
    }),
  );
}

function bitsOf(mask: Uint8Array): number {
  return mask.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);
}
