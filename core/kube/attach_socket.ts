// The WebSocket of the kubelet's attach through the API server, protocol v4.channel.k8s.io. Called by
// attach.ts and attach_input.ts. A message is a channel byte and bytes: 0 = standard input, 1 = standard
// output, 3 = how it ended.

export interface AttachOptions {
  url: string;
  headers: Record<string, string>;
  client: Deno.HttpClient;
  signal: AbortSignal;
  /** Finds out why the upgrade failed. */
  refused: (cause: unknown) => Promise<Error>;
}

/** Longest time for the upgrade. */
const openMilliseconds = 8_000;

/**
 * Opens it; rejects when the server or the container's node refuses, or by the signal. `listen` sets the
 * caller's own handlers before there is a connection: messages may come with the upgrade's answer.
 */
export async function openAttachSocket<Opened>(
  { url, headers, client, signal, refused }: AttachOptions,
  listen: (socket: WebSocket) => Opened,
): Promise<Opened> {
  signal.throwIfAborted();
  const socket = new WebSocket(url, { protocols: ["v4.channel.k8s.io"], headers, client });
  socket.binaryType = "arraybuffer";
  const listening = listen(socket);
  const opened = Promise.withResolvers<void>();
  const stop = () => socket.close();
  const late = setTimeout(() => opened.reject(new Error("no answer in time")), openMilliseconds);
  signal.addEventListener("abort", stop, { once: true });
  socket.addEventListener("open", () => opened.resolve());
  socket.addEventListener("error", (event) => {
    opened.reject(event instanceof ErrorEvent ? event.error ?? event : event);
  });
  socket.addEventListener("close", () => opened.reject(new Error("it ended before it began")));
  try {
    await opened.promise;
    signal.throwIfAborted();
    return listening;
  } catch (cause) {
    stop();
    signal.throwIfAborted();
    throw await refused(cause);
  } finally {
    clearTimeout(late);
    signal.removeEventListener("abort", stop);
  }
}
