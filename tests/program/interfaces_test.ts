// The network interfaces that a program under mirrord sees are those that the same program finds beside
// the target.

import assert from "node:assert/strict";
import { missingForProcess } from "../support/cases.ts";
import { attempt } from "../cluster/command.ts";
import { compileApp } from "../support/layer_app.ts";
import { Netns } from "../support/netns.ts";
import { goProgram, javaApp } from "../support/packages.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { runMirrord } from "../support/program.ts";

const missing = missingForProcess();
const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
const RTM_GETLINK = 18, RTM_GETADDR = 22, RTM_GETROUTE = 26;

/** What differs from one time to the next is left out. */
function steady(text: string): string {
  return text.replace(/(valid|preferred)_lft \S+/g, "").replace(/0x[0-9a-f]+/g, "");
}

/** What `argv` prints beside the target, and under mirrord. */
async function both(
  stage: ProcessStage,
  argv: string[],
  { feature = {}, prefix = [] }: { feature?: unknown; prefix?: string[] } = {},
): Promise<{ native: string; ours: string }> {
  const config = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(config, JSON.stringify({ feature }));
  try {
    const native = await attempt(stage.netns?.inside(argv) ?? argv);
    const ours = await runMirrord(["exec", ...stage.targetFlags, "-f", config, "--", ...argv], {
      env,
      prefix,
    });
    assert.equal(ours.code, native.code, ours.stderr);
    return { native: steady(native.stdout), ours: steady(ours.stdout) };
  } finally {
    await Deno.remove(config);
  }
}

const python = `import socket, fcntl, struct
print(socket.if_nameindex())
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _, name in socket.if_nameindex():
    try:
        print(name, socket.inet_ntoa(fcntl.ioctl(s, 0x8915, struct.pack('256s', name.encode()))[20:24]))
    except OSError as error:
        print(name, error)
n = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
n.bind((0, 0))
n.sendto(struct.pack('=IHHIIB', 17, ${RTM_GETLINK}, 0x301, 1, 0, 0), (0, 0))
part, sender = n.recvfrom(65536)
print(struct.unpack_from('=IHHI', part), sender)`;
const ruby =
  "require 'socket'; puts Socket.ip_address_list.map(&:inspect_sockaddr); puts Socket.getifaddrs.map { |i| [i.name, i.ifindex, i.netmask&.inspect_sockaddr].inspect }";
const node = "const o = require('os').networkInterfaces(); console.log(JSON.stringify(o))";

async function programs(own: string): Promise<Record<string, string[]>> {
  const app = await compileApp("interfaces");
  return {
    "getifaddrs": [app, "getifaddrs"],
    "if_nameindex": [app, "if_nameindex"],
    "if_nametoindex": [app, "if_nametoindex", "lo"],
    "if_nametoindex of none": [app, "if_nametoindex", "no-such-link"],
    "if_indextoname": [app, "if_indextoname", "1"],
    "if_indextoname of none": [app, "if_indextoname", "4321"],
    "ioctl": [app, "control"],
    "netlink, links": [app, "netlink", String(RTM_GETLINK)],
    "netlink, addresses": [app, "netlink", String(RTM_GETADDR)],
    "netlink, routes": [app, "netlink", String(RTM_GETROUTE), "nonblocking"],
    "python": ["/usr/bin/python3", "-c", python],
    "ruby": ["/usr/bin/ruby", "-e", ruby],
    "node": ["/usr/bin/node", "-e", node],
    "java": [...await javaApp("Interfaces"), own],
    "go": [await goProgram("go_interfaces")],
    "hostname -I": ["hostname", "-I"],
    "ip addr": ["ip", "addr"],
    "ip -6 route": ["ip", "-6", "route"],
    "ip route get": ["ip", "route", "get", own],
  };
}

const end = "== the next program";

/** One shell that runs all of them, one after the other: a session for each would take a minute. */
function inTurn(programs: string[][]): string[] {
  const lines = programs.map((argv) => argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" "));
  return ["/bin/sh", "-c", lines.map((line) => `${line} || echo "exit code $?"; echo "${end}"`).join("\n")];
}

Deno.test({
  name: "each way to ask tells the target's interfaces",
  ignore: missing !== null,
  async fn(t) {
    await using stage = await ProcessStage.create();
    const all = await programs(stage.addresses.ipv4);
    const { native, ours } = await both(stage, inTurn(Object.values(all)));
    const [expected, told] = [native.split(`${end}\n`), ours.split(`${end}\n`)];
    for (const [at, name] of Object.keys(all).entries()) {
      await t.step(name, () => {
        assert.notEqual(expected[at], "");
        assert.equal(told[at], expected[at]);
      });
    }
    assert.equal(expected.length, Object.keys(all).length + 1);
  },
});

Deno.test({
  name: "the interfaces are this machine's when that is asked for, and without the target's network",
  ignore: missing !== null,
  async fn() {
    await using stage = await ProcessStage.create();
    // In a namespace of its own: this machine's links come and go with other tests.
    await using developer = await Netns.create();
    const prefix = developer.inside([]);
    const argv = [await compileApp("interfaces"), "getifaddrs"];
    const here = steady((await attempt([...prefix, ...argv])).stdout);
    for (const network of [{ interfaces: false }, { incoming: false, outgoing: false }, false]) {
      const { native, ours } = await both(stage, argv, { feature: { network }, prefix });
      assert.notEqual(native, here);
      assert.equal(ours, here, JSON.stringify(network));
    }
    const { native, ours } = await both(stage, argv, { feature: { network: { incoming: false } }, prefix });
    assert.equal(ours, native);
  },
});
