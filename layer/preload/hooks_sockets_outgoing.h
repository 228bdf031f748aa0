/* The result of a call that sends or receives, as the app sees it. See hooks_sockets_outgoing.c. */
#ifndef LAYER_HOOKS_SOCKETS_OUTGOING_H
#define LAYER_HOOKS_SOCKETS_OUTGOING_H

#include <errno.h>

#include "../ops/fds.h"

/*
 * The errno of a failed connect, reported by another call than connect: sets errno, and is -1. Called by
 * outgoing_told().
 */
long outgoing_failed(int fd);
/*
 * What a call that sends or receives gave: `result`. A connect that failed is ECONNRESET to the kernel
 * (core/net/linux/gate.ts), to the app what it was in the target.
 */
static inline long outgoing_told(int fd, long result)
{
	return result < 0 && errno == ECONNRESET && fds_seems(fd, FDS_CONNECTING) ? outgoing_failed(fd) : result;
}

#endif
