/*
 * connect of TCP sockets, and what an app asks of one afterwards. Called by preload/hooks_sockets_outgoing.c;
 * UDP is datagrams.c.
 *
 * The app's socket stays the kernel's. A connect to the target's network dials a gate of the session instead
 * of its address, and waits there in SYN_SENT until the session knows the result of the target's own connect
 * (core/net/linux/gate.ts): so a blocking connect blocks in the kernel, with its signals and time-outs, a
 * non-blocking one gives EINPROGRESS, and poll, select and epoll report when it is over. The one thing that
 * the kernel cannot know is why a connection failed: it gives ECONNRESET. The call that is first to get that
 * (connect, SO_ERROR, a send, a receive) gets the session's errno instead.
 * The invariant: a connect that is remote by the session's answer never reaches this machine's network.
 * Where there are no gates the connect waits here instead (dial_darwin.c).
 * Not seen: io_uring, system calls made past libc.
 */
#include <errno.h>
#include <stddef.h>

#include "../../link/ask.h"
#include "../../sys/numbers.h"
#include "../../sys/sys.h"
#include "../../sys/sys_sockets.h"
#include "bind.h"
#include "dial.h"
#include "incoming.h"
#include "outgoing.h"

void outgoing_abandon(uint32_t connection)
{
	struct wire_abandoned message = { .connection = connection };

	ask_tell(ASK_TELL(abandoned, &message));
}

void outgoing_ended(const struct fds_note *note)
{
	/* The end of an open TCP connection is seen by the kernel. */
	if (note->state != FDS_CONNECTED || (note->flags & OUTGOING_DATAGRAM))
		outgoing_abandon(note->connection);
}

void outgoing_forget(struct fds_handle *socket)
{
	const struct fds_note *note = &socket->note;

	if (fds_forget(socket) && note->state >= FDS_CONNECTING && note->state <= FDS_DATAGRAM)
		outgoing_ended(note);
}

int outgoing_learned(struct fds_handle *socket, int native, const struct wire_outcome_reply *reply)
{
	struct fds_note *note = &socket->note;
	int error = reply->error < 4096 ? numbers_errno(reply->error) : EIO;

	/* Not the session's doing: the app's own time-out, for example. */
	if (error == EINPROGRESS)
		return native;
	if (error != 0) {
		note->flags |= OUTGOING_TOLD;
		fds_save(socket);
		return -error;
	}
	note->state = FDS_CONNECTED;
	/* Not always what was asked for: the unspecified address is the target's loopback. */
	address_from_wire(&note->peer, &reply->peer, note->peer.any.sa_family);
	if (!address_from_wire(&note->local, &reply->local, note->peer.any.sa_family))
		note->local.any.sa_family = AF_UNSPEC;
	fds_save(socket);
	return native;
}

/*
 * The connection waits no longer; the kernel's result is `native`, 0 or -errno. Returns the app's result and
 * notes the target's addresses, or that the failure was reported, since the kernel reports it once.
 */
static int settle(struct fds_handle *socket, int native)
{
	struct wire_outcome ask = { .connection = socket->note.connection };
	struct wire_outcome_reply reply;
	int status;

	if (socket->note.flags & OUTGOING_TOLD)
		return native;
	status = ask_now(ASK(outcome, &ask, &reply));
	return status < 0 ? status : outgoing_learned(socket, native, &reply);
}

int outgoing_loop(const struct fds_handle *socket, const union name *remote, const union name *endpoint, union name *name)
{
	struct wire_looped message = { .stream = incoming_is_stream(socket->fd) };
	union name own, source = *endpoint;
	int status;

	if (!incoming_own_address(socket->fd, &own))
		return -EINVAL;
	if (address_port(&own) == 0) {
		/* As the kernel does: from where it goes to. A UDP socket may speak to others, too. */
		address_set_port(&source, 0);
		if (!message.stream)
			source = (union name){ .any.sa_family = own.any.sa_family };
		status = sys_bind(socket->fd, &source.any, address_size(&source));
		if (status < 0)
			return status;
		if (!incoming_own_address(socket->fd, &own))
			return -EINVAL;
	}
	*name = *remote;
	address_set_port(name, address_port(&own));
	if (incoming_is_placed(&socket->note) || outgoing_is_placed(&socket->note))
		*name = socket->note.asked;
	message.name = address_to_wire(name);
	if (address_is_wildcard(&own)) {
		source = *endpoint;
		if (address_to_wire(endpoint).family == 4)
			address_to_loopback4(&source);
		address_set_port(&source, address_port(&own));
		own = source;
	}
	message.actual = address_to_wire(&own);
	return ask_now(ASK_TELL(looped, &message));
}

/* `remote` is the app's own socket, which is bound elsewhere. It becomes where to connect. 0 or -errno. */
static int connect_own(struct fds_handle *socket, union name *remote, const union name *endpoint)
{
	struct fds_note note = {
		.state = FDS_CONNECTED, .peer = *remote, .actual = *endpoint, .flags = OUTGOING_LOOPED,
	};
	int status = 0;

	/* connect(2) takes the unspecified address for loopback (ip(7)). */
	if (address_is_wildcard(remote))
		address_to_loopback(&note.peer);
	else if (!address_same_host(remote, endpoint))
		status = outgoing_loop(socket, remote, endpoint, &note.local);
	if (status == 0) {
		socket->note = note;
		fds_renew(socket);
	}
	*remote = *endpoint;
	return status;
}

/*
 * Asks which side `remote` belongs to. -EINPROGRESS: the target; the socket waits, in libc's call if it
 * *blocks, and is noted. DIAL_CONNECTED: the target, and it is connected. 0: this machine, and `remote`
 * becomes the address to connect to.
 */
static int connect_stream(struct fds_handle *socket, union name *remote, bool *blocks)
{
	struct wire_connect ask = { .address = address_to_wire(remote) };
	struct wire_connect_reply reply;
	union name endpoint;
	int status;

	if (incoming_is_placed(&socket->note))
		ask.source = address_to_wire(&socket->note.asked);
	status = ask_now(ASK(connect, &ask, &reply));
	if (status < 0)
		return status;
	if (!reply.remote) {
		if (!address_from_wire(&endpoint, &reply.endpoint, remote->any.sa_family))
			return -ECONNREFUSED;
		if (!address_same_host(remote, &endpoint) || address_port(remote) != address_port(&endpoint))
			return connect_own(socket, remote, &endpoint);
		if (!socket->number) {
			socket->note = (struct fds_note){ .state = FDS_LOCAL };
			fds_renew(socket);
		}
		return 0;
	}
	socket->note = (struct fds_note){ .state = FDS_CONNECTING, .peer = *remote, .connection = reply.connection };
	status = address_from_wire(&socket->note.actual, &reply.endpoint, remote->any.sa_family) ? 0 : -EAFNOSUPPORT;
	/* A simultaneous open is TCP's alone; MPTCP would wait without end. */
	if (!sys_is_tcp(socket->fd))
		status = -EPROTONOSUPPORT;
	*blocks = sys_nonblocking(socket->fd) == 0;
	if (status == 0)
		return dial_session(socket, *blocks);
	outgoing_abandon(reply.connection);
	return status;
}

/*
 * connect after a failure that another call reported: it ends that attempt, and fails (connect(2) of
 * Linux).
 */
static int end_attempt(struct fds_handle *socket)
{
	fds_forget(socket);
	sys_dissolve(socket->fd);
	return -ECONNABORTED;
}

/* libc's connect waits at the gate, as long as the socket's mode allows. */
static struct verdict wait_at_gate(const struct fds_handle *socket, struct outgoing_connect *call, enum outgoing_wait waits)
{
	call->remote = socket->note.actual;
	call->waits = waits;
	return verdict_libc();
}

struct verdict outgoing_connect(struct fds_handle *socket, struct outgoing_connect *call)
{
	struct fds_note *note = &socket->note;
	bool blocks = false;
	int status;

	if (note->state == FDS_CONNECTING && note->flags & OUTGOING_TOLD)
		return verdict_result(end_attempt(socket));
	if (note->state == FDS_CONNECTING)
		return wait_at_gate(socket, call, OUTGOING_WAITS_ON);
	if (note->state == FDS_CONNECTED && !(note->flags & OUTGOING_LOOPED)) {
		call->remote = note->actual;
		return verdict_libc();
	}
	status = connect_stream(socket, &call->remote, &blocks);
	if (status == DIAL_CONNECTED)
		return verdict_result(0);
	if (status == -EINPROGRESS && blocks)
		return wait_at_gate(socket, call, OUTGOING_WAITS);
	return status < 0 ? verdict_result(status) : verdict_libc();
}

struct verdict outgoing_waited(struct fds_handle *socket, const struct outgoing_connect *call, int native)
{
	int status = native;

	if (native != -EINTR && native != -EALREADY && native != -EINPROGRESS && !sys_is_connecting(socket->fd)) {
		status = settle(socket, native);
		if (socket->note.flags & OUTGOING_TOLD)
			fds_forget(socket);
	}
	/* SO_SNDTIMEO; to the kernel it is a second connect, to the app the first (socket(7)). */
	if (status == -EALREADY && call->waits == OUTGOING_WAITS)
		status = -EINPROGRESS;
	return verdict_result(status);
}

int outgoing_error(struct fds_handle *socket, int native)
{
	int status;

	if (socket->note.state != FDS_CONNECTING || sys_is_connecting(socket->fd))
		return native;
	status = settle(socket, -native);
	return status < 0 ? -status : 0;
}

bool outgoing_identify(struct fds_handle *socket, const union name *own, const union name *peer)
{
	struct wire_connection ask = { .local = address_to_wire(own), .peer = address_to_wire(peer) };
	struct fds_note *note = &socket->note;
	struct wire_connection_reply reply;
	sa_family_t family = peer->any.sa_family;

	if (ask_floor(LINK_OUTGOING) <= 0 ||
	    ask_now(ASK(connection, &ask, &reply)) < 0 || !reply.known)
		return false;
	*note = (struct fds_note){
		.state = FDS_CONNECTED, .actual = *peer, .connection = reply.connection,
		.flags = incoming_is_stream(socket->fd) ? 0 : OUTGOING_DATAGRAM,
	};
	if (!address_from_wire(&note->peer, &reply.peer, family) || !address_from_wire(&note->local, &reply.local, family))
		return false;
	fds_renew(socket);
	return true;
}

bool outgoing_name(struct fds_handle *socket, bool of_peer, union name *name)
{
	struct fds_note *note = &socket->note;
	union name own, peer;
	socklen_t length = sizeof(peer);

	if (sys_getpeername(socket->fd, &peer.any, &length) < 0)
		return false;
	if (note->state == FDS_CONNECTING && (sys_is_connecting(socket->fd) || settle(socket, 0) < 0))
		return false;
	if (!of_peer && (note->flags & OUTGOING_LOOPED) && note->local.any.sa_family == AF_UNSPEC)
		return false;
	/* The target's own address of a UDP socket is asked for when it is needed. */
	if (!of_peer && note->local.any.sa_family == AF_UNSPEC &&
	    (!incoming_own_address(socket->fd, &own) || !outgoing_identify(socket, &own, &peer)))
		return false;
	*name = of_peer ? note->peer : note->local;
	return name->any.sa_family != AF_UNSPEC;
}
