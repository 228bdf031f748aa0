// What -L and -R mean, and what is refused.

import assert from "node:assert/strict";
import { MirrordError } from "../../base/errors.ts";
import { placeText, readLocal, readRemote } from "./written.ts";

Deno.test("-L names a port here and a host that the target reaches", () => {
  const cases: [string, string][] = [
    ["db:5432", "tcp 127.0.0.1:5432 db:5432"],
    ["15432:db.shop:5432", "tcp 127.0.0.1:15432 db.shop:5432"],
    ["0:10.1.2.3:80/tcp", "tcp 127.0.0.1:0 10.1.2.3:80"],
    ["10.0.0.1:53:10.96.0.10:53/udp", "udp 10.0.0.1:53 10.96.0.10:53"],
    ["[::1]:8080:[fd00:0::1]:80", "tcp ::1:8080 [fd00::1]:80"],
    ["[fd00::1]:80", "tcp 127.0.0.1:80 [fd00::1]:80"],
    ["localhost:1:localhost:2/UDP", "udp 127.0.0.1:1 localhost:2"],
    ["0.0.0.0:1:a_b-c.d:2", "tcp 0.0.0.0:1 a_b-c.d:2"],
  ];
  for (const [written, expected] of cases) {
    const { protocol, at, to } = readLocal(written);
    assert.equal(`${protocol} ${at.address}:${at.port} ${placeText(to)}`, expected, written);
  }
});

Deno.test("-R names a port of the target and a place here", () => {
  const cases: [string, string][] = [
    ["8080", "8080 127.0.0.1:8080"],
    ["80:8080", "80 127.0.0.1:8080"],
    ["80:8080/tcp", "80 127.0.0.1:8080"],
    ["dev.local:8080", "8080 dev.local:8080"],
    ["80:[::1]:8080", "80 [::1]:8080"],
  ];
  for (const [written, expected] of cases) {
    const { port, to } = readRemote(written);
    assert.equal(`${port} ${placeText(to)}`, expected, written);
  }
});

Deno.test("what has no meaning, or two, is refused with the way to write it", () => {
  const cases: [(written: string) => unknown, string, RegExp, RegExp][] = [
    [readLocal, "5432", /not of this form/, /host:port/],
    [readLocal, "8080:80", /"8080" is no host/, /Port 80 of the target itself is: -L 8080:localhost:80\./],
    [readLocal, "8080::80", /stands in brackets/, /host:port/],
    [readLocal, ":80", /it names no host/, /host:port/],
    [readLocal, "db:0", /"0" is no port/, /host:port/],
    [readLocal, "70000:db:1", /"70000" is no port of this machine/, /host:port/],
    [readLocal, "here:1:db:2", /"here" is no address of this machine/, /host:port/],
    [readLocal, "1:2:3:4:5", /not of this form/, /host:port/],
    [readLocal, "fd00::1:80", /stands in brackets/, /host:port/],
    [readLocal, "[fd00::1:80", /stands in brackets/, /host:port/],
    [readLocal, "1:[db]:80", /not of this form/, /host:port/],
    [readLocal, "1:a b:80", /not of this form/, /host:port/],
    [readLocal, "1:db:80/sctp", /not of this form/, /host:port/],
    [readRemote, "53:53/udp", /only TCP/, /\[port:\]/],
    [readRemote, "0:80", /"0" is no port of the target/, /\[port:\]/],
    [readRemote, "80:", /"" is no port/, /\[port:\]/],
    [readRemote, "", /"" is no port/, /\[port:\]/],
    [readRemote, "80:81:82", /"81" is no host/, /\[port:\]/],
  ];
  for (const [read, written, state, help] of cases) {
    assert.throws(() => read(written), (error) => {
      assert.ok(error instanceof MirrordError, written);
      assert.equal(error.exitCode, 2);
      assert.ok(error.message.startsWith(`Cannot forward "${written}": `), error.message);
      assert.match(error.message, state, written);
      assert.match(error.help ?? "", help, written);
      return true;
    });
  }
});
