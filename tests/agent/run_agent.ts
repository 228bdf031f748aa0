// The agent as a process of its own: its options as JSON in the first argument. Started by
// tests/support/fake_client.ts.

import { runAgent } from "../../agent/main.ts";

Deno.exitCode = await runAgent(JSON.parse(Deno.args[0] ?? "{}"));
