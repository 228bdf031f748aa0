/*
 * What outgoing.c and datagrams.c know of sockets towards the target's network, for each other,
 * socket_names.c and descriptors.c.
 */
#ifndef LAYER_OUTGOING_H
#define LAYER_OUTGOING_H

#include <stdbool.h>

#include "../../link/link.h"
#include "address.h"
#include "../fds.h"
#include "../verdict.h"

/* In a note's flags: UDP; the app knows that the connect failed, and it is not reported again. */
#define OUTGOING_DATAGRAM FDS_DATAGRAMS
#define OUTGOING_TOLD 2u
/*
 * UDP, bound to an address of the target's: `asked`. To a socket of the app by an address of the target's:
 * peer and local.
 */
#define OUTGOING_PLACED 4u
#define OUTGOING_LOOPED 8u

/* One connect(2). */
struct outgoing_connect {
	union name remote; /* where the app wants to go; then where libc's call goes */
	enum outgoing_wait {
		OUTGOING_PASSES,
		OUTGOING_WAITS, /* libc's call waits at a gate: outgoing_waited() says what it comes to */
		OUTGOING_WAITS_ON, /* the same for a connect that is not the socket's first */
	} waits;
};
/* Of a TCP socket, where the session catches what goes out. */
struct verdict outgoing_connect(struct fds_handle *socket, struct outgoing_connect *call);
/* libc's connect to the gate gave `native`: 0 or -errno. Never libc's turn. */
struct verdict outgoing_waited(struct fds_handle *socket, const struct outgoing_connect *call, int native);
/*
 * SO_ERROR, for which the kernel gives `native`: for a socket that waited, 0, then once the result of the
 * target's connect (socket(7)).
 */
int outgoing_error(struct fds_handle *socket, int native);
/*
 * The session's answer to `outcome`, where the kernel gave `native`: the app's result, noted; after an error
 * OUTGOING_TOLD is set.
 */
struct wire_outcome_reply;
int outgoing_learned(struct fds_handle *socket, int native, const struct wire_outcome_reply *reply);
/* Nobody waits for the connection any more. */
void outgoing_abandon(uint32_t connection);
/* The socket was dissolved: nothing is noted of it. */
void outgoing_forget(struct fds_handle *socket);

/* The last descriptor of an outgoing socket is closed. */
void outgoing_ended(const struct fds_note *note);
/*
 * The note of a socket that no hook of this process connected: inherited, or passed. False when it is not
 * outgoing. `own` and `peer` are its real addresses.
 */
bool outgoing_identify(struct fds_handle *socket, const union name *own, const union name *peer);
/*
 * The name that the app is to see of an outgoing socket: its peer, or its own address, in the target's
 * network. False: the kernel's answer stands, which is an error where the socket is not connected (yet).
 */
bool outgoing_name(struct fds_handle *socket, bool of_peer, union name *name);

/*
 * Reports to the session, before the first byte, that the socket connects to the app itself by `remote`;
 * `name` is its address there. 0 or -errno.
 */
int outgoing_loop(const struct fds_handle *socket, const union name *remote, const union name *endpoint, union name *name);
/* Does a note that is no listener's hold the address of the target that the app bound? */
static inline bool outgoing_is_placed(const struct fds_note *note)
{
	return note->state >= FDS_CONNECTING && note->state <= FDS_DATAGRAM && (note->flags & OUTGOING_PLACED);
}

#endif
