// Ports of this machine for tests. None is one that the kernel gives to a socket that asks for port 0 (ip(7),
// ip_local_port_range), so that no other program of a test run takes it meanwhile.

const first = 12_000;
/** Where the kernel's own range begins, 32768 by default, less what tests name by hand. */
const beyond = 32_000;

/** A port at which nothing listens, on any address, and nothing will unless it asks for it. */
export function freePort(): number {
  for (;;) {
    const port = first + Math.floor(Math.random() * (beyond - first));
    try {
      using _listener = Deno.listen({ hostname: "::", port });
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
