/* bind, and what it knows of a socket, for the other calls on sockets. See bind.c. */
#ifndef LAYER_BIND_H
#define LAYER_BIND_H

#include <stdbool.h>

#include "address.h"
#include "../fds.h"
#include "../verdict.h"

/* bind(2) to `asked`. */
struct verdict incoming_bind(struct fds_handle *socket, const union name *asked);

/* Is some of the app's network the pod's? 1 yes, 0 no, or -errno. */
int incoming_any_network(void);
/* Asks the session about binding a socket, of TCP or UDP, to `asked`. 0 or -errno. */
int incoming_ask_bind(const union name *asked, bool stream, struct wire_bind_reply *reply);
/*
 * The port was free for `bind`, but by now another app of this machine listens there (both had SO_REUSEADDR).
 * The pod's port is the app's all the same: another socket takes this one's place, where bind would have put
 * it. 0 or -errno.
 */
int incoming_move(struct fds_handle *socket);
/* The socket's own address, when it is a TCP one. */
bool incoming_own_address(int fd, union name *name);
/* Is the socket, which no listener is yet, bound to an address of the pod's and so to another one here? */
bool incoming_is_placed(const struct fds_note *socket);
/* Is the managed socket elsewhere than the app asked? */
bool incoming_is_moved(const struct fds_note *socket);

#endif
