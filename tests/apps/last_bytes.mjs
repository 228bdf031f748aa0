// Sends bytes, half-closes and ends, by Node's own way: host port size.
import { connect } from "node:net";
import process from "node:process";
import { Buffer } from "node:buffer";

const [host, port, size] = process.argv.slice(2);
const socket = connect(
  Number(port),
  host,
  () => socket.end(Buffer.alloc(Number(size), "abc"), () => process.exit(0)),
);
