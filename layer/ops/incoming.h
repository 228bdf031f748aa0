/* What incoming.c knows of a TCP socket, for it and for names.c. */
#ifndef LAYER_INCOMING_H
#define LAYER_INCOMING_H

#include <stdbool.h>

#include "address.h"
#include "fds.h"

bool incoming_is_stream(int fd);
/* The socket's own address, when it is a TCP one. */
bool incoming_own_address(int fd, union name *name);
/* Is the managed socket elsewhere than the app asked? */
bool incoming_is_moved(const struct fds_note *socket);
/*
 * The note of a bound or listening descriptor. One that was inherited or passed is asked about once; what the
 * session does not know and does not listen yet is asked about when it does. 0 or -errno.
 */
int incoming_note_of(int fd, struct fds_note *socket);
/* Asks who is behind the connection `fd` from `peer`, on the listener at `listener`, and notes it. 0 or -errno. */
int incoming_identify(int fd, const union name *listener, const union name *peer, struct fds_note *socket);

#endif
