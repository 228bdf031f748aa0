/*
 * dial.h on Darwin, where no listener lets a connect wait: the session is asked for the outcome of the
 * target's connect, which it answers when there is one, and then its listener is dialled, which accepts at
 * once. The session knows the connection by its source address. A socket that does not block waits here
 * too, and is connected when connect(2) returns. Called by outgoing.c.
 */
#include <errno.h>
#include <string.h>

#include "../../link/ask.h"
#include "../../sys/sys.h"
#include "../../sys/sys_sockets.h"
#include "bind.h"
#include "dial.h"
#include "incoming.h"
#include "outgoing.h"

/* The socket gets an address on loopback, unless it has one. */
static int bind_source(int fd, const union name *listener, union name *own)
{
	union name source = *listener;
	int status;

	if (incoming_own_address(fd, own) && address_port(own) != 0)
		return 0;
	address_set_port(&source, 0);
	status = sys_bind(fd, &source.any, address_size(&source));
	if (status < 0)
		return status;
	return incoming_own_address(fd, own) ? 0 : -EIO;
}

/* The session names the source before it is seen. */
static int connect_named(struct fds_handle *socket, bool blocks)
{
	struct wire_dialled message = { .connection = socket->note.connection };
	const union name *listener = &socket->note.actual;
	union name own;
	int status = bind_source(socket->fd, listener, &own);

	if (status < 0)
		return status;
	/* A socket of the wildcard goes to loopback from loopback. */
	if (address_is_wildcard(&own)) {
		union name source = *listener;

		address_set_port(&source, address_port(&own));
		own = source;
	}
	message.local = address_to_wire(&own);
	status = ask_tell(ASK_TELL(dialled, &message));
	if (status < 0)
		return status;
	if (!blocks)
		sys_set_nonblocking(socket->fd, false);
	do {
		status = sys_connect(socket->fd, &listener->any, address_size(listener));
	} while (status == -EINTR);
	if (!blocks)
		sys_set_nonblocking(socket->fd, true);
	return status;
}

int dial_session(struct fds_handle *socket, bool blocks)
{
	const uint32_t connection = socket->note.connection;
	struct wire_outcome ask = { .connection = connection };
	struct wire_outcome_reply reply;
	int status = ask_patiently(ASK(outcome, &ask, &reply), -1);

	if (status == 0)
		status = outgoing_learned(socket, 0, &reply);
	/* The target's own failure is the end of it there. */
	if (socket->note.flags & OUTGOING_TOLD)
		return status;
	if (status == 0)
		status = connect_named(socket, blocks);
	if (status < 0) {
		outgoing_abandon(connection);
		return status;
	}
	fds_renew(socket);
	return DIAL_CONNECTED;
}
