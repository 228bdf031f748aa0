// The list of this network namespace's addresses, after its end.

import assert from "node:assert/strict";
import { encodeSockaddr, sockaddrSize } from "../../core/net/linux/sockaddr.ts";
import { readLink } from "../../core/net/linux/os_calls.ts";
import { AddressList } from "./address_list.ts";
import { c, check, K } from "./libc.ts";

/** fcntl(2): the lowest free number that is not below the argument. */
const F_DUPFD = 0;

/** The numbers of this process's sockets. */
function sockets(): number[] {
  const numbers = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => Number(name));
  return numbers.filter((fd) => readLink(`/proc/self/fd/${fd}`)?.startsWith("socket:"));
}

Deno.test("a list that was disposed of reads no socket that has its number now", () => {
  const before = sockets();
  const list = new AddressList();
  const [number = -1, ...others] = sockets().filter((fd) => !before.includes(fd));
  assert.deepEqual(others, []);
  assert.ok(list.now().prefixes.has("127.0.0.1"));
  list[Symbol.dispose]();

  const socket = check("socket", c.socket(K.AF_INET, K.SOCK_DGRAM, 0));
  const name = encodeSockaddr({ address: "127.0.0.1", port: 0 });
  check("bind", c.bind(socket, name, name.length));
  const own = new Uint8Array(sockaddrSize);
  check("getsockname", c.getsockname(socket, own, new Uint8Array(Uint32Array.of(sockaddrSize).buffer)));
  check("connect", c.connect(socket, own, name.length));
  const again = socket === number ? socket : c.fcntl(socket, F_DUPFD, number);
  assert.equal(again, number);
  check("send", c.send(socket, Uint8Array.of(7), 1n, 0));

  assert.ok(list.now().prefixes.has("127.0.0.1"));
  list[Symbol.dispose]();
  const into = new Uint8Array(8);
  assert.equal(c.recv(again, into, BigInt(into.length), K.MSG_DONTWAIT), 1);
  assert.equal(into[0], 7);
  for (const fd of new Set([again, socket])) c.close(fd);
});
