/* The addresses of a socket and of its peer as the app sees them. See socket_names.c. */
#ifndef LAYER_SOCKET_NAMES_H
#define LAYER_SOCKET_NAMES_H

#include <stdbool.h>

#include "../fds.h"
#include "../verdict.h"

/* getsockname(2), or `of_peer` getpeername(2). A value: *name is what the app is to see. */
struct verdict socket_name(struct fds_handle *socket, bool of_peer, union name *name);

#endif
