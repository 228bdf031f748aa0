/* UDP towards the target's network. See datagrams.c. */
#ifndef LAYER_DATAGRAMS_H
#define LAYER_DATAGRAMS_H

#include "../fds.h"
#include "../verdict.h"
#include "address.h"

/*
 * connect(2) of a UDP socket to `remote`, which becomes where libc's call goes, where the session catches
 * what goes out.
 */
struct verdict datagrams_connect(struct fds_handle *socket, union name *remote);
/* A datagram is sent to `way`, which becomes where libc's call sends it. */
struct verdict datagrams_redirect(struct fds_handle *socket, union name *way);
/* A datagram came from `from`, which becomes the address that the app is to see. */
void datagrams_name_sender(const struct fds_handle *socket, union name *from);

#endif
