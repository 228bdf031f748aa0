// One network interface that no machine has, as the messages of rtnetlink(7) and the structures of
// netdevice(7) that a session hands on. Used by fake_session.ts.

export const fakeInterface = { name: "fake0", index: 4242 } as const;

const [RTM_NEWLINK, NLMSG_DONE, NLM_F_MULTI, IFLA_IFNAME] = [16, 3, 2, 3];
const SIOCGIFNAME = 0x8910;

/** struct nlmsghdr and what stands behind it. */
function message(type: number, behind: number[]): number[] {
  const head = new DataView(new ArrayBuffer(16));
  head.setUint32(0, 16 + behind.length, true);
  head.setUint16(4, type, true);
  head.setUint16(6, NLM_F_MULTI, true);
  return [...new Uint8Array(head.buffer), ...behind];
}

/** The answer to a dump, whatever is asked: that one link. */
export function fakeLinks(): Uint8Array {
  const link = new DataView(new ArrayBuffer(16)); // struct ifinfomsg
  link.setInt32(4, fakeInterface.index, true);
  const name = [...new TextEncoder().encode(`${fakeInterface.name}\0`)];
  const attribute = [4 + name.length, 0, IFLA_IFNAME, 0, ...name, ...Array(-name.length & 3).fill(0)];
  return Uint8Array.from([
    ...message(RTM_NEWLINK, [...new Uint8Array(link.buffer), ...attribute]),
    ...message(NLMSG_DONE, [0, 0, 0, 0]),
  ]);
}

/** struct ifreq in answer to `command`. */
export function fakeRequest(command: number, request: Uint8Array): Uint8Array {
  const answer = Uint8Array.from(request);
  if (command === SIOCGIFNAME) answer.set(new TextEncoder().encode(`${fakeInterface.name}\0`));
  else new DataView(answer.buffer).setInt32(16, fakeInterface.index, true);
  return answer;
}
