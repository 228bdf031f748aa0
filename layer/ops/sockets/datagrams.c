/*
 * UDP towards the target's network: connect, and the calls that name an address for one datagram. Called by
 * preload/hooks_sockets_datagrams.c and by outgoing.c.
 *
 * For each pair of a socket of the app and a remote address the session has a loopback socket. The app's own
 * socket sends there instead, so that sizes, boundaries and blocking are the kernel's; what comes from there
 * gets the remote address as its sender. A table remembers the pairs of this process; the session knows those
 * of others.
 * The invariant: a datagram with a remote destination, by the session's answer, never leaves this machine
 * from here.
 */
#include <errno.h>
#include <stddef.h>

#include "../../link/ask.h"
#include "../../sys/sys.h"
#include "../../sys/sys_sockets.h"
#include "bind.h"
#include "datagrams.h"
#include "outgoing.h"
#include "pairs.h"

/* The socket's own address; it gets one, as its first datagram would give it (ip(7)). */
static int bound_address(int fd, union name *own)
{
	union name any = { 0 };
	int status;

	if (!incoming_own_address(fd, own))
		return -EINVAL;
	if (address_port(own) != 0)
		return 0;
	any.any.sa_family = own->any.sa_family;
	status = sys_bind(fd, &any.any, address_size(&any));
	if (status < 0 && status != -EINVAL)
		return status;
	return incoming_own_address(fd, own) ? 0 : -EINVAL;
}

/* Asks the session for the way from `fd` to `remote`; `connection` is its number. 0 or -errno. */
static int associate(int fd, const union name *remote, struct pair *pair, uint32_t *connection)
{
	struct wire_associate ask = { .address = address_to_wire(remote) };
	struct wire_associate_reply reply;
	union name own;
	int status = bound_address(fd, &own);

	if (status < 0)
		return status;
	ask.local = address_to_wire(&own);
	status = ask_now(ASK(associate, &ask, &reply));
	if (status < 0)
		return status;
	*connection = reply.connection;
	pair->local = !reply.remote;
	pair->remote = *remote;
	return address_from_wire(&pair->endpoint, &reply.endpoint, remote->any.sa_family) ? 0 : -EAFNOSUPPORT;
}

/* Is the other end the app's own, and elsewhere than it is called? */
static bool is_looped(const struct pair *pair)
{
	return pair->local && !address_same(&pair->remote, &pair->endpoint) && !address_is_wildcard(&pair->remote);
}

/* What the app bound stays known when the socket's note becomes `note`. */
static void keep_place(const struct fds_note *before, struct fds_note *note)
{
	if (!incoming_is_placed(before) && !outgoing_is_placed(before))
		return;
	note->asked = before->asked;
	note->flags |= OUTGOING_PLACED;
}

struct verdict datagrams_connect(struct fds_handle *socket, union name *remote)
{
	struct fds_note note = { .state = FDS_CONNECTED, .peer = *remote, .flags = OUTGOING_DATAGRAM };
	struct pair pair;
	int status = associate(socket->fd, remote, &pair, &note.connection);

	keep_place(&socket->note, &note);
	if (status == 0 && is_looped(&pair)) {
		status = outgoing_loop(socket, remote, &pair.endpoint, &note.local);
		note.flags |= OUTGOING_LOOPED;
	}
	if (status < 0)
		return verdict_result(status);
	*remote = pair.endpoint;
	if (pair.local && !(note.flags & (OUTGOING_PLACED | OUTGOING_LOOPED))) {
		outgoing_forget(socket);
		return verdict_libc();
	}
	if (!pair.local)
		status = sys_connect(socket->fd, &pair.endpoint.any, address_size(&pair.endpoint));
	if (status < 0)
		return verdict_result(status);
	note.actual = pair.endpoint;
	socket->note = note;
	fds_renew(socket);
	return pair.local ? verdict_libc() : verdict_result(0);
}

/* The socket has a first way to somewhere: its closing is to be seen, and what comes from there named. */
static void note_way(struct fds_handle *socket, uint32_t connection)
{
	struct fds_note note = { .state = FDS_DATAGRAM, .connection = connection, .flags = OUTGOING_DATAGRAM };

	if (socket->number && socket->note.state != FDS_BOUND)
		return;
	keep_place(&socket->note, &note);
	socket->note = note;
	fds_renew(socket);
}

/* Where a datagram to `remote` is to be sent. 0 or -errno. */
static int way_to(struct fds_handle *socket, union name *remote)
{
	struct sys_identity identity;
	struct pair pair = { 0 };
	uint32_t connection;
	union name name;
	int status;

	if (socket->note.state == FDS_CONNECTED && address_same(&socket->note.peer, remote)) {
		*remote = socket->note.actual;
		return 0;
	}
	if (sys_identity(socket->fd, &identity) < 0)
		return 0;
	if (!pairs_recall(identity.number, PAIRS_BY_REMOTE, remote, &pair)) {
		status = associate(socket->fd, remote, &pair, &connection);
		if (status == 0 && is_looped(&pair))
			status = outgoing_loop(socket, remote, &pair.endpoint, &name);
		if (status < 0)
			return status;
		pair.socket = identity.number;
		pairs_remember(&pair);
		if (!pair.local || is_looped(&pair))
			note_way(socket, connection);
	}
	*remote = pair.endpoint;
	return 0;
}

struct verdict datagrams_redirect(struct fds_handle *socket, union name *way)
{
	int status = 0;

	if (address_port(way) != 0 && sys_socket_option(socket->fd, SO_TYPE) == SOCK_DGRAM)
		status = ask_floor(LINK_OUTGOING);
	if (status > 0)
		status = way_to(socket, way);
	return status < 0 ? verdict_result(status) : verdict_libc();
}

void datagrams_name_sender(const struct fds_handle *socket, union name *from)
{
	struct wire_sender ask = { .endpoint = address_to_wire(from) };
	const struct fds_note *note = &socket->note;
	struct wire_sender_reply reply;
	struct pair pair;

	if (!socket->number || !address_is_loopback(from))
		return;
	if (note->state == FDS_CONNECTED && address_same(&note->actual, from)) {
		*from = note->peer;
	} else if (note->state == FDS_DATAGRAM || note->state == FDS_BOUND) {
		if (pairs_recall(socket->identity.number, PAIRS_BY_ENDPOINT, from, &pair)) {
			*from = pair.remote;
		} else if (ask_floor(LINK_OUTGOING) > 0 &&
			   ask_now(ASK(sender, &ask, &reply)) == 0) {
			pair = (struct pair){
				.socket = socket->identity.number, .remote = *from, .endpoint = *from, .heard = true,
			};
			if (reply.known)
				address_from_wire(&pair.remote, &reply.address, from->any.sa_family);
			pairs_remember(&pair);
			*from = pair.remote;
		}
	}
}
