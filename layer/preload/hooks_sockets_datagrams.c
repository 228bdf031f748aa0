/*
 * The edges of the calls that send and receive messages, with an address or without: ops/sockets/datagrams.c
 * decides where a datagram goes and which sender one has, ops/sockets/interfaces_linux.c answers questions to
 * rtnetlink(7). The calls themselves, which may block, are libc's own, made without the guard.
 */
#include <string.h>

#include "../hooks.h"
#include "../ops/files/files.h"
#include "../ops/sockets/datagrams.h"
#include "../ops/sockets/interfaces.h"
#include "../sys/sys.h"
#include "edge_file.h"
#include "hooks_sockets_outgoing.h"
#include "../writable.h"

#define FASTOPEN 0x20000000 /* MSG_FASTOPEN */

static struct verdict find_way(int fd, union name *way)
{
	struct fds_handle socket;

	fds_find(fd, &socket);
	return datagrams_redirect(&socket, way);
}

/* The address to which the app sends becomes where to send it, in `way`. False: the call fails with errno. */
static bool redirected(int fd, const struct sockaddr **address, socklen_t *length, union name *way)
{
	if (!address_read(way, *address, *length))
		return true;
	if (EDGE(find_way(fd, way), 0) < 0)
		return false;
	*address = &way->any;
	*length = address_size(way);
	return true;
}

/* A value: the sender that the app sees is written. */
static struct verdict sender_found(int fd, struct sockaddr_storage *found, socklen_t got, struct sockaddr *address,
				   socklen_t *length)
{
	struct fds_handle socket;
	union name from;

	if (!fds_find(fd, &socket))
		return verdict_libc();
	if (interfaces_sender(&socket, address, length))
		return verdict_result(0);
	if (!address_read(&from, (struct sockaddr *)found, got))
		return verdict_libc();
	datagrams_name_sender(&socket, &from);
	address_write(&from, address, length);
	return verdict_result(0);
}

/* A call of the app wrote the sender's `got` bytes of `found`; it wants them in `address`. */
static void tell_sender(int fd, struct sockaddr_storage *found, socklen_t got, struct sockaddr *address,
			socklen_t *length)
{
	if (EDGE(sender_found(fd, found, got, address, length), -1) == 0)
		return;
	/* As it came. */
	memcpy(address, found, *length < got ? *length : got);
	*length = got;
}

static struct verdict question_found(int fd, const void *bytes, size_t count)
{
	struct fds_handle socket;

	fds_find(fd, &socket);
	return interfaces_sent(&socket, bytes, count);
}

/* libc's turn, which is never what a call that sends comes to. */
#define NOT_ASKED -2L

/* The app sends `bytes`. True: they were a question to rtnetlink(7), and *sent is what the call returns. */
static bool asked_netlink(int fd, const void *bytes, size_t count, ssize_t *sent)
{
	if (!interfaces_seem_asked(bytes, count))
		return false;
	*sent = EDGE(question_found(fd, bytes, count), NOT_ASKED);
	return *sent != NOT_ASKED;
}

/* tcp(7), MSG_FASTOPEN: connect and send in one; the target's connect comes first. */
static bool opens_fast(int fd, int flags)
{
	return (flags & FASTOPEN) && sys_socket_option(fd, SO_TYPE) == SOCK_STREAM;
}

/* How iproute2 asks. */
ssize_t layer_send(int fd, const void *bytes, size_t count, int flags)
{
	ssize_t sent;

	if (edge_no_socket(fd))
		return -1;
	return asked_netlink(fd, bytes, count, &sent) ? sent : outgoing_told(fd, next_send(fd, bytes, count, flags));
}

ssize_t layer_sendto(int fd, const void *bytes, size_t count, int flags, const struct sockaddr *address,
		     socklen_t length)
{
	union name way;
	ssize_t sent;

	if (edge_no_socket(fd))
		return -1;
	if (asked_netlink(fd, bytes, count, &sent))
		return sent;
	if (address && opens_fast(fd, flags)) {
		if (layer_connect(fd, address, length) < 0)
			return -1;
		return outgoing_told(fd, next_sendto(fd, bytes, count, flags & ~FASTOPEN, NULL, 0));
	}
	if (address && !redirected(fd, &address, &length, &way))
		return -1;
	return outgoing_told(fd, next_sendto(fd, bytes, count, flags, address, length));
}

ssize_t layer_sendmsg(int fd, const struct msghdr *message, int flags)
{
	const struct sockaddr *address;
	struct msghdr ours;
	union name way;
	ssize_t sent;

	if (edge_no_socket(fd))
		return -1;
	if (message && message->msg_iovlen == 1 &&
	    asked_netlink(fd, message->msg_iov->iov_base, message->msg_iov->iov_len, &sent))
		return sent;
	if (!message || !message->msg_name)
		return outgoing_told(fd, next_sendmsg(fd, message, flags));
	ours = *message;
	if (opens_fast(fd, flags)) {
		if (layer_connect(fd, message->msg_name, message->msg_namelen) < 0)
			return -1;
		ours.msg_name = NULL;
		ours.msg_namelen = 0;
		return next_sendmsg(fd, &ours, flags & ~FASTOPEN);
	}
	address = message->msg_name;
	if (!redirected(fd, &address, &ours.msg_namelen, &way))
		return -1;
	ours.msg_name = writable(address);
	return outgoing_told(fd, next_sendmsg(fd, &ours, flags));
}

#ifdef __linux__
int layer_sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
	unsigned int sent = 0;
	ssize_t got;
	bool named = false;

	if (edge_no_socket(fd))
		return -1;
	for (unsigned int i = 0; messages && i < count && !named; i++)
		named = messages[i].msg_hdr.msg_name != NULL;
	if (!named)
		return (int)outgoing_told(fd, next_sendmmsg(fd, messages, count, flags));
	/* As sendmmsg(2): an error counts only when nothing was sent. */
	for (; sent < count; sent++) {
		got = layer_sendmsg(fd, &messages[sent].msg_hdr, flags);
		if (got < 0)
			return sent > 0 ? (int)sent : -1;
		messages[sent].msg_len = (unsigned int)got;
	}
	return (int)sent;
}
#endif

/*
 * libc's call gets the layer's buffer for the sender where the app wants it and the descriptor may be in the
 * registry. An address without a length is left to the kernel to refuse.
 */
ssize_t layer_recvfrom(int fd, void *bytes, size_t count, int flags, struct sockaddr *address, socklen_t *length)
{
	struct sockaddr_storage found;
	socklen_t got = sizeof(found);
	ssize_t received;

	if (edge_no_socket(fd))
		return -1;
	if (!address || !length || (int)*length < 0 || !fds_has(fd))
		return outgoing_told(fd, next_recvfrom(fd, bytes, count, flags, address, length));
	received = next_recvfrom(fd, bytes, count, flags, (struct sockaddr *)&found, &got);
	if (received >= 0)
		tell_sender(fd, &found, got, address, length);
	return outgoing_told(fd, received);
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
	if (edge_no_socket(fd))
		return -1;
	socklen_t room = message ? message->msg_namelen : 0;
	ssize_t received = next_recvmsg(fd, message, flags);

	if (received >= 0 && message->msg_name && fds_has(fd))
		rename_sender(fd, message, room);
	return outgoing_told(fd, received);
}

#ifdef __linux__
int layer_recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout)
{
	int received = next_recvmmsg(fd, messages, count, flags, timeout);

	if (edge_no_socket(fd))
		return -1;
	/* The remote address is of the family, and so of the size, that the kernel wrote. */
	for (int i = 0; i < received && fds_has(fd); i++)
		rename_sender(fd, &messages[i].msg_hdr, messages[i].msg_hdr.msg_namelen);
	return (int)outgoing_told(fd, received);
}
#endif
