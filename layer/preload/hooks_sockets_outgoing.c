/*
 * The edges of connect, of SO_ERROR, and of the calls that send or receive on connected sockets: the
 * operations are in ops/sockets/outgoing.c. connect is libc's own and made without the guard: it is a
 * cancellation point, and signal handlers that interrupt it are hooked as ever.
 */
#include "../hooks.h"
#include "../ops/files/files.h"
#include "../ops/processes/handed.h"
#include "../ops/sockets/connect.h"
#include "edge_file.h"
#include "hooks_sockets_outgoing.h"

static int fail(int error)
{
	errno = error;
	return -1;
}

static struct verdict begin(int fd, struct fds_handle *socket, struct outgoing_connect *call)
{
	fds_find(fd, socket);
	return socket_connect(socket, call);
}

/* connect(2) to an address of IP, which `call` has. */
static int connect_to(int fd, const struct sockaddr *address, socklen_t length, struct outgoing_connect *call)
{
	struct fds_handle socket;
	int saved, native;
	long value;

	if (!guard_enter(&saved))
		return next_connect(fd, address, length);
	if (guard_decided(saved, begin(fd, &socket, call), &value))
		return (int)value;
	native = next_connect(fd, &call->remote.any, address_size(&call->remote));
	if (call->waits == OUTGOING_PASSES)
		return native;
	return EDGE(outgoing_waited(&socket, call, native < 0 ? -errno : 0), fail(EIO));
}

static struct verdict dissolved(int fd)
{
	struct fds_handle socket;

	if (fds_find(fd, &socket))
		outgoing_forget(&socket);
	return verdict_result(0);
}

int layer_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	struct outgoing_connect call = { .waits = OUTGOING_PASSES };
	int result, saved;

	if (edge_no_socket(fd))
		return -1;
	if (address_read(&call.remote, address, length))
		return connect_to(fd, address, length, &call);
	result = next_connect(fd, address, length);
	if (result != 0)
		return result;
	/* Only now: whether the socket still waits is asked of the kernel. */
	if (address && length >= sizeof(address->sa_family) && address->sa_family == AF_UNSPEC && fds_has(fd))
		return EDGE(dissolved(fd), 0);
	if (handed_concerns(address, length) && guard_enter(&saved)) {
		handed_met(fd, address, length);
		guard_leave(saved, 0);
	}
	return 0;
}

static struct verdict pending_error(int fd, int *error)
{
	struct fds_handle socket;

	if (fds_find(fd, &socket))
		*error = outgoing_error(&socket, *error);
	return verdict_result(0);
}

int layer_getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
	int result = edge_no_socket(fd) ? -1 : next_getsockopt(fd, level, option, value, length);

	if (level != SOL_SOCKET || option != SO_ERROR || result < 0 || !fds_has(fd) || *length != sizeof(int))
		return result;
	return EDGE(pending_error(fd, value), result);
}

static struct verdict failure(int fd)
{
	struct fds_handle socket;

	fds_find(fd, &socket);
	return verdict_result(-outgoing_error(&socket, ECONNRESET));
}

long outgoing_failed(int fd)
{
	return EDGE(failure(fd), -1L);
}

ssize_t layer_recv(int fd, void *bytes, size_t count, int flags)
{
	return edge_no_socket(fd) ? -1 : outgoing_told(fd, next_recv(fd, bytes, count, flags));
}
