// What a running container writes to standard output, from now on, through the API server (attach_socket.ts).
// Called by client.ts. Unlike a log it is there as soon as the container runs, not after the kubelet's next
// look at it.

import { type AttachOptions, openAttachSocket } from "./attach_socket.ts";

const standardOutput = 1;

/**
 * Opens the stream; rejects when the server or the container's node refuses. It ends with the container, or
 * by the signal.
 */
export function openAttach(options: AttachOptions): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  return openAttachSocket(options, (socket) => outputOf(socket, options.signal));
}

function outputOf(socket: WebSocket, signal: AbortSignal): ReadableStream<Uint8Array<ArrayBuffer>> {
  const stop = () => socket.close();
  signal.addEventListener("abort", stop, { once: true });
  return new ReadableStream({
    start(controller) {
      socket.onmessage = ({ data: received }) => {
        if (!(received instanceof ArrayBuffer)) return;
        const message = new Uint8Array(received);
        if (message[0] === standardOutput && message.length > 1) controller.enqueue(message.subarray(1));
      };
      socket.onclose = () => {
        signal.removeEventListener("abort", stop);
        try {
          controller.close();
        } catch {
          // Its reader has let it go.
        }
      };
    },
    cancel() {
      socket.onmessage = null; // messages may lie in the event loop's queue already
      stop();
    },
  });
}
