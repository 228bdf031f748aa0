/*
 * bind: a TCP socket that may become a listener of the pod's, and a socket bound to an address of the pod's,
 * UDP too, which is bound on loopback here. The session decides what is managed, and where it is bound; this
 * file carries out and remembers its answers (fds.c). Called by preload/hooks_sockets.c, and by incoming.c.
 * The invariant: a bind succeeds as the pod would see it or fails with an errno. A bind to an address of this
 * machine behaves as without the layer.
 */
#include <errno.h>
#include <stddef.h>

#include "../../link/ask.h"
#include "../../sys/sys.h"
#include "../../sys/sys_sockets.h"
#include "bind.h"

bool incoming_own_address(int fd, union name *name)
{
	socklen_t length = sizeof(*name);

	return sys_getsockname(fd, &name->any, &length) == 0 && address_read(name, &name->any, length);
}

static int bind_to(int fd, const union name *name)
{
	return sys_bind(fd, &name->any, address_size(name));
}

int incoming_ask_bind(const union name *asked, bool stream, struct wire_bind_reply *reply)
{
	struct wire_bind ask = { .address = address_to_wire(asked), .stream = stream };

	return ask_now(ASK(bind, &ask, reply));
}

/*
 * The asked address cannot be had here. One of the pod's own goes to the place that the session gave it.
 * `suggested` names the only other port to try: where the session already has this listener, or what the
 * developer chose; 0 leaves the choice to the kernel. Where this process has moved a socket of the same
 * address, only that place will do: SO_REUSEPORT decides, as it would have.
 */
static int bind_elsewhere(int fd, const struct fds_note *socket, const struct wire_bind_reply *reply, int failure)
{
	const union name *asked = &socket->asked;
	union name other = *asked;
	uint16_t suggested = reply->suggested;
	struct fds_note twin;
	int status;

	if (failure == -EADDRNOTAVAIL) {
		if (reply->place.family == 0 || !address_from_wire(&other, &reply->place, asked->any.sa_family))
			return failure;
		status = bind_to(fd, &other);
		if (status != -EADDRINUSE && status != -EACCES)
			return status;
		failure = status;
	}
	if (fds_find_asked(fd, socket, &twin))
		suggested = address_port(&twin.actual);
	if (suggested == address_port(asked))
		return failure;
	address_set_port(&other, suggested);
	return bind_to(fd, &other);
}

bool incoming_is_placed(const struct fds_note *socket)
{
	return socket->state == FDS_BOUND && !address_same_host(&socket->asked, &socket->actual);
}

bool incoming_is_moved(const struct fds_note *socket)
{
	return !address_same_host(&socket->asked, &socket->actual) ||
	       address_port(&socket->asked) != address_port(&socket->actual);
}

/* Reports to the session where a socket is bound, if that is not where the app wanted it. */
static int tell_moved(const struct fds_note *socket)
{
	struct wire_bound message = { .stream = !(socket->flags & FDS_DATAGRAMS) };

	if (!incoming_is_moved(socket))
		return 0;
	message.asked = address_to_wire(&socket->asked);
	message.actual = address_to_wire(&socket->actual);
	return ask_now(ASK_TELL(bound, &message));
}

/* It is bound: notes where, and reports that at once, since another process may get it before it listens. */
static int note_bound(struct fds_handle *socket)
{
	struct fds_note *note = &socket->note;

	if (!incoming_own_address(socket->fd, &note->actual))
		return -EIO;
	if (address_port(&note->asked) == 0) {
		note->flags |= FDS_ANY_PORT;
		address_set_port(&note->asked, address_port(&note->actual));
	}
	fds_renew(socket);
	return tell_moved(note);
}

/* Binds a managed socket. */
static int bind_managed(struct fds_handle *socket, const struct wire_bind_reply *reply)
{
	int status = reply->fixed ? -EADDRINUSE : bind_to(socket->fd, &socket->note.asked);

	if (status == -EADDRINUSE || status == -EACCES || status == -EADDRNOTAVAIL)
		status = bind_elsewhere(socket->fd, &socket->note, reply, status);
	return status < 0 ? status : note_bound(socket);
}

int incoming_any_network(void)
{
	int status = ask_floor(LINK_INCOMING);

	return status == 0 ? ask_floor(LINK_OUTGOING) : status;
}

/*
 * ::1 is also the place of the target's IPv6 addresses: where a UDP socket of the app's is in the way that
 * was bound to one of those, the session names another port. `failure` where it does not.
 */
static int bind_beside(struct fds_handle *socket, int failure)
{
	const union name *asked = &socket->note.asked;
	struct wire_bind_reply reply;
	union name other;
	int status = incoming_any_network();

	if (status > 0)
		status = incoming_ask_bind(asked, false, &reply);
	else if (status == 0)
		return failure;
	if (status < 0)
		return status;
	if (reply.place.port == address_port(asked) || !address_from_wire(&other, &reply.place, asked->any.sa_family))
		return failure;
	status = bind_to(socket->fd, &other);
	return status < 0 ? status : note_bound(socket);
}

/* Binds a socket that is not managed, or not yet; `reply`: the session's answer, if it was asked. */
static int bind_unmanaged(struct fds_handle *socket, struct wire_bind_reply *reply)
{
	const union name *asked = &socket->note.asked;
	bool stream = !(socket->note.flags & FDS_DATAGRAMS);
	struct wire_bind_reply answer;
	int status = bind_to(socket->fd, asked), network;

	if (status == -EADDRNOTAVAIL) {
		network = reply ? 1 : incoming_any_network();
		if (network <= 0)
			return network < 0 ? network : status;
		network = reply ? 0 : incoming_ask_bind(asked, stream, &answer);
		if (network < 0)
			return network;
		status = bind_elsewhere(socket->fd, &socket->note, reply ? reply : &answer, status);
		return status < 0 ? status : note_bound(socket);
	}
	if (status == -EADDRINUSE && !stream && address_to_wire(asked).family == 6 && address_is_loopback(asked))
		return bind_beside(socket, status);
	if (status < 0)
		return status;
	/* Noted, so that the names of those that send to it are looked at. */
	if (!stream)
		return note_bound(socket);
	socket->note = (struct fds_note){
		.state = reply ? FDS_LOCAL : FDS_UNASKED,
		.flags = address_port(asked) == 0 ? FDS_ANY_PORT : 0,
	};
	fds_renew(socket);
	return 0;
}

/* `bind` of a TCP socket to a port of the app's choice. */
static int bind_asked(struct fds_handle *socket)
{
	struct wire_bind_reply reply = { .managed = false };
	int status = ask_floor(LINK_INCOMING);

	if (status == 0)
		return bind_unmanaged(socket, NULL);
	if (status > 0)
		status = incoming_ask_bind(&socket->note.asked, true, &reply);
	if (status < 0)
		return status;
	return reply.managed ? bind_managed(socket, &reply) : bind_unmanaged(socket, &reply);
}

struct verdict incoming_bind(struct fds_handle *socket, const union name *asked)
{
	int type = sys_socket_option(socket->fd, SO_TYPE);

	if (type != SOCK_STREAM && type != SOCK_DGRAM)
		return verdict_libc();
	socket->note = (struct fds_note){
		.state = FDS_BOUND, .asked = *asked, .flags = type == SOCK_DGRAM ? FDS_DATAGRAMS : 0,
	};
	if (asked->any.sa_family == AF_INET6 && sys_option(socket->fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1)
		socket->note.flags |= FDS_ONLY6;
	return verdict_result(type == SOCK_STREAM && address_port(asked) != 0 ? bind_asked(socket) :
										 bind_unmanaged(socket, NULL));
}

int incoming_move(struct fds_handle *socket)
{
	const struct fds_note before = socket->note;
	int failure = address_same_host(&before.asked, &before.actual) ? -EADDRINUSE : -EADDRNOTAVAIL;
	struct fds_note moved = { .state = FDS_BOUND, .asked = before.asked, .flags = before.flags };
	struct wire_bind_reply reply;
	int status = incoming_ask_bind(&before.asked, true, &reply), twin;

	if (status < 0 || !reply.managed)
		return status < 0 ? status : -EADDRINUSE;
	twin = sys_twin(socket->fd);
	if (twin < 0)
		return -EADDRINUSE;
	fds_forget(socket); /* it is no reason to stay */
	status = bind_elsewhere(twin, &moved, &reply, failure);
	if (status == 0 && !incoming_own_address(twin, &moved.actual))
		status = -EIO;
	if (status == 0)
		status = sys_take_place(twin, socket->fd);
	sys_close(twin);
	if (status == 0)
		socket->identity = (struct sys_identity){ 0 };
	socket->note = status == 0 ? moved : before;
	fds_renew(socket);
	return status < 0 ? status : tell_moved(&socket->note);
}
