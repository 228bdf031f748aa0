// Memory that is not needed any more, given back at once: of bytes that a relay has passed on (channel.ts and
// the sockets of core/net), of file contents and of encoded messages that were sent. Why: the runtime
// collects its whole heap each time that array buffers have grown by about 30 MiB, which took half of the
// agent's processor time in transfers (bench/agent_steal.ts), and until then they stay in memory.

/** Smaller ones are not worth a call. */
const leastBytes = 4096;

/** Frees the memory under `bytes`: nothing may hold any part of it. The array is empty afterwards. */
export function freeBytes(bytes: Uint8Array): void {
  if (bytes.byteLength >= leastBytes) (bytes.buffer as ArrayBuffer).transfer(0);
}
