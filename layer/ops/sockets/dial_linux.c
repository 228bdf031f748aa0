/*
 * dial.h on Linux: the app's socket dials a gate of the session (core/net/linux/gate.ts) and waits there in
 * SYN_SENT, as long as the target's own connect takes. Called by outgoing.c, which has the theory.
 */
#include <errno.h>
#include <netinet/in.h>

#include "../../link/ask.h"
#include "../../sys/sys.h"
#include "../../sys/sys_sockets.h"
#include "bind.h"
#include "dial.h"
#include "incoming.h"
#include "outgoing.h"

/* from linux/tcp.h, missing in old C libraries */
#define TCP_FASTOPEN_CONNECT 30

/*
 * Begins the dial of the gate, whatever the socket's mode. -EINPROGRESS when it waits there, another -errno
 * when not.
 */
static int knock(int fd, const union name *gate, bool blocks)
{
	int status;

	/* It would put the dial off to the first write (tcp(7)). */
	sys_set_option(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 0);
	if (blocks)
		sys_set_nonblocking(fd, true);
	status = sys_connect(fd, &gate->any, address_size(gate));
	if (blocks)
		sys_set_nonblocking(fd, false);
	return status == 0 ? -EISCONN : status;
}

/* Dials the gate at `actual` and reports the source to the session. -EINPROGRESS, or another -errno. */
int dial_session(struct fds_handle *socket, bool blocks)
{
	struct wire_dialled message = { .connection = socket->note.connection };
	union name own;
	int status = knock(socket->fd, &socket->note.actual, blocks);

	if (status == -EINPROGRESS && !incoming_own_address(socket->fd, &own))
		status = -EIO;
	if (status != -EINPROGRESS) {
		outgoing_abandon(message.connection);
		return status;
	}
	message.local = address_to_wire(&own);
	fds_renew(socket);
	status = ask_tell(ASK_TELL(dialled, &message));
	return status < 0 ? status : -EINPROGRESS;
}
