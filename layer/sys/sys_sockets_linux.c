/*
 * sys_sockets.h on Linux: what operations do to the app's sockets, and a second socket like the first, for a
 * listener that cannot be where it was bound (ops/sockets/bind.c): it copies the options that a listening
 * socket hands on to the connections that it accepts, and those that decide where it may be bound.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "sys.h"
#include "sys_sockets.h"
#include "raw.h"

int sys_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)RAW(SYS_bind, fd, address, length);
}

int sys_listen(int fd, int backlog)
{
	return (int)RAW(SYS_listen, fd, backlog);
}

int sys_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)RAW(SYS_connect, fd, address, length);
}

/* The most that one of them takes: struct timeval, struct linger, an int. */
#define VALUE_BYTES 16

static const struct option {
	int level, name;
} options[] = {
	{ SOL_SOCKET, SO_REUSEADDR },
	{ SOL_SOCKET, SO_REUSEPORT },
	{ SOL_SOCKET, SO_KEEPALIVE },
	{ SOL_SOCKET, SO_LINGER },
	{ SOL_SOCKET, SO_RCVTIMEO },
	{ SOL_SOCKET, SO_SNDTIMEO },
	{ SOL_SOCKET, SO_RCVBUF },
	{ SOL_SOCKET, SO_SNDBUF },
	{ IPPROTO_TCP, TCP_NODELAY },
	{ IPPROTO_TCP, TCP_DEFER_ACCEPT },
	{ IPPROTO_TCP, TCP_KEEPIDLE },
	{ IPPROTO_TCP, TCP_KEEPINTVL },
	{ IPPROTO_TCP, TCP_KEEPCNT },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT },
	{ IPPROTO_TCP, TCP_FASTOPEN },
	{ IPPROTO_IP, IP_TOS },
	{ IPPROTO_IPV6, IPV6_V6ONLY },
};

union value {
	int number;
	char bytes[VALUE_BYTES];
};

/* The length, 0 where there is no such option. */
static socklen_t read_option(int fd, const struct option *option, union value *value)
{
	socklen_t length = sizeof(*value);

	*value = (union value){ .bytes = { 0 } };
	return RAW(SYS_getsockopt, fd, option->level, option->name, value, &length) < 0 ? 0 : length;
}

/* What was never set stays so: a buffer's size that is set is no longer the kernel's to choose (tcp(7)). */
static void copy(int from, int to, const struct option *option)
{
	union value value, own;
	socklen_t length = read_option(from, option, &value);

	if (length == 0 || (read_option(to, option, &own) == length && memcmp(&value, &own, length) == 0))
		return;
	/* The kernel doubles what it is given (socket(7)). */
	if (option->level == SOL_SOCKET && (option->name == SO_RCVBUF || option->name == SO_SNDBUF))
		value.number /= 2;
	(void)RAW(SYS_setsockopt, to, option->level, option->name, &value, length);
}

int sys_twin(int fd)
{
	int family = sys_socket_option(fd, SO_DOMAIN), type = sys_socket_option(fd, SO_TYPE);
	int protocol = sys_socket_option(fd, SO_PROTOCOL);
	int twin = family < 0 || type < 0 || protocol < 0 ? -EBADF : (int)RAW(SYS_socket, family, type | SOCK_CLOEXEC, protocol);

	if (twin < 0)
		return twin;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		copy(fd, twin, &options[i]);
	sys_set_nonblocking(twin, sys_nonblocking(fd) > 0);
	return twin;
}

int sys_take_place(int fd, int of)
{
	int flags = (int)RAW(SYS_fcntl, of, F_GETFD, 0);
	int status = flags < 0 ? flags : (int)RAW(SYS_dup3, fd, of, flags & FD_CLOEXEC ? O_CLOEXEC : 0);

	return status < 0 ? status : 0;
}

int sys_pair(int ends[2])
{
	return (int)RAW(SYS_socketpair, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends);
}

int sys_send_part(int fd, const void *bytes, size_t count)
{
	long sent = RAW(SYS_sendto, fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0);

	return sent < 0 ? (sent == -EAGAIN ? -ENOBUFS : (int)sent) : 0;
}

long sys_receive_part(int fd, void *bytes, size_t count)
{
	return RAW(SYS_recvfrom, fd, bytes, count, MSG_DONTWAIT, NULL, NULL);
}

bool sys_is_connecting(int fd)
{
	int state = sys_option(fd, IPPROTO_TCP, TCP_INFO) & 0xff;

	return state == TCP_SYN_SENT || state == TCP_SYN_RECV;
}

bool sys_is_tcp(int fd)
{
	return sys_socket_option(fd, SO_PROTOCOL) == IPPROTO_TCP;
}
