/*
 * listen and accept, and what they know of a socket, for socket_names.c. See incoming.c; bind is in bind.h.
 */
#ifndef LAYER_INCOMING_H
#define LAYER_INCOMING_H

#include <stdbool.h>

#include "address.h"
#include "../fds.h"
#include "../verdict.h"

struct verdict incoming_listen(struct fds_handle *socket, int backlog);
/*
 * accept(2) on `listener` gave `fd`, whose peer the kernel calls `peer`; that becomes the real client. An
 * error: the call fails, and the door closes `fd`.
 */
struct verdict incoming_accepted(struct fds_handle *listener, int fd, union name *peer);

bool incoming_is_stream(int fd);
/*
 * Fills in the note of a bound or listening descriptor that has none. One that was inherited or passed is
 * asked about once; what the session does not know and does not listen yet is asked about when it does. 0 or
 * -errno.
 */
int incoming_note_of(struct fds_handle *socket);
/*
 * Asks which client is behind the connection from `peer`, on the listener at `listener`, and notes it. 0 or
 * -errno.
 */
int incoming_identify(struct fds_handle *connection, const union name *listener, const union name *peer);

/* The last descriptor of a listener is closed. */
void incoming_ended(const struct fds_note *note);

#endif
