/*
 * bind, listen and accept (bind.c, incoming.c), and what they know of a socket, for each other and for
 * socket_names.c.
 */
#ifndef LAYER_INCOMING_H
#define LAYER_INCOMING_H

#include <stdbool.h>

#include "address.h"
#include "../fds.h"
#include "../verdict.h"

/* bind(2) to `asked`. */
struct verdict incoming_bind(struct fds_handle *socket, const union name *asked);
struct verdict incoming_listen(struct fds_handle *socket, int backlog);
/*
 * accept(2) on `listener` gave `fd`, whose peer the kernel calls `peer`; that becomes the real client. An
 * error: the call fails, and the door closes `fd`.
 */
struct verdict incoming_accepted(struct fds_handle *listener, int fd, union name *peer);

bool incoming_is_stream(int fd);
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
