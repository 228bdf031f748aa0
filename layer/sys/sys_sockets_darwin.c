/*
 * sys.h and sys_sockets.h on Darwin: sockets. An object is known by what proc_pidfdinfo(3) tells of it
 * (sys/proc_info.h): a socket of IP by the count of its protocol's control block, which is never used twice;
 * another by its place in the kernel, which no other has while it is open.
 */
#include <fcntl.h>
#include <libproc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "calls_darwin.h"
#include "sys.h"
#include "sys_sockets.h"

/* A new socket, close-on-exec; a write to it raises no SIGPIPE. */
static int make_socket(int family, int type)
{
	int fd = (int)CALL(socket(family, type, 0)), one = 1;

	if (fd < 0)
		return fd;
	CALL(call_fcntl(fd, F_SETFD, FD_CLOEXEC));
	CALL(setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof(one)));
	return fd;
}

int sys_connect_unix(const char *path)
{
	struct sockaddr_un address = { .sun_len = sizeof(address), .sun_family = AF_UNIX };
	size_t length = strlen(path);
	int fd, status;

	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, length + 1);
	fd = make_socket(AF_UNIX, SOCK_STREAM);
	if (fd < 0)
		return fd;
	do {
		status = (int)CALL(call_connect(fd, (struct sockaddr *)&address, sizeof(address)));
	} while (status == -EINTR);
	if (status == 0)
		status = sys_dup_high(fd);
	sys_close(fd);
	return status;
}

int sys_send_all(int fd, const void *bytes, size_t length)
{
	const char *at = bytes;
	long sent;

	while (length > 0) {
		sent = CALL(call_sendto(fd, at, length, 0, NULL, 0));
		if (sent == -EINTR)
			continue;
		if (sent < 0)
			return (int)sent;
		at += sent;
		length -= (size_t)sent;
	}
	return 0;
}

int sys_receive_all(int fd, void *bytes, size_t length)
{
	char *at = bytes;
	long got;

	while (length > 0) {
		got = CALL(call_recvfrom(fd, at, length, MSG_WAITALL, NULL, NULL));
		if (got == -EINTR)
			continue;
		if (got <= 0)
			return got == 0 ? -EPIPE : (int)got;
		at += got;
		length -= (size_t)got;
	}
	return 0;
}

/* As on Linux: a blocking receive is the one wait that the kernel restarts as the app's handlers ask for. */
int sys_await_bytes(int fd, int timeout, const struct sys_signals *let_in)
{
	struct sys_signals blocked;
	struct pollfd one = { .fd = fd, .events = POLLIN };
	char byte;
	long status;

	if (let_in)
		sys_restore_signals(let_in);
	if (timeout < 0)
		status = CALL(call_recvfrom(fd, &byte, 1, MSG_PEEK, NULL, NULL));
	else
		status = CALL(call_poll(&one, 1, timeout));
	if (let_in)
		sys_block_signals(&blocked);
	if (timeout < 0)
		return status == -EINTR ? -EINTR : 1;
	return status == 0 || status == -EINTR ? (int)status : 1;
}

int sys_getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
	return (int)CALL(getsockname(fd, address, length));
}

int sys_getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
	return (int)CALL(getpeername(fd, address, length));
}

int sys_option(int fd, int level, int option)
{
	int value = 0, status;
	socklen_t length = sizeof(value);

	status = (int)CALL(getsockopt(fd, level, option, &value, &length));
	return status < 0 ? status : value;
}

int sys_socket_option(int fd, int option)
{
	return sys_option(fd, SOL_SOCKET, option);
}

int sys_set_option(int fd, int level, int option, int value)
{
	return (int)CALL(setsockopt(fd, level, option, &value, sizeof(value)));
}

/* LOCAL_PEERPID (unix(4)) */
pid_t sys_peer_process(int fd)
{
	int process = sys_option(fd, SOL_LOCAL, LOCAL_PEERPID);

	return process < 0 ? 0 : process;
}

/* Was `fd` a socket? */
static bool socket_identity(int fd, struct sys_identity *identity)
{
	struct socket_fdinfo found;
	const struct socket_info *socket = &found.psi;

	memset(&found, 0, sizeof(found));
	if (CALL(proc_pidfdinfo(getpid(), fd, PROC_PIDFDSOCKETINFO, &found, sizeof(found))) < (long)sizeof(found))
		return false;
	identity->device = 0;
	identity->number = socket->soi_so;
	if (socket->soi_kind == SOCKINFO_TCP)
		identity->number = socket->soi_proto.pri_tcp.tcpsi_ini.insi_gencnt;
	else if (socket->soi_kind == SOCKINFO_IN)
		identity->number = socket->soi_proto.pri_in.insi_gencnt;
	return true;
}

static int inode_identity(int fd, struct sys_identity *identity)
{
	struct stat status;
	int result = (int)CALL(fstat(fd, &status));

	if (result < 0)
		return result;
	identity->device = (uint32_t)status.st_dev;
	identity->number = status.st_ino;
	return 0;
}

int sys_identity(int fd, struct sys_identity *identity)
{
	return socket_identity(fd, identity) ? 0 : inode_identity(fd, identity);
}

bool sys_is(int fd, const struct sys_identity *identity)
{
	struct sys_identity found;

	if (identity->device ? inode_identity(fd, &found) < 0 : !socket_identity(fd, &found))
		return false;
	return found.device == identity->device && found.number == identity->number;
}

bool sys_is_connecting(int fd)
{
	struct tcp_connection_info found = { 0 };
	socklen_t length = sizeof(found);

	return CALL(getsockopt(fd, IPPROTO_TCP, TCP_CONNECTION_INFO, &found, &length)) == 0 &&
	       (found.tcpi_state == TSI_S_SYN_SENT || found.tcpi_state == TSI_S_SYN_RECEIVED);
}

/* Stream sockets of IP are TCP's, or MPTCP's of a family of its own. */
bool sys_is_tcp(int fd)
{
	return sys_socket_option(fd, SO_TYPE) == SOCK_STREAM;
}

int sys_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)CALL(bind(fd, address, length));
}

int sys_listen(int fd, int backlog)
{
	return (int)CALL(listen(fd, backlog));
}

int sys_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)CALL(call_connect(fd, address, length));
}

/* disconnectx(2): all associations, all connections. */
int sys_dissolve(int fd)
{
	return (int)CALL(disconnectx(fd, SAE_ASSOCID_ANY, SAE_CONNID_ANY));
}

static const struct option {
	int level, name;
} options[] = {
	{ SOL_SOCKET, SO_REUSEADDR },	 { SOL_SOCKET, SO_REUSEPORT },	{ SOL_SOCKET, SO_KEEPALIVE },
	{ SOL_SOCKET, SO_NOSIGPIPE },	 { SOL_SOCKET, SO_RCVBUF },	{ SOL_SOCKET, SO_SNDBUF },
	{ IPPROTO_TCP, TCP_NODELAY },	 { IPPROTO_TCP, TCP_KEEPALIVE }, { IPPROTO_TCP, TCP_KEEPINTVL },
	{ IPPROTO_TCP, TCP_KEEPCNT },	 { IPPROTO_TCP, TCP_FASTOPEN }, { IPPROTO_IP, IP_TOS },
	{ IPPROTO_IPV6, IPV6_V6ONLY },
};

int sys_twin(int fd)
{
	struct sockaddr_storage own = { 0 };
	socklen_t length = sizeof(own);
	int status = sys_getsockname(fd, (struct sockaddr *)&own, &length), value, twin;

	twin = status < 0 ? status : make_socket(own.ss_family, sys_socket_option(fd, SO_TYPE));
	if (twin < 0)
		return twin;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		value = sys_option(fd, options[i].level, options[i].name);
		if (value >= 0 && value != sys_option(twin, options[i].level, options[i].name))
			sys_set_option(twin, options[i].level, options[i].name, value);
	}
	sys_set_nonblocking(twin, sys_nonblocking(fd) > 0);
	return twin;
}

int sys_take_place(int fd, int of)
{
	int flags = (int)CALL(call_fcntl(of, F_GETFD, 0));
	int status = flags < 0 ? flags : (int)CALL(dup2(fd, of));

	return status < 0 ? status : (int)CALL(call_fcntl(of, F_SETFD, flags));
}

int sys_pair(int ends[2])
{
	int status = (int)CALL(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));

	for (int i = 0; status == 0 && i < 2; i++)
		CALL(call_fcntl(ends[i], F_SETFD, FD_CLOEXEC));
	return status;
}

int sys_send_part(int fd, const void *bytes, size_t count)
{
	long sent = CALL(call_sendto(fd, bytes, count, MSG_DONTWAIT, NULL, 0));

	return sent < 0 ? (sent == -EAGAIN ? -ENOBUFS : (int)sent) : 0;
}

long sys_receive_part(int fd, void *bytes, size_t count)
{
	return CALL(call_recvfrom(fd, bytes, count, MSG_DONTWAIT, NULL, NULL));
}
