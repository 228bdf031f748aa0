/*
 * listen and accept of TCP sockets: the app's listeners become the pod's. The session decides what is
 * managed; this file carries out and remembers its answers (fds.c). bind is bind.c. Called by
 * preload/hooks_sockets.c, and by socket_names.c to ask. The invariant: a managed call succeeds as the pod
 * would see it or fails with an errno; it never turns into a plain local one. Sockets that the session does
 * not want behave as without the layer.
 * Not seen: system calls made past libc (syscall(2), io_uring, static binaries).
 */
#include <errno.h>
#include <stddef.h>

#include "../../link/ask.h"
#include "../../link/link.h"
#include "../../sys/sys.h"
#include "../../sys/sys_sockets.h"
#include "bind.h"
#include "incoming.h"

bool incoming_is_stream(int fd)
{
	return sys_socket_option(fd, SO_TYPE) == SOCK_STREAM;
}

/*
 * The socket listens, `unbound`: it had no port before; report it to the session, or undo it. One whose
 * address the layer did not choose may not concern the pod.
 */
static int announce(struct fds_handle *listener, bool unbound)
{
	struct fds_note *socket = &listener->note;
	struct wire_listen ask = { .any_port = unbound || (socket->flags & FDS_ANY_PORT) };
	bool ours = socket->state == FDS_BOUND;
	int fd = listener->fd;
	struct wire_listen_reply reply;
	int status;

	if (!ours) {
		*socket = (struct fds_note){ .state = FDS_LOCAL, .flags = socket->flags };
		if (!incoming_own_address(fd, &socket->actual))
			return 0;
		socket->asked = socket->actual;
	}
	ask.asked = address_to_wire(&socket->asked);
	ask.actual = address_to_wire(&socket->actual);
	ask.only6 = socket->actual.any.sa_family == AF_INET6 && sys_option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1;
	status = ask_now(ASK(listen, &ask, &reply));
	if (status < 0) {
		sys_dissolve(fd);
		return status;
	}
	if (ours || reply.managed)
		socket->state = FDS_LISTENER;
	if (ours)
		fds_save(listener);
	else
		fds_renew(listener);
	return 0;
}

int incoming_note_of(struct fds_handle *unknown)
{
	struct wire_listener ask = { .stream = incoming_is_stream(unknown->fd) };
	struct fds_note *socket = &unknown->note;
	struct wire_listener_reply reply;
	int fd = unknown->fd, status;
	bool listens;

	if (unknown->number)
		return 0;
	listens = sys_socket_option(fd, SO_ACCEPTCONN) == 1;
	*socket = (struct fds_note){
		.state = listens ? FDS_LOCAL : FDS_UNASKED, .flags = ask.stream ? 0 : FDS_DATAGRAMS,
	};
	if (!incoming_own_address(fd, &socket->actual) || address_port(&socket->actual) == 0)
		return 0;
	status = incoming_any_network();
	if (status < 0)
		return status;
	if (status > 0) {
		ask.actual = address_to_wire(&socket->actual);
		status = ask_now(ASK(listener, &ask, &reply));
		if (status < 0)
			return status;
		if (reply.known && address_from_wire(&socket->asked, &reply.asked, socket->actual.any.sa_family))
			socket->state = listens ? FDS_LISTENER : FDS_BOUND;
	}
	/* A UDP socket is noted once there is something to know. */
	if (ask.stream || socket->state == FDS_BOUND)
		fds_renew(unknown);
	return 0;
}

/* Listens, and asks the session about it. */
static int listen_noted(struct fds_handle *listener, int backlog, bool unbound)
{
	struct fds_note *socket = &listener->note;
	int floor = ask_floor(LINK_INCOMING);
	int status = floor < 0 ? floor : sys_listen(listener->fd, backlog);

	if (status == -EADDRINUSE && floor > 0) {
		/* For example, bound by a parent. */
		if (socket->state == FDS_UNASKED && incoming_own_address(listener->fd, &socket->actual))
			socket->asked = socket->actual;
		status = incoming_move(listener);
		if (status == 0)
			status = sys_listen(listener->fd, backlog);
	}
	return status < 0 || floor == 0 ? status : announce(listener, unbound);
}

struct verdict incoming_listen(struct fds_handle *socket, int backlog)
{
	union name own;
	int status;

	if (!incoming_is_stream(socket->fd) || !incoming_own_address(socket->fd, &own))
		return verdict_libc();
	status = incoming_note_of(socket);
	if (status < 0)
		return verdict_result(status);
	/* A listener already, or local: there is nothing to report. */
	if (socket->note.state != FDS_BOUND && socket->note.state != FDS_UNASKED)
		return verdict_libc();
	return verdict_result(listen_noted(socket, backlog, address_port(&own) == 0));
}

void incoming_ended(const struct fds_note *note)
{
	struct wire_closed message = { .actual = address_to_wire(&note->actual) };

	/* Without a link the session never knew it, or is lost. */
	if (link_is_open())
		ask_now(ASK_TELL(closed, &message));
}

int incoming_identify(struct fds_handle *connection, const union name *listener, const union name *peer)
{
	struct wire_accepted ask = { .listener = address_to_wire(listener), .peer = address_to_wire(peer) };
	struct fds_note *socket = &connection->note;
	struct wire_accepted_reply reply;
	sa_family_t family = peer->any.sa_family;
	int status = ask_now(ASK(accepted, &ask, &reply));

	if (status < 0)
		return status;
	*socket = (struct fds_note){ .state = FDS_LOCAL };
	if (reply.known && address_from_wire(&socket->peer, &reply.peer, family) &&
	    address_from_wire(&socket->local, &reply.local, family))
		socket->state = FDS_ACCEPTED;
	fds_renew(connection);
	return 0;
}

/* `connection` was accepted on `listener` from `peer`, which becomes the real client. 0 or -errno. */
static int welcome(struct fds_handle *listener, struct fds_handle *connection, union name *peer)
{
	int status;

	/* It listens, whatever was noted before: another process that has this socket may have said so. */
	if (listener->number && listener->note.state == FDS_UNASKED)
		fds_forget(listener);
	status = incoming_note_of(listener);
	if (status < 0)
		return status;
	if (listener->note.state != FDS_LISTENER && listener->note.state != FDS_BOUND) {
		fds_renew(connection);
		return 0;
	}
	status = incoming_identify(connection, &listener->note.actual, peer);
	if (status == 0 && connection->note.state == FDS_ACCEPTED)
		*peer = connection->note.peer;
	return status;
}

struct verdict incoming_accepted(struct fds_handle *listener, int fd, union name *peer)
{
	struct fds_handle connection = { .fd = fd, .note = { .state = FDS_LOCAL } };
	struct fds_note before;
	int status;

	/* Of a descriptor that was closed where no hook sees it. */
	if (fds_has(fd))
		fds_drop(fd, &before);
	status = welcome(listener, &connection, peer);
	return status < 0 ? verdict_result(status) : verdict_libc();
}
