/*
 * connect of TCP sockets, and what an app asks of one afterwards. Called by preload/; UDP is datagrams.c.
 *
 * The app's socket stays the kernel's. What is the target's business dials a gate of the session instead of its
 * address, and waits there in SYN_SENT until the session knows what the target's own connect gave
 * (core/net/gate.ts): so a blocking connect blocks in the kernel, with its signals and time-outs, a non-blocking one
 * gives EINPROGRESS, and poll, select and epoll say when it is over. The one thing that the kernel cannot know is why a
 * connection failed: whoever is first to ask after it waits no longer (connect, SO_ERROR, getpeername) is told by the
 * session, and it is noted.
 * The invariant: a connect that the session calls remote never reaches the app's own network.
 * Not seen: io_uring, system calls made past libc.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>

#include "../guard.h"
#include "../hooks.h"
#include "../sys.h"
#include "incoming.h"
#include "outgoing.h"

/* linux/tcp.h, which old C libraries lack; the states are tcp_states.h's. */
#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30
#endif

OUTGOING_UNPACK(connect_reply)
OUTGOING_UNPACK(outcome_reply)
OUTGOING_UNPACK(connection_reply)

static socklen_t size_of(const union name *name)
{
	return name->any.sa_family == AF_INET ? sizeof(name->v4) : sizeof(name->v6);
}

/* Does the socket wait for its connection? Not so once it is connected or failed. */
static bool is_waiting(int fd)
{
	int state = sys_option(fd, IPPROTO_TCP, TCP_INFO) & 0xff;

	return state == TCP_SYN_SENT || state == TCP_SYN_RECV;
}

static void abandon(uint32_t connection)
{
	struct wire_abandoned message = { .connection = connection };

	OUTGOING_TELL(abandoned, ABANDONED, &message);
}

void outgoing_ended(const struct fds_note *note)
{
	/* The end of an open TCP connection is seen by the kernel. */
	if (note->state != FDS_CONNECTED || (note->flags & OUTGOING_DATAGRAM))
		abandon(note->connection);
}

void outgoing_forget(int fd)
{
	struct fds_note note;

	if (fds_drop(fd, &note) && note.state >= FDS_CONNECTING && note.state <= FDS_DATAGRAM)
		outgoing_ended(&note);
}

/*
 * The connection of `fd` waits no longer; the kernel's word on it is `native`, 0 or -errno. Returns what the app is to
 * hear and notes the target's addresses. A socket that failed is free for another connect, as the kernel leaves it
 * where a connection was refused.
 */
static int settle(int fd, struct fds_note *socket, int native)
{
	struct wire_outcome ask = { .connection = socket->connection };
	struct wire_outcome_reply reply;
	sa_family_t family = socket->peer.any.sa_family;
	int status = OUTGOING_ASK(outcome, OUTCOME, &ask, unpack_outcome_reply, &reply);

	if (status < 0)
		return status;
	/* Not the session's doing: the app's own time-out, say. */
	if (reply.error == EINPROGRESS)
		return native;
	if (reply.error != 0) {
		fds_drop(fd, socket);
		sys_dissolve(fd);
		return -(int)reply.error;
	}
	socket->state = FDS_CONNECTED;
	/* Not always what was asked for: the unspecified address is the target's loopback. */
	address_from_wire(&socket->peer, &reply.peer, family);
	if (!address_from_wire(&socket->local, &reply.local, family))
		socket->local.any.sa_family = AF_UNSPEC;
	fds_change(fd, socket);
	return native;
}

/* Begins the dial of the gate, whatever the socket's mode. -EINPROGRESS when it waits there, another -errno when not. */
static int knock(int fd, const union name *gate)
{
	int nonblocking = sys_nonblocking(fd), status;

	/* It would put the dial off to the first write (tcp(7)). */
	sys_set_option(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 0);
	if (nonblocking == 0)
		sys_set_nonblocking(fd, true);
	status = next_connect(fd, &gate->any, size_of(gate)) < 0 ? -errno : -EISCONN;
	if (nonblocking == 0)
		sys_set_nonblocking(fd, false);
	return status;
}

/* Dials the gate at `socket->actual` and tells the session from where. -EINPROGRESS, or another -errno. */
static int dial(int fd, struct fds_note *socket)
{
	struct wire_dialled message = { .connection = socket->connection };
	union name own;
	int status = knock(fd, &socket->actual);

	if (status == -EINPROGRESS && !incoming_own_address(fd, &own))
		status = -EIO;
	if (status != -EINPROGRESS) {
		abandon(socket->connection);
		return status;
	}
	message.local = address_to_wire(&own);
	fds_put(fd, socket);
	status = OUTGOING_TELL(dialled, DIALLED, &message);
	return status < 0 ? status : -EINPROGRESS;
}

/*
 * Asks whose business `remote` is. -EINPROGRESS: the target's; the socket waits, and is noted. 0: this machine's, and
 * `remote` becomes where to connect.
 */
static int connect_stream(int fd, union name *remote, struct fds_note *socket)
{
	struct wire_connect ask = { .address = address_to_wire(remote) };
	struct wire_connect_reply reply;
	int status = OUTGOING_ASK(connect, CONNECT, &ask, unpack_connect_reply, &reply);

	if (status < 0)
		return status;
	if (!reply.remote) {
		address_set_port(remote, reply.endpoint.port);
		*socket = (struct fds_note){ .state = FDS_LOCAL };
		if (!fds_has(fd))
			fds_put(fd, socket);
		return 0;
	}
	*socket = (struct fds_note){ .state = FDS_CONNECTING, .peer = *remote, .connection = reply.connection };
	status = address_from_wire(&socket->actual, &reply.endpoint, remote->any.sa_family) ? 0 : -EAFNOSUPPORT;
	/* A simultaneous open is TCP's alone; MPTCP would wait for ever. */
	if (sys_socket_option(fd, SO_PROTOCOL) != IPPROTO_TCP)
		status = -EPROTONOSUPPORT;
	if (status == 0)
		return dial(fd, socket);
	abandon(reply.connection);
	return status;
}

/*
 * Waits at the gate as long as the socket's mode says. The guard is left meanwhile: a signal handler that connects
 * while this thread is blocked is an app like any other.
 */
static int wait_at_gate(int fd, struct fds_note *socket, int saved)
{
	int native, again;

	guard_leave(saved, 0);
	native = next_connect(fd, &socket->actual.any, size_of(&socket->actual)) < 0 ? -errno : 0;
	if (!guard_enter(&again))
		return -EIO;
	if (native == -EINTR || native == -EALREADY || native == -EINPROGRESS || is_waiting(fd))
		return native;
	return settle(fd, socket, native);
}

/* 0: connected, or `remote` is for the kernel to connect to, which `local` tells. */
static int connect_remote(int fd, union name *remote, bool *local, int saved)
{
	struct fds_note socket;
	int status;

	if (fds_get(fd, &socket) && socket.state == FDS_CONNECTING)
		return wait_at_gate(fd, &socket, saved);
	if (fds_get(fd, &socket) && socket.state == FDS_CONNECTED) {
		*remote = socket.actual;
		*local = true;
		return 0;
	}
	status = connect_stream(fd, remote, &socket);
	*local = status == 0;
	if (status != -EINPROGRESS || sys_nonblocking(fd) != 0)
		return status;
	status = wait_at_gate(fd, &socket, saved);
	/* SO_SNDTIMEO; to the kernel it is a second connect, to the app the first (socket(7)). */
	return status == -EALREADY ? -EINPROGRESS : status;
}

int layer_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	union name remote;
	bool local = false;
	int saved, type, result;

	if (address && length >= sizeof(address->sa_family) && address->sa_family == AF_UNSPEC && fds_has(fd) &&
	    guard_enter(&saved)) {
		result = next_connect(fd, address, length) < 0 ? -errno : 0;
		/* Only now: whether the socket still waits is asked of the kernel. */
		if (result == 0)
			outgoing_forget(fd);
		return guard_leave(saved, result);
	}
	if (!address_read(&remote, address, length) || !guard_enter(&saved))
		return next_connect(fd, address, length);
	type = sys_socket_option(fd, SO_TYPE);
	result = type == SOCK_STREAM || type == SOCK_DGRAM ? link_floor(LINK_OUTGOING) : 0;
	if (result == 0)
		local = true;
	else if (result > 0 && type == SOCK_STREAM)
		result = connect_remote(fd, &remote, &local, saved);
	else if (result > 0)
		result = datagrams_connect(fd, &remote, &local);
	result = guard_leave(saved, result);
	/* Without the guard: what blocks there must not keep signal handlers from us. */
	return result == 0 && local ? next_connect(fd, &remote.any, size_of(&remote)) : result;
}

/* SO_ERROR of a socket that waited: 0 while it waits, then once what the target's connect gave (socket(7)). */
static int pending_error(int fd, int native)
{
	struct fds_note socket;
	int status;

	if (!fds_get(fd, &socket) || socket.state != FDS_CONNECTING || is_waiting(fd))
		return native;
	status = settle(fd, &socket, -native);
	return status < 0 ? -status : 0;
}

int layer_getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
	int saved, result = next_getsockopt(fd, level, option, value, length);

	if (level != SOL_SOCKET || option != SO_ERROR || result < 0 || !fds_has(fd) || *length != sizeof(int) ||
	    !guard_enter(&saved))
		return result;
	*(int *)value = pending_error(fd, *(int *)value);
	return guard_leave(saved, 0);
}

bool outgoing_identify(int fd, const union name *own, const union name *peer, struct fds_note *socket)
{
	struct wire_connection ask = { .local = address_to_wire(own), .peer = address_to_wire(peer) };
	struct wire_connection_reply reply;
	sa_family_t family = peer->any.sa_family;

	if (link_floor(LINK_OUTGOING) <= 0 ||
	    OUTGOING_ASK(connection, CONNECTION, &ask, unpack_connection_reply, &reply) < 0 || !reply.known)
		return false;
	*socket = (struct fds_note){
		.state = FDS_CONNECTED, .actual = *peer, .connection = reply.connection,
		.flags = incoming_is_stream(fd) ? 0 : OUTGOING_DATAGRAM,
	};
	if (!address_from_wire(&socket->peer, &reply.peer, family) ||
	    !address_from_wire(&socket->local, &reply.local, family))
		return false;
	fds_put(fd, socket);
	return true;
}

bool outgoing_name(int fd, struct fds_note *socket, bool of_peer, union name *name)
{
	union name own, peer;
	socklen_t length = sizeof(peer);

	if (sys_getpeername(fd, &peer.any, &length) < 0)
		return false;
	if (socket->state == FDS_CONNECTING && (is_waiting(fd) || settle(fd, socket, 0) < 0))
		return false;
	/* The target's own address of a UDP socket is asked for when somebody wants it. */
	if (!of_peer && socket->local.any.sa_family == AF_UNSPEC &&
	    (!incoming_own_address(fd, &own) || !outgoing_identify(fd, &own, &peer, socket)))
		return false;
	*name = of_peer ? socket->peer : socket->local;
	return name->any.sa_family != AF_UNSPEC;
}
