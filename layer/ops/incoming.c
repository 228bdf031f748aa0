/*
 * bind, listen, accept, getsockname and getpeername of TCP sockets: the app's listeners become the pod's. The session
 * decides what is managed; here its answers are carried out and remembered (fds.c). Called by preload/.
 * The invariant: a managed call succeeds as the pod would see it or fails with an errno; it never turns into a plain
 * local one. Sockets that the session does not want behave as without us.
 * Not seen: system calls made past libc (syscall(2), io_uring, static binaries).
 */
#include <errno.h>
#include <stddef.h>

#include "../guard.h"
#include "../hooks.h"
#include "../sys.h"
#include "address.h"
#include "fds.h"

static bool is_stream(int fd)
{
	return sys_socket_option(fd, SO_TYPE) == SOCK_STREAM;
}

/* The socket's own address, when it is a TCP one. */
static bool own_address(int fd, union name *name)
{
	socklen_t length = sizeof(*name);

	return sys_getsockname(fd, &name->any, &length) == 0 && address_read(name, &name->any, length);
}

static bool peer_address(int fd, union name *name)
{
	socklen_t length = sizeof(*name);

	return sys_getpeername(fd, &name->any, &length) == 0 && address_read(name, &name->any, length);
}

static socklen_t size_of(const union name *name)
{
	return name->any.sa_family == AF_INET ? sizeof(name->v4) : sizeof(name->v6);
}

static void note_local(int fd)
{
	struct fds_socket local = { .state = FDS_LOCAL };

	fds_put(fd, &local);
}

/* next_bind() with -errno. */
static int bind_to(int fd, const union name *name)
{
	return next_bind(fd, &name->any, size_of(name)) < 0 ? -errno : 0;
}

/*
 * The asked address cannot be had here. `suggested` names the only other port to try: where the session already has
 * this listener (then SO_REUSEPORT decides), or what the developer chose; 0 leaves the choice to the kernel.
 * An address of the pod's own becomes the loopback.
 */
static int bind_elsewhere(int fd, const union name *asked, uint16_t suggested, int failure)
{
	union name other = *asked;
	struct fds_socket twin;
	int status;

	if (failure == -EADDRNOTAVAIL) {
		address_to_loopback(&other);
		status = bind_to(fd, &other);
		if (status != -EADDRINUSE && status != -EACCES)
			return status;
		failure = status;
	}
	if (failure == -EADDRINUSE && fds_find_asked(fd, asked, &twin))
		suggested = address_port(&twin.actual);
	if (suggested == address_port(asked))
		return failure;
	address_set_port(&other, suggested);
	return bind_to(fd, &other);
}

static int bind_managed(int fd, const union name *asked, bool *local)
{
	struct wire_bind ask = { .address = address_to_wire(asked) };
	struct fds_socket socket = { .state = FDS_BOUND, .asked = *asked };
	struct wire_bind_reply reply;
	int status;

	status = link_incoming();
	if (status <= 0) {
		*local = status == 0;
		return status;
	}
	status = link_bind(&ask, &reply);
	if (status < 0)
		return status;
	if (!reply.managed) {
		*local = true;
		return 0;
	}
	status = bind_to(fd, asked);
	if (status == -EADDRINUSE || status == -EACCES || status == -EADDRNOTAVAIL)
		status = bind_elsewhere(fd, asked, reply.suggested, status);
	if (status < 0)
		return status;
	if (!own_address(fd, &socket.actual))
		return -EIO;
	fds_put(fd, &socket);
	return 0;
}

int layer_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	union name asked;
	bool local = false;
	int saved, result;

	if (!address_read(&asked, address, length) || address_port(&asked) == 0 || !guard_enter(&saved))
		return next_bind(fd, address, length);
	if (!is_stream(fd))
		local = true;
	result = local ? 0 : bind_managed(fd, &asked, &local);
	if (local) {
		result = next_bind(fd, address, length) < 0 ? -errno : 0;
		if (result == 0 && fds_has(fd))
			fds_drop(fd, &(struct fds_socket){ 0 });
		if (result == 0 && is_stream(fd))
			note_local(fd);
	}
	return guard_leave(saved, result);
}

/* A socket that came to listen without a bind of ours: is its port the pod's business? 1 yes, 0 no. */
static int adopt(int fd, struct fds_socket *socket)
{
	struct wire_bind ask;
	struct wire_bind_reply reply;
	int status;

	if (!own_address(fd, &socket->actual))
		return 0;
	socket->asked = socket->actual;
	socket->state = FDS_BOUND;
	ask.address = address_to_wire(&socket->asked);
	status = link_bind(&ask, &reply);
	if (status < 0)
		return status;
	if (!reply.managed) {
		note_local(fd);
		return 0;
	}
	fds_put(fd, socket);
	return 1;
}

/* The socket listens; tell the session, or undo it. `known`: whether `socket` holds its note. */
static int announce(int fd, struct fds_socket *socket, bool known)
{
	struct wire_listen ask;
	int status = known ? 1 : adopt(fd, socket);

	if (status == 0)
		return 0;
	if (status > 0) {
		ask.asked = address_to_wire(&socket->asked);
		ask.actual = address_to_wire(&socket->actual);
		status = link_listen(&ask);
	}
	if (status < 0)
		sys_unlisten(fd);
	else
		fds_listening(fd);
	return status;
}

int layer_listen(int fd, int backlog)
{
	struct fds_socket socket;
	union name own;
	bool known;
	int saved, result = 0;

	if (!guard_enter(&saved))
		return next_listen(fd, backlog);
	known = fds_get(fd, &socket);
	if ((known && socket.state != FDS_BOUND) || !is_stream(fd) || !own_address(fd, &own) ||
	    sys_socket_option(fd, SO_ACCEPTCONN) == 1) {
		result = next_listen(fd, backlog) < 0 ? -errno : 0;
		goto out;
	}
	result = link_incoming();
	if (result < 0)
		goto out;
	known = known && result > 0;
	if (next_listen(fd, backlog) < 0)
		result = -errno;
	else if (result > 0)
		result = announce(fd, &socket, known);
out:
	return guard_leave(saved, result);
}

/* The note of a listening descriptor; one that was inherited or passed is asked about once. 0 or -errno. */
static int listener_of(int fd, struct fds_socket *socket)
{
	struct wire_listener ask;
	struct wire_listener_reply reply;
	int status;

	if (fds_get(fd, socket))
		return 0;
	*socket = (struct fds_socket){ .state = FDS_LOCAL };
	if (!own_address(fd, &socket->actual))
		return 0;
	status = link_incoming();
	if (status < 0)
		return status;
	if (status > 0) {
		ask.actual = address_to_wire(&socket->actual);
		status = link_listener(&ask, &reply);
		if (status < 0)
			return status;
		if (reply.known && address_from_wire(&socket->asked, &reply.asked, socket->actual.any.sa_family))
			socket->state = FDS_LISTENER;
	}
	fds_put(fd, socket);
	return 0;
}

/* Asks who is behind the connection `fd` from `peer` and notes it. 0 or -errno. */
static int identify(int fd, const union name *listener, const union name *peer, struct fds_socket *socket)
{
	struct wire_accepted ask = { .listener = address_to_wire(listener), .peer = address_to_wire(peer) };
	struct wire_accepted_reply reply;
	sa_family_t family = peer->any.sa_family;
	int status = link_accepted(&ask, &reply);

	if (status < 0)
		return status;
	*socket = (struct fds_socket){ .state = FDS_LOCAL };
	if (reply.known && address_from_wire(&socket->peer, &reply.peer, family) &&
	    address_from_wire(&socket->local, &reply.local, family))
		socket->state = FDS_ACCEPTED;
	fds_put(fd, socket);
	return 0;
}

/* `fd` was accepted on `listener` from `peer`, which becomes the real client. 0 or -errno. */
static int welcome(int listener, int fd, union name *peer)
{
	struct fds_socket socket, connection;
	int status;

	if (fds_has(fd))
		fds_drop(fd, &socket);
	status = listener_of(listener, &socket);
	if (status < 0)
		return status;
	if (socket.state != FDS_LISTENER) {
		note_local(fd);
		return 0;
	}
	status = identify(fd, &socket.actual, peer, &connection);
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

/*
 * A connection that came here without an accept of ours: handed over by another process of the app, or inherited.
 * Only one from this machine can be the session's.
 */
static bool may_be_handed_over(int fd, union name *own, union name *peer)
{
	if (!is_stream(fd) || !own_address(fd, own) || !peer_address(fd, peer))
		return false;
	return address_is_loopback(peer) || address_same_host(own, peer);
}

/* Finds out what an unnoted descriptor is, when it can matter. False: nothing is known, the kernel's answer stands. */
static bool investigate(int fd, struct fds_socket *socket)
{
	union name own, peer;

	if (is_stream(fd) && sys_socket_option(fd, SO_ACCEPTCONN) == 1)
		return listener_of(fd, socket) == 0;
	return may_be_handed_over(fd, &own, &peer) && link_incoming() > 0 && identify(fd, &own, &peer, socket) == 0;
}

/* What getsockname(2) is to say of a socket that is managed and not where the app bound it. */
static bool asked_name(int fd, const struct fds_socket *socket, union name *name)
{
	union name peer;

	if (socket->state == FDS_BOUND && peer_address(fd, &peer))
		return false; /* bound, then connected: an outgoing connection */
	*name = socket->asked;
	return !address_same_host(name, &socket->actual) || address_port(name) != address_port(&socket->actual);
}

/* The name that the app is to see instead of the kernel's, if any. */
static bool substitute(int fd, bool of_peer, union name *name)
{
	struct fds_socket socket;
	bool found = false;
	int saved;

	if (!guard_enter(&saved))
		return false;
	if (!fds_get(fd, &socket) && !investigate(fd, &socket))
		goto out;
	if (socket.state == FDS_ACCEPTED) {
		*name = of_peer ? socket.peer : socket.local;
		found = true;
	} else if (!of_peer && (socket.state == FDS_BOUND || socket.state == FDS_LISTENER)) {
		found = asked_name(fd, &socket, name);
	}
out:
	guard_leave(saved, 0);
	return found;
}

int layer_getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
	union name name;

	if (!address || !length || (int)*length < 0 || !substitute(fd, false, &name))
		return next_getsockname(fd, address, length);
	address_write(&name, address, length);
	return 0;
}

int layer_getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
	union name name;

	if (!address || !length || (int)*length < 0 || !substitute(fd, true, &name))
		return next_getpeername(fd, address, length);
	address_write(&name, address, length);
	return 0;
}
