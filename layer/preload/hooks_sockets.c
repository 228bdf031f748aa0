/*
 * The edges of bind, listen, accept, getsockname and getpeername: the guard, one look at the registry, the
 * operation (ops/sockets/), and what the app sees of its verdict. A call that may block is libc's own, made
 * without the guard: it is a cancellation point, and signal handlers that interrupt it are hooked as ever.
 */
#include <string.h>

#include "../hooks.h"
#include "../ops/files/files.h"
#include "../ops/sockets/bind.h"
#include "../ops/sockets/incoming.h"
#include "../ops/sockets/interfaces.h"
#include "../ops/sockets/socket_names.h"
#include "../sys/sys.h"
#include "edge_file.h"

static struct verdict bind_found(int fd, const union name *asked)
{
	struct fds_handle socket;

	fds_find(fd, &socket);
	return incoming_bind(&socket, asked);
}

int layer_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	union name asked;

	if (edge_no_socket(fd))
		return -1;
	if (!address_read(&asked, address, length))
		return next_bind(fd, address, length);
	return EDGE(bind_found(fd, &asked), next_bind(fd, address, length));
}

static struct verdict listen_found(int fd, int backlog)
{
	struct fds_handle socket;

	fds_find(fd, &socket);
	return incoming_listen(&socket, backlog);
}

int layer_listen(int fd, int backlog)
{
	return edge_no_socket(fd) ? -1 : EDGE(listen_found(fd, backlog), next_listen(fd, backlog));
}

static struct verdict accepted_found(int listener, int fd, union name *peer)
{
	struct fds_handle socket;
	struct verdict verdict;

	fds_find(listener, &socket);
	verdict = incoming_accepted(&socket, fd, peer);
	if (verdict.kind == VERDICT_ERROR)
		sys_close(fd);
	return verdict;
}

/* After libc's accept gave `fd`, whose peer it wrote to the `got` bytes of `found`. */
static int accepted(int listener, int fd, struct sockaddr_storage *found, socklen_t got, struct sockaddr *address,
		    socklen_t *length)
{
	union name peer;
	int result;

	if (!address_read(&peer, (struct sockaddr *)found, got)) {
		/* Not TCP: as it came. */
		if (address && length) {
			memcpy(address, found, *length < got ? *length : got);
			*length = got;
		}
		return fd;
	}
	result = EDGE(accepted_found(listener, fd, &peer), fd);
	if (result >= 0)
		address_write(&peer, address, length);
	return result;
}

/*
 * libc's call gets the layer's buffer, because the peer is needed whether the app asks for it or not. An
 * address without a length, or a negative one, is left to the kernel to refuse.
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
	if (edge_no_socket(fd))
		return -1;
	ACCEPT(next_accept);
}

#ifdef __linux__
int layer_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
	if (edge_no_socket(fd))
		return -1;
	ACCEPT(next_accept4, flags);
}
#endif

/* A value: the name that the app sees is another than the kernel's, and is written. */
static struct verdict name_found(int fd, bool of_peer, struct sockaddr *address, socklen_t *length)
{
	struct fds_handle socket;
	struct verdict verdict;
	union name name;

	if (!address || !length || (int)*length < 0)
		return verdict_libc();
	fds_find(fd, &socket);
	if (!of_peer && interfaces_own_name(&socket, address, length))
		return verdict_result(0);
	verdict = socket_name(&socket, of_peer, &name);
	if (verdict.kind == VERDICT_VALUE)
		address_write(&name, address, length);
	return verdict;
}

int layer_getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
	if (edge_no_socket(fd))
		return -1;
	return EDGE(name_found(fd, false, address, length), next_getsockname(fd, address, length));
}

int layer_getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
	if (edge_no_socket(fd))
		return -1;
	return EDGE(name_found(fd, true, address, length), next_getpeername(fd, address, length));
}
