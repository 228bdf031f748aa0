// Row 18: wherever a request is cut, its filter decides as if it had come whole. The two parts come apart for
// certain: in between the agent answers somebody else.

import assert from "node:assert/strict";
import { mine, Pod, serveApp } from "../agent/http_pod.ts";
import { get, type Talk } from "../agent/talk.ts";
import { missingForProcess } from "../support/cases.ts";
import { rowAlone } from "./row.ts";

const empty = "\r\n";
const requests: [request: string, by: RegExp][] = [
  [get("/mine", mine), /^app \d+ GET \/mine 0$/],
  [get("/others", "X-User: not me"), /^original \d+ GET \/others 0 /],
  [empty + get("/mine", mine), /^app \d+ \r\nGET \/mine 0$/],
  [`POST /mine HTTP/1.1\r\n${mine}\r\nContent-Length: 4\r\n\r\nbody`, /^app \d+ POST \/mine 4$/],
];

/** Resolves when the agent has read what was sent before. */
async function passed(other: Talk): Promise<void> {
  await other.ask(get("/between", mine));
}

rowAlone("18", async () => {
  await using pod = await Pod.create();
  serveApp(pod);
  using other = await pod.dial();
  for (const [request, by] of requests) {
    for (let cut = 1; cut < request.length; cut++) {
      using peer = await pod.dial();
      await peer.say(request.slice(0, cut));
      await passed(other);
      assert.match(await peer.ask(request.slice(cut)), by, `cut at ${cut} of ${JSON.stringify(request)}`);
    }
    using peer = await pod.dial();
    for (const byte of request) {
      await peer.say(byte);
      await passed(other);
    }
    assert.match((await peer.response()).body, by, `byte by byte: ${JSON.stringify(request)}`);
  }
  return {};
}, missingForProcess() !== null);
