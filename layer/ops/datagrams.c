/*
 * UDP towards the target's network: connect, and the calls that name an address for one datagram. Called by preload/ and
 * by outgoing.c.
 *
 * For each pair of a socket of the app and a remote address the session has a loopback socket. The app's own socket sends
 * there instead, so that sizes, boundaries and blocking are the kernel's; what comes from there is given the remote
 * address. A table remembers the pairs of this process; the session knows those of others.
 * The invariant: a datagram whose destination the session calls remote never leaves this machine from here.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#include "../guard.h"
#include "../hooks.h"
#include "../sys.h"
#include "incoming.h"
#include "outgoing.h"

/* Pairs remembered; the one that was put longest ago goes first, and is asked about again. */
#define PAIRS 512
#define OUTGOING_FASTOPEN 0x20000000 /* MSG_FASTOPEN */

/* To `remote` from the socket of that identity: by way of `endpoint`, which is `remote` itself for what is local. */
struct pair {
	uint64_t socket;
	union name remote, endpoint;
	bool local;
};

/* Wiped in a fork child, whose session's answers are the same, and whose lock nobody holds. */
struct table {
	_Atomic(uint32_t) lock;
	uint32_t next;
	struct pair pairs[PAIRS];
};
static _Atomic(struct table *) made;

OUTGOING_UNPACK(associate_reply)
OUTGOING_UNPACK(sender_reply)

static socklen_t size_of(const union name *name)
{
	return name->any.sa_family == AF_INET ? sizeof(name->v4) : sizeof(name->v6);
}

static bool same_name(const union name *a, const union name *b)
{
	return a->any.sa_family == b->any.sa_family && address_port(a) == address_port(b) && address_same_host(a, b);
}

static struct table *the_table(void)
{
	struct table *ours = atomic_load(&made), *none = NULL;

	if (ours)
		return ours;
	ours = sys_map(sizeof(*ours), true);
	/* Of two threads that come first, the slower one leaves its empty mapping behind. */
	if (ours && !atomic_compare_exchange_strong(&made, &none, ours))
		ours = none;
	return ours;
}

enum by { BY_REMOTE, BY_ENDPOINT };

/* The remembered pair of `socket` with that remote address, or with that endpoint. */
static bool recall(uint64_t socket, enum by by, const union name *name, struct pair *found)
{
	struct table *here = the_table();
	bool known = false;

	if (!here)
		return false;
	sys_lock(&here->lock);
	for (unsigned int i = 0; i < PAIRS && !known; i++) {
		const struct pair *pair = &here->pairs[i];

		known = pair->socket == socket && same_name(by == BY_REMOTE ? &pair->remote : &pair->endpoint, name);
		if (known)
			*found = *pair;
	}
	sys_unlock(&here->lock);
	return known;
}

static void remember(const struct pair *pair)
{
	struct table *here = the_table();

	if (!here)
		return;
	sys_lock(&here->lock);
	here->pairs[here->next++ % PAIRS] = *pair;
	sys_unlock(&here->lock);
}

/* The socket's own address; it gets one, as its first datagram would give it (ip(7)). */
static int bound_address(int fd, union name *own)
{
	union name any = { 0 };

	if (!incoming_own_address(fd, own))
		return -EINVAL;
	if (address_port(own) != 0)
		return 0;
	any.any.sa_family = own->any.sa_family;
	if (next_bind(fd, &any.any, size_of(&any)) < 0 && errno != EINVAL)
		return -errno;
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
	status = OUTGOING_ASK(associate, ASSOCIATE, &ask, unpack_associate_reply, &reply);
	if (status < 0)
		return status;
	*connection = reply.connection;
	pair->local = !reply.remote;
	pair->remote = *remote;
	if (pair->local) {
		pair->endpoint = *remote;
		address_set_port(&pair->endpoint, reply.endpoint.port);
		return 0;
	}
	return address_from_wire(&pair->endpoint, &reply.endpoint, remote->any.sa_family) ? 0 : -EAFNOSUPPORT;
}

int datagrams_connect(int fd, union name *remote, bool *local)
{
	struct fds_note note = { .state = FDS_CONNECTED, .peer = *remote, .flags = OUTGOING_DATAGRAM };
	struct pair pair;
	int status = associate(fd, remote, &pair, &note.connection);

	if (status < 0)
		return status;
	*local = pair.local;
	if (pair.local) {
		outgoing_forget(fd);
		return 0;
	}
	if (next_connect(fd, &pair.endpoint.any, size_of(&pair.endpoint)) < 0)
		return -errno;
	note.actual = pair.endpoint;
	fds_put(fd, &note);
	return 0;
}

/* Where a datagram from `fd` to `remote` is to be sent. 0 or -errno. */
static int way_to(int fd, union name *remote)
{
	struct sys_identity identity;
	struct pair pair = { 0 };
	struct fds_note note;
	int status;

	if (fds_get(fd, &note) && note.state == FDS_CONNECTED && same_name(&note.peer, remote)) {
		*remote = note.actual;
		return 0;
	}
	if (sys_identity(fd, &identity) < 0)
		return 0;
	if (!recall(identity.number, BY_REMOTE, remote, &pair)) {
		status = associate(fd, remote, &pair, &note.connection);
		if (status < 0)
			return status;
		pair.socket = identity.number;
		remember(&pair);
		if (!pair.local && !fds_has(fd)) {
			note = (struct fds_note){ .state = FDS_DATAGRAM, .connection = note.connection };
			fds_put(fd, &note);
		}
	}
	*remote = pair.endpoint;
	return 0;
}

/*
 * The address that a call names, if it is a UDP socket's and of the target's network, becomes where to send it. 1: it
 * did, 0: the call is as it should be, -errno.
 */
static int redirect(int fd, const struct sockaddr *address, socklen_t length, union name *way)
{
	int saved, status = 0;

	if (!address_read(way, address, length) || address_port(way) == 0 ||
	    sys_socket_option(fd, SO_TYPE) != SOCK_DGRAM || !guard_enter(&saved))
		return 0;
	status = link_floor(LINK_OUTGOING);
	if (status > 0) {
		status = way_to(fd, way);
		if (status == 0)
			status = 1;
	}
	guard_leave(saved, 0);
	return status;
}

/* `fd` got a datagram from `from`, which becomes the remote address. */
static void name_sender(int fd, union name *from)
{
	struct wire_sender ask = { .endpoint = address_to_wire(from) };
	struct wire_sender_reply reply;
	struct sys_identity identity;
	struct pair pair;
	struct fds_note note;

	if (!fds_get(fd, &note) || !address_is_loopback(from))
		return;
	if (note.state == FDS_CONNECTED && same_name(&note.actual, from)) {
		*from = note.peer;
	} else if (note.state == FDS_DATAGRAM && sys_identity(fd, &identity) == 0) {
		if (recall(identity.number, BY_ENDPOINT, from, &pair)) {
			*from = pair.remote;
		} else if (OUTGOING_ASK(sender, SENDER, &ask, unpack_sender_reply, &reply) == 0 && reply.known) {
			address_from_wire(from, &reply.address, from->any.sa_family);
		}
	}
}

/* A call of the app wrote the sender's `got` bytes of `found`; it wants them in `address`. */
static void tell_sender(int fd, struct sockaddr_storage *found, socklen_t got, struct sockaddr *address,
			socklen_t *length)
{
	union name from;
	int saved;

	if (!address_read(&from, (struct sockaddr *)found, got)) {
		memcpy(address, found, *length < got ? *length : got);
		*length = got;
		return;
	}
	if (guard_enter(&saved)) {
		name_sender(fd, &from);
		guard_leave(saved, 0);
	}
	address_write(&from, address, length);
}

static int refuse(int status)
{
	errno = -status;
	return -1;
}

/* tcp(7), MSG_FASTOPEN: connect and send in one; the target's connect comes first. */
static bool opens_fast(int fd, int flags)
{
	return (flags & OUTGOING_FASTOPEN) && sys_socket_option(fd, SO_TYPE) == SOCK_STREAM;
}

ssize_t layer_sendto(int fd, const void *bytes, size_t count, int flags, const struct sockaddr *address,
		     socklen_t length)
{
	union name way;
	int status;

	if (address && opens_fast(fd, flags)) {
		if (layer_connect(fd, address, length) < 0)
			return -1;
		return next_sendto(fd, bytes, count, flags & ~OUTGOING_FASTOPEN, NULL, 0);
	}
	status = address ? redirect(fd, address, length, &way) : 0;
	if (status < 0)
		return refuse(status);
	if (status == 0)
		return next_sendto(fd, bytes, count, flags, address, length);
	return next_sendto(fd, bytes, count, flags, &way.any, size_of(&way));
}

ssize_t layer_sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct msghdr ours;
	union name way;
	int status;

	if (!message || !message->msg_name)
		return next_sendmsg(fd, message, flags);
	ours = *message;
	if (opens_fast(fd, flags)) {
		if (layer_connect(fd, message->msg_name, message->msg_namelen) < 0)
			return -1;
		ours.msg_name = NULL;
		ours.msg_namelen = 0;
		return next_sendmsg(fd, &ours, flags & ~OUTGOING_FASTOPEN);
	}
	status = redirect(fd, message->msg_name, message->msg_namelen, &way);
	if (status < 0)
		return refuse(status);
	if (status == 0)
		return next_sendmsg(fd, message, flags);
	ours.msg_name = &way;
	ours.msg_namelen = size_of(&way);
	return next_sendmsg(fd, &ours, flags);
}

int layer_sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
	unsigned int sent = 0;
	ssize_t got;
	bool named = false;

	for (unsigned int i = 0; messages && i < count && !named; i++)
		named = messages[i].msg_hdr.msg_name != NULL;
	if (!named)
		return next_sendmmsg(fd, messages, count, flags);
	/* As sendmmsg(2): an error counts only when nothing was sent. */
	for (; sent < count; sent++) {
		got = layer_sendmsg(fd, &messages[sent].msg_hdr, flags);
		if (got < 0)
			return sent > 0 ? (int)sent : -1;
		messages[sent].msg_len = (unsigned int)got;
	}
	return (int)sent;
}

/*
 * libc's call gets a buffer of ours for the sender where the app wants it and the descriptor may be ours. An address
 * without a length is left to the kernel to refuse.
 */
#define RECEIVE(call, ...) \
	struct sockaddr_storage found; \
	socklen_t got = sizeof(found); \
	ssize_t received; \
	if (!address || !length || (int)*length < 0 || !fds_has(fd)) \
		return call(__VA_ARGS__, address, length); \
	received = call(__VA_ARGS__, (struct sockaddr *)&found, &got); \
	if (received >= 0) \
		tell_sender(fd, &found, got, address, length); \
	return received

ssize_t layer_recvfrom(int fd, void *bytes, size_t count, int flags, struct sockaddr *address, socklen_t *length)
{
	RECEIVE(next_recvfrom, fd, bytes, count, flags);
}

ssize_t layer___recvfrom_chk(int fd, void *bytes, size_t count, size_t room, int flags, struct sockaddr *address,
			     socklen_t *length)
{
	RECEIVE(next___recvfrom_chk, fd, bytes, count, room, flags);
}

/* The kernel wrote the sender into `message`, whose name had room for `room` bytes. */
static void rename_sender(int fd, struct msghdr *message, socklen_t room)
{
	struct sockaddr_storage found;
	socklen_t got = message->msg_namelen;

	if (!message->msg_name || got > room || got > sizeof(found))
		return;
	memcpy(&found, message->msg_name, got);
	message->msg_namelen = room;
	tell_sender(fd, &found, got, message->msg_name, &message->msg_namelen);
}

ssize_t layer_recvmsg(int fd, struct msghdr *message, int flags)
{
	socklen_t room = message ? message->msg_namelen : 0;
	ssize_t received = next_recvmsg(fd, message, flags);

	if (received >= 0 && message->msg_name && fds_has(fd))
		rename_sender(fd, message, room);
	return received;
}

int layer_recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout)
{
	int received = next_recvmmsg(fd, messages, count, flags, timeout);

	/* The remote address is of the family, and so of the size, that the kernel wrote. */
	for (int i = 0; i < received && fds_has(fd); i++)
		rename_sender(fd, &messages[i].msg_hdr, messages[i].msg_hdr.msg_namelen);
	return received;
}
