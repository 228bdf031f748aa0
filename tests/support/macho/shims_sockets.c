/* Shims of sockets: families, levels, options, messages, and what the kernel tells of a socket. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "addresses.h"
#include "shims.h"

static int shim_socket(int family, int type, int protocol)
{
	return socket(native_family(family), type, protocol);
}

static int shim_connect(int fd, const void *address, socklen_t length)
{
	union address native;

	return connect(fd, native_address(address, length, &native), length);
}

static int shim_bind(int fd, const void *address, socklen_t length)
{
	union address native;

	return bind(fd, native_address(address, length, &native), length);
}

static int shim_accept(int fd, void *address, socklen_t *length)
{
	union address native;
	socklen_t size = sizeof(native);
	int result = accept(fd, &native.any, &size);

	if (result >= 0)
		give_address(&native, size, address, length);
	return result;
}

static int shim_getsockname(int fd, void *address, socklen_t *length)
{
	union address native;
	socklen_t size = sizeof(native);
	int result = getsockname(fd, &native.any, &size);

	if (result == 0)
		give_address(&native, size, address, length);
	return result;
}

static int shim_getpeername(int fd, void *address, socklen_t *length)
{
	union address native;
	socklen_t size = sizeof(native);
	int result = getpeername(fd, &native.any, &size);

	if (result == 0)
		give_address(&native, size, address, length);
	return result;
}

/* MSG_* */
static int native_flags(int flags)
{
	return (flags & 0x1 ? MSG_OOB : 0) | (flags & 0x2 ? MSG_PEEK : 0) | (flags & 0x40 ? MSG_WAITALL : 0) |
	       (flags & 0x80 ? MSG_DONTWAIT : 0) | (flags & 0x20 ? MSG_CTRUNC : 0);
}

static ssize_t shim_sendto(int fd, const void *bytes, size_t count, int flags, const void *address, socklen_t length)
{
	union address native;

	return sendto(fd, bytes, count, native_flags(flags) | MSG_NOSIGNAL, native_address(address, length, &native), length);
}

static ssize_t shim_send(int fd, const void *bytes, size_t count, int flags)
{
	return send(fd, bytes, count, native_flags(flags) | MSG_NOSIGNAL);
}

static ssize_t shim_recv(int fd, void *bytes, size_t count, int flags)
{
	return recv(fd, bytes, count, native_flags(flags));
}

static ssize_t shim_recvfrom(int fd, void *bytes, size_t count, int flags, void *address, socklen_t *length)
{
	union address native;
	socklen_t size = sizeof(native);
	ssize_t result = recvfrom(fd, bytes, count, native_flags(flags), &native.any, &size);

	if (result >= 0 && address && length)
		give_address(&native, size, address, length);
	return result;
}

struct darwin_msghdr {
	void *name;
	socklen_t name_length;
	struct iovec *parts;
	int part_count;
	void *control;
	socklen_t control_length;
	int flags;
};

static struct msghdr native_message(const struct darwin_msghdr *from, union address *name)
{
	return (struct msghdr){
		.msg_name = from->name ? (void *)native_address(from->name, from->name_length, name) : NULL,
		.msg_namelen = from->name_length,
		.msg_iov = from->parts,
		.msg_iovlen = (size_t)from->part_count,
	};
}

static ssize_t shim_sendmsg(int fd, const struct darwin_msghdr *message, int flags)
{
	union address name;
	struct msghdr native = native_message(message, &name);

	return sendmsg(fd, &native, native_flags(flags) | MSG_NOSIGNAL);
}

static ssize_t shim_recvmsg(int fd, struct darwin_msghdr *message, int flags)
{
	union address name;
	struct msghdr native = native_message(message, &name);
	ssize_t result;

	native.msg_name = &name;
	native.msg_namelen = sizeof(name);
	result = recvmsg(fd, &native, native_flags(flags));
	if (result >= 0 && message->name)
		give_address(&name, native.msg_namelen, message->name, &message->name_length);
	message->control_length = 0;
	message->flags = 0;
	return result;
}

/* Level and name of Darwin's option, and Linux's; -1: taken as set, for Linux has none such. */
static const struct {
	int level, name, native_level, native_name;
} options[] = {
	{ 0xffff, 0x0004, SOL_SOCKET, SO_REUSEADDR }, { 0xffff, 0x0008, SOL_SOCKET, SO_KEEPALIVE },
	{ 0xffff, 0x0200, SOL_SOCKET, SO_REUSEPORT }, { 0xffff, 0x1001, SOL_SOCKET, SO_SNDBUF },
	{ 0xffff, 0x1002, SOL_SOCKET, SO_RCVBUF },    { 0xffff, 0x1007, SOL_SOCKET, SO_ERROR },
	{ 0xffff, 0x1008, SOL_SOCKET, SO_TYPE },      { 0xffff, 0x1006, SOL_SOCKET, SO_RCVTIMEO },
	{ 0xffff, 0x1005, SOL_SOCKET, SO_SNDTIMEO },  { 0xffff, 0x1022, -1, 0 },
	{ IPPROTO_IPV6, 27, IPPROTO_IPV6, IPV6_V6ONLY }, { IPPROTO_TCP, 1, IPPROTO_TCP, 1 },
	{ IPPROTO_IP, 3, IPPROTO_IP, IP_TOS },
};

static int option_of(int level, int name)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].level == level && options[i].name == name)
			return (int)i;
	errno = ENOPROTOOPT;
	return -1;
}

static int shim_setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
	const struct darwin_timeval *moment = value;
	struct timeval native;
	int i = option_of(level, name);

	if (i < 0 || options[i].native_level < 0)
		return i < 0 ? -1 : 0;
	if (options[i].native_name == SO_RCVTIMEO || options[i].native_name == SO_SNDTIMEO) {
		native = (struct timeval){ moment->seconds, moment->microseconds };
		return setsockopt(fd, SOL_SOCKET, options[i].native_name, &native, sizeof(native));
	}
	return setsockopt(fd, options[i].native_level, options[i].native_name, value, length);
}

static int shim_getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
	int i, result;

	/* LOCAL_PEERPID */
	if (level == 0 && name == 2) {
		struct ucred peer;
		socklen_t size = sizeof(peer);

		result = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
		memcpy(value, &peer.pid, sizeof(peer.pid));
		return result;
	}
	i = option_of(level, name);
	if (i < 0 || options[i].native_level < 0)
		return -1;
	result = getsockopt(fd, options[i].native_level, options[i].native_name, value, length);
	if (result == 0 && options[i].native_name == SO_ERROR && options[i].native_level == SOL_SOCKET)
		*(int *)value = macho_errno(*(int *)value);
	return result;
}

/* struct socket_fdinfo (sys/proc_info.h): its size, and where the layer looks. */
#define SOCKET_INFO_BYTES 792
#define SOCKET_PLACE 160
#define SOCKET_KIND 256
#define SOCKET_GENERATION 272

/* Linux has SO_COOKIE, which qemu-user does not know; otherwise the number of the inode. 0: no socket. */
static uint64_t number_of(int fd)
{
	uint64_t cookie;
	socklen_t length = sizeof(cookie);
	struct stat status;

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0)
		return cookie;
	return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino : 0;
}

static int shim_descriptor(int process, int fd, int flavour, unsigned char *into, int size)
{
	uint64_t number = number_of(fd);
	socklen_t length = sizeof(int);
	int family = 0;

	(void)process;
	if (flavour != 3 || size < SOCKET_INFO_BYTES || number == 0)
		return 0;
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length);
	memset(into, 0, SOCKET_INFO_BYTES);
	memcpy(into + SOCKET_PLACE, &number, sizeof(number));
	if (family == AF_INET || family == AF_INET6) {
		into[SOCKET_KIND] = 1;
		memcpy(into + SOCKET_GENERATION, &number, sizeof(number));
	}
	return SOCKET_INFO_BYTES;
}

static int shim_disconnect(int fd)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	return connect(fd, &nobody, sizeof(nobody));
}

static int shim_select(int count, fd_set *reads, fd_set *writes, fd_set *others, const struct darwin_timeval *timeout)
{
	struct timeval native = { 0 };

	if (timeout)
		native = (struct timeval){ timeout->seconds, timeout->microseconds };
	return select(count, reads, writes, others, timeout ? &native : NULL);
}

static int shim_set_fits(void)
{
	return 1;
}

const struct shim socket_shims[] = {
	{ "_socket", shim_socket },
	{ "_connect", shim_connect },
	{ "_bind", shim_bind },
	{ "_accept", shim_accept },
	{ "_getsockname", shim_getsockname },
	{ "_getpeername", shim_getpeername },
	{ "_send", shim_send },
	{ "_sendto", shim_sendto },
	{ "_sendmsg", shim_sendmsg },
	{ "_recv", shim_recv },
	{ "_recvfrom", shim_recvfrom },
	{ "_recvmsg", shim_recvmsg },
	{ "_setsockopt", shim_setsockopt },
	{ "_getsockopt", shim_getsockopt },
	{ "_proc_pidfdinfo", shim_descriptor },
	{ "_disconnectx", shim_disconnect },
	{ "_select", shim_select },
	{ "___darwin_check_fd_set_overflow", shim_set_fits },
	{ NULL, NULL },
};
