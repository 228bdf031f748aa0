/*
 * bind, listen and accept of TCP sockets: the app's listeners become the pod's. The session decides what is
 * managed; here its answers are carried out and remembered (fds.c). Called by preload/, and by names.c to ask.
 * The invariant: a managed call succeeds as the pod would see it or fails with an errno; it never turns into a plain
 * local one. Sockets that the session does not want behave as without us.
 * Not seen: system calls made past libc (syscall(2), io_uring, static binaries).
 */
#include <errno.h>
#include <stddef.h>

#include "../guard.h"
#include "../hooks.h"
#include "../sys.h"
#include "incoming.h"

bool incoming_is_stream(int fd)
{
	return sys_socket_option(fd, SO_TYPE) == SOCK_STREAM;
}

bool incoming_own_address(int fd, union name *name)
{
	socklen_t length = sizeof(*name);

	return sys_getsockname(fd, &name->any, &length) == 0 && address_read(name, &name->any, length);
}

static socklen_t size_of(const union name *name)
{
	return name->any.sa_family == AF_INET ? sizeof(name->v4) : sizeof(name->v6);
}

static void note(int fd, enum fds_state state)
{
	struct fds_note socket = { .state = state };

	fds_put(fd, &socket);
}

/* next_bind() with -errno. */
static int bind_to(int fd, const union name *name)
{
	return next_bind(fd, &name->any, size_of(name)) < 0 ? -errno : 0;
}

/*
 * The asked address cannot be had here. `suggested` names the only other port to try: where the session already has
 * this listener, or what the developer chose; 0 leaves the choice to the kernel. Where this process has moved a
 * socket of the same address, only that place will do: SO_REUSEPORT decides, as it would have. An address of the
 * pod's own becomes the loopback.
 */
static int bind_elsewhere(int fd, const union name *asked, uint16_t suggested, int failure)
{
	union name other = *asked;
	struct fds_note twin;
	int status;

	if (failure == -EADDRNOTAVAIL) {
		address_to_loopback(&other);
		status = bind_to(fd, &other);
		if (status != -EADDRINUSE && status != -EACCES)
			return status;
		failure = status;
	}
	if (fds_find_asked(fd, asked, &twin))
		suggested = address_port(&twin.actual);
	if (suggested == address_port(asked))
		return failure;
	address_set_port(&other, suggested);
	return bind_to(fd, &other);
}

bool incoming_is_moved(const struct fds_note *socket)
{
	return !address_same_host(&socket->asked, &socket->actual) ||
	       address_port(&socket->asked) != address_port(&socket->actual);
}

/* Tells the session where a socket went, if it is not where the app wanted it. */
static int tell_moved(const struct fds_note *socket)
{
	struct wire_bound message;

	if (!incoming_is_moved(socket))
		return 0;
	message.asked = address_to_wire(&socket->asked);
	message.actual = address_to_wire(&socket->actual);
	return link_bound(&message);
}

/* Binds a managed socket and notes it. Where it went is told at once: another process may get it before it listens. */
static int bind_noted(int fd, const union name *asked, uint16_t suggested)
{
	struct fds_note socket = { .state = FDS_BOUND, .asked = *asked };
	int status = bind_to(fd, asked);

	if (status == -EADDRINUSE || status == -EACCES || status == -EADDRNOTAVAIL)
		status = bind_elsewhere(fd, asked, suggested, status);
	if (status < 0)
		return status;
	if (!incoming_own_address(fd, &socket.actual))
		return -EIO;
	fds_put(fd, &socket);
	return tell_moved(&socket);
}

/* `bind` of a TCP socket to a port of the app's choice. */
static int bind_asked(int fd, const union name *asked)
{
	struct wire_bind ask = { .address = address_to_wire(asked) };
	struct wire_bind_reply reply = { .managed = false };
	int status = link_floor(LINK_INCOMING);

	if (status > 0)
		status = link_bind(&ask, &reply);
	if (status < 0)
		return status;
	if (reply.managed)
		return bind_noted(fd, asked, reply.suggested);
	status = bind_to(fd, asked);
	if (status == 0)
		note(fd, FDS_LOCAL);
	return status;
}

int layer_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	union name asked;
	int saved, result;

	if (!address_read(&asked, address, length) || !incoming_is_stream(fd) || !guard_enter(&saved))
		return next_bind(fd, address, length);
	if (address_port(&asked) != 0) {
		result = bind_asked(fd, &asked);
	} else {
		result = bind_to(fd, &asked);
		if (result == 0)
			note(fd, FDS_UNASKED);
	}
	return guard_leave(saved, result);
}

/* A socket that listens at an address we did not give it: is that the pod's business? 1 yes, 0 no. */
static int adopt(int fd, struct fds_note *socket)
{
	struct wire_bind ask;
	struct wire_bind_reply reply;
	int status;

	*socket = (struct fds_note){ .state = FDS_BOUND };
	if (!incoming_own_address(fd, &socket->actual))
		return 0;
	socket->asked = socket->actual;
	ask.address = address_to_wire(&socket->asked);
	status = link_bind(&ask, &reply);
	if (status < 0)
		return status;
	if (!reply.managed)
		socket->state = FDS_LOCAL;
	fds_put(fd, socket);
	return reply.managed;
}

/* The socket listens; tell the session, or undo it. */
static int announce(int fd, struct fds_note *socket)
{
	struct wire_listen ask;
	int status = socket->state == FDS_BOUND ? 1 : adopt(fd, socket);

	if (status == 0)
		return 0;
	if (status > 0) {
		ask.asked = address_to_wire(&socket->asked);
		ask.actual = address_to_wire(&socket->actual);
		status = link_listen(&ask);
	}
	if (status < 0) {
		sys_dissolve(fd);
		return status;
	}
	socket->state = FDS_LISTENER;
	fds_change(fd, socket);
	return status;
}

int incoming_note_of(int fd, struct fds_note *socket)
{
	struct wire_listener ask;
	struct wire_listener_reply reply;
	bool listens;
	int status;

	if (fds_get(fd, socket))
		return 0;
	listens = sys_socket_option(fd, SO_ACCEPTCONN) == 1;
	*socket = (struct fds_note){ .state = listens ? FDS_LOCAL : FDS_UNASKED };
	if (!incoming_own_address(fd, &socket->actual) || address_port(&socket->actual) == 0)
		return 0;
	status = link_floor(LINK_INCOMING);
	if (status < 0)
		return status;
	if (status > 0) {
		ask.actual = address_to_wire(&socket->actual);
		status = link_listener(&ask, &reply);
		if (status < 0)
			return status;
		if (reply.known && address_from_wire(&socket->asked, &reply.asked, socket->actual.any.sa_family))
			socket->state = listens ? FDS_LISTENER : FDS_BOUND;
	}
	fds_put(fd, socket);
	return 0;
}

/*
 * The port was free for `bind`, but by now another app of this machine listens there (both had SO_REUSEADDR). The pod's port
 * is the app's all the same: another socket takes this one's place, where bind would have put it.
 */
static int move(int fd, struct fds_note *socket)
{
	struct wire_bind ask = { .address = address_to_wire(&socket->asked) };
	int failure = address_same_host(&socket->asked, &socket->actual) ? -EADDRINUSE : -EADDRNOTAVAIL;
	struct fds_note moved = { .state = FDS_BOUND, .asked = socket->asked }, dropped;
	struct wire_bind_reply reply;
	int status = link_bind(&ask, &reply), twin;

	if (status < 0 || !reply.managed)
		return status < 0 ? status : -EADDRINUSE;
	twin = sys_twin(fd);
	if (twin < 0)
		return -EADDRINUSE;
	fds_drop(fd, &dropped); /* it is no reason to stay */
	status = bind_elsewhere(twin, &socket->asked, reply.suggested, failure);
	if (status == 0 && !incoming_own_address(twin, &moved.actual))
		status = -EIO;
	if (status == 0)
		status = sys_take_place(twin, fd);
	sys_close(twin);
	if (status == 0)
		*socket = moved;
	fds_put(fd, socket);
	return status < 0 ? status : tell_moved(socket);
}

/* libc's listen, then the session's word on it. `socket` is the descriptor's note. */
static int listen_noted(int fd, int backlog, struct fds_note *socket)
{
	int floor = link_floor(LINK_INCOMING);
	int status = floor < 0 ? floor : next_listen(fd, backlog) < 0 ? -errno : 0;

	if (status == -EADDRINUSE && floor > 0) {
		/* Bound by a parent, say. */
		if (socket->state == FDS_UNASKED && incoming_own_address(fd, &socket->actual))
			socket->asked = socket->actual;
		status = move(fd, socket);
		if (status == 0 && next_listen(fd, backlog) < 0)
			status = -errno;
	}
	return status < 0 || floor == 0 ? status : announce(fd, socket);
}

int layer_listen(int fd, int backlog)
{
	struct fds_note socket;
	union name own;
	int saved, result;

	if (!incoming_is_stream(fd) || !incoming_own_address(fd, &own) || !guard_enter(&saved))
		return next_listen(fd, backlog);
	result = incoming_note_of(fd, &socket);
	if (result == 0 && (socket.state == FDS_BOUND || socket.state == FDS_UNASKED))
		result = listen_noted(fd, backlog, &socket);
	else if (result == 0) /* a listener already, or local: there is nothing to tell */
		result = next_listen(fd, backlog) < 0 ? -errno : 0;
	return guard_leave(saved, result);
}

int incoming_identify(int fd, const union name *listener, const union name *peer, struct fds_note *socket)
{
	struct wire_accepted ask = { .listener = address_to_wire(listener), .peer = address_to_wire(peer) };
	struct wire_accepted_reply reply;
	sa_family_t family = peer->any.sa_family;
	int status = link_accepted(&ask, &reply);

	if (status < 0)
		return status;
	if (reply.known)
		sys_no_delay(fd);
	*socket = (struct fds_note){ .state = FDS_LOCAL };
	if (reply.known && address_from_wire(&socket->peer, &reply.peer, family) &&
	    address_from_wire(&socket->local, &reply.local, family))
		socket->state = FDS_ACCEPTED;
	fds_put(fd, socket);
	return 0;
}

/* `fd` was accepted on `listener` from `peer`, which becomes the real client. 0 or -errno. */
static int welcome(int listener, int fd, union name *peer)
{
	struct fds_note socket, connection;
	int status;

	if (fds_has(fd))
		fds_drop(fd, &socket);
	/* It listens, whatever was noted before: another process that has this socket may have said so. */
	if (fds_get(listener, &socket) && socket.state == FDS_UNASKED)
		fds_drop(listener, &socket);
	status = incoming_note_of(listener, &socket);
	if (status < 0)
		return status;
	if (socket.state != FDS_LISTENER && socket.state != FDS_BOUND) {
		note(fd, FDS_LOCAL);
		return 0;
	}
	status = incoming_identify(fd, &socket.actual, peer, &connection);
	if (status == 0 && connection.state == FDS_ACCEPTED)
		*peer = connection.peer;
	return status;
}

/* After libc's accept gave `fd`, whose peer it wrote to the `got` bytes of `found`. */
static int accepted(int listener, int fd, struct sockaddr_storage *found, socklen_t got, struct sockaddr *address,
		    socklen_t *length)
{
	union name peer;
	int saved, status = 0;

	if (!address_read(&peer, (struct sockaddr *)found, got)) {
		/* Not TCP: as it came. */
		if (address && length) {
			memcpy(address, found, *length < got ? *length : got);
			*length = got;
		}
		return fd;
	}
	if (guard_enter(&saved)) {
		status = welcome(listener, fd, &peer);
		if (status < 0)
			sys_close(fd);
		guard_leave(saved, 0);
	}
	if (status < 0) {
		errno = -status;
		return -1;
	}
	address_write(&peer, address, length);
	return fd;
}

/*
 * libc's call gets a buffer of ours, because the peer is needed whether the app asks for it or not. An address
 * without a length, or a negative one, is left to the kernel to refuse.
 */
#define ACCEPT(call, ...) \
	struct sockaddr_storage found; \
	socklen_t got = sizeof(found); \
	int accepted_fd; \
	if (!guard_active() || (address && (!length || (int)*length < 0))) \
		return call(fd, address, length, ##__VA_ARGS__); \
	accepted_fd = call(fd, (struct sockaddr *)&found, &got, ##__VA_ARGS__); \
	return accepted_fd < 0 ? -1 : accepted(fd, accepted_fd, &found, got, address, length)

int layer_accept(int fd, struct sockaddr *address, socklen_t *length)
{
	ACCEPT(next_accept);
}

int layer_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
	ACCEPT(next_accept4, flags);
}
