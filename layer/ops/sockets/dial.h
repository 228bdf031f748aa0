/* How the app's socket gets to the session once that said that a connect is the target's. Per platform. */
#ifndef LAYER_DIAL_H
#define LAYER_DIAL_H

#include <stdbool.h>

#include "../fds.h"

/* The socket is connected, and noted. */
#define DIAL_CONNECTED 1

/*
 * Dials note.actual for note.connection. -EINPROGRESS: the socket waits and is noted; DIAL_CONNECTED; another
 * -errno: the connection is abandoned. `blocks`: the socket's own mode.
 */
int dial_session(struct fds_handle *socket, bool blocks);

#endif
