// Who is at the other end of a Unix socket. The runtime cannot ask (getpeereid(3)): there only the folder in
// which the socket lies keeps others away, which nobody else may enter.

/** None is known. */
export function localPeers(_path: string): number[] {
  return [];
}
