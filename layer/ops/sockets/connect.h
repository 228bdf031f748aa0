/* connect(2) of any socket of IP. See connect.c. */
#ifndef LAYER_CONNECT_H
#define LAYER_CONNECT_H

#include "outgoing.h"

/*
 * With VERDICT_LIBC, libc's call goes to `call->remote`; `call->waits`: outgoing_waited() must be called
 * afterwards.
 */
struct verdict socket_connect(struct fds_handle *socket, struct outgoing_connect *call);

#endif
