/*
 * sys_files.h on Linux: raw system calls. Called by ops/files/. The invariant: a descriptor made here is the
 * lowest free number, as open(2) promises, and none is left behind on failure.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "sys.h"
#include "sys_files.h"
#include "raw.h"

/* from linux/memfd.h and linux/fcntl.h, missing on old systems */
#define MEMFD_CLOEXEC 1u
#define MEMFD_ALLOW_SEALING 2u
#define MEMFD_NAME_MAX 249
#define ADD_SEALS 1033
#define SEAL_ALL 15 /* seal, shrink, grow, write */

int sys_memory_file(const char *name)
{
	char cut[MEMFD_NAME_MAX + 1];
	size_t length = strnlen(name, MEMFD_NAME_MAX);

	memcpy(cut, name, length);
	cut[length] = 0;
	return (int)RAW(SYS_memfd_create, cut, MEMFD_CLOEXEC | MEMFD_ALLOW_SEALING);
}

int sys_fill(int fd, const void *bytes, size_t length, uint64_t offset)
{
	const char *at = bytes;
	long written;

	while (length > 0) {
		written = RAW(SYS_pwrite64, fd, at, length, offset);
		if (written == -EINTR)
			continue;
		if (written <= 0)
			return written == 0 ? -ENOSPC : (int)written;
		at += written;
		offset += (uint64_t)written;
		length -= (size_t)written;
	}
	return 0;
}

long sys_fcntl(int fd, int command, long argument)
{
	return RAW(SYS_fcntl, fd, command, argument);
}

long sys_ioctl(int fd, unsigned long request, void *argument)
{
	return RAW(SYS_ioctl, fd, request, argument);
}

void sys_descriptor_name(int fd, char *into)
{
	static const char folder[] = "/proc/self/fd/";
	char digits[12];
	size_t count = 0;

	memcpy(into, folder, sizeof(folder) - 1);
	into += sizeof(folder) - 1;
	do {
		digits[count++] = (char)('0' + fd % 10);
		fd /= 10;
	} while (fd > 0);
	while (count > 0)
		*into++ = digits[--count];
	*into = 0;
}

/* Puts a read-only open of the same file in the place of `fd`. Where /proc is missing the seals must do. */
static int reopen(int fd, bool cloexec, int flags)
{
	char name[40];
	int again, status;

	sys_descriptor_name(fd, name);
	again = (int)RAW(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC | flags, 0);
	if (again == -ENOENT || again == -EACCES)
		return cloexec ? 0 : (int)RAW(SYS_fcntl, fd, F_SETFD, 0);
	if (again < 0)
		return again;
	status = (int)RAW(SYS_dup3, again, fd, cloexec ? O_CLOEXEC : 0);
	RAW(SYS_close, again);
	return status < 0 ? status : 0;
}

int sys_seal(int fd, bool cloexec, int flags, const struct sys_looks *looks)
{
	struct timespec times[2];

	if (looks) {
		times[0] = (struct timespec){ .tv_sec = looks->times[0], .tv_nsec = looks->times[1] };
		times[1] = (struct timespec){ .tv_sec = looks->times[2], .tv_nsec = looks->times[3] };
		RAW(SYS_fchmod, fd, looks->mode & 07777);
		RAW(SYS_utimensat, fd, NULL, times, 0);
	}
	RAW(SYS_fcntl, fd, ADD_SEALS, SEAL_ALL);
	return reopen(fd, cloexec, flags);
}

static int connect_to(int fd, const struct sockaddr_un *address, socklen_t length)
{
	int status;

	do {
		status = (int)RAW(SYS_connect, fd, address, length);
	} while (status == -EINTR);
	return status;
}

/* Sends the descriptor `held` to `to`. 0 or -errno. */
static int send_descriptor(int to, int held)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = "" };
	struct iovec part = { .iov_base = "", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.bytes),
	};
	long sent;

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &held, sizeof(int));
	do {
		sent = RAW(SYS_sendmsg, to, &message, MSG_NOSIGNAL);
	} while (sent == -EINTR);
	return sent < 0 ? (int)sent : 0;
}

/*
 * Lets the listener keep `held` open: the kernel has it in the queue of a connection that nobody accepts. 0
 * or -errno.
 */
static int give_to_keep(int listener, const struct sockaddr_un *own, socklen_t own_length, int held)
{
	int status = (int)RAW(SYS_listen, listener, 1), fd;

	if (status < 0)
		return status;
	fd = (int)RAW(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	status = connect_to(fd, own, own_length);
	if (status == 0)
		status = send_descriptor(fd, held);
	RAW(SYS_close, fd);
	return status;
}

/*
 * Where no more descriptors may be under way (ETOOMANYREFS, unix(7)): the connection itself is the
 * descriptor, at the number `fd`. A read that no hook caught fails with EAGAIN then.
 */
static int stand_in(int fd, const struct sockaddr_un *own, socklen_t own_length, int held)
{
	const struct timeval at_once = { .tv_usec = 1 };
	int cloexec = (int)RAW(SYS_fcntl, fd, F_GETFD), status;

	RAW(SYS_close, fd);
	RAW(SYS_setsockopt, held, SOL_SOCKET, SO_RCVTIMEO, &at_once, sizeof(at_once));
	status = (int)RAW(SYS_bind, held, own, own_length);
	if (status == 0)
		status = (int)RAW(SYS_fcntl, held, cloexec & FD_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
	RAW(SYS_close, held);
	return status;
}

int sys_hold(const char *path, const char *name, size_t name_length, bool cloexec, const void *bytes, size_t length)
{
	struct sockaddr_un own = { .sun_family = AF_UNIX }, peer = { .sun_family = AF_UNIX };
	size_t path_length = strlen(path);
	socklen_t own_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + name_length);
	int fd, held, status;

	if (path_length >= sizeof(peer.sun_path) || name_length >= sizeof(own.sun_path))
		return -ENAMETOOLONG;
	memcpy(peer.sun_path, path, path_length + 1);
	memcpy(own.sun_path + 1, name, name_length);
	fd = (int)RAW(SYS_socket, AF_UNIX, SOCK_STREAM | (cloexec ? SOCK_CLOEXEC : 0), 0);
	if (fd < 0)
		return fd;
	held = (int)RAW(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	status = held < 0 ? held : (int)RAW(SYS_bind, fd, &own, own_length);
	if (status == 0)
		status = connect_to(held, &peer, sizeof(peer));
	if (status == 0)
		status = sys_send_all(held, bytes, length);
	if (status == 0) {
		status = give_to_keep(fd, &own, own_length, held);
		if (status < 0)
			return stand_in(fd, &own, own_length, held);
	}
	if (held >= 0)
		RAW(SYS_close, held);
	if (status == 0)
		return fd;
	RAW(SYS_close, fd);
	return status;
}

long sys_read_file(const char *path, void *into, size_t size)
{
	int fd = (int)RAW(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	size_t length = 0;
	long got = 0;

	if (fd < 0)
		return fd;
	while (length < size && (got = RAW(SYS_read, fd, (char *)into + length, size - length)) > 0)
		length += (size_t)got;
	RAW(SYS_close, fd);
	if (got < 0)
		return got;
	return length < size ? (long)length : -EFBIG;
}

/*
 * "Umask:\t0022" of /proc/self/status since Linux 4.7 (proc_pid_status(5)): umask(2) itself can only be asked
 * by changing it.
 */
uint32_t sys_umask(void)
{
	static const char key[] = "\nUmask:\t";
	char text[512] = "", *found; /* its second line; the first has at most 70 bytes */
	uint32_t mask = 0;
	long length = sys_read_file("/proc/thread-self/status", text, sizeof(text) - 1);

	text[length >= 0 ? length : length == -EFBIG ? (long)sizeof(text) - 1 : 0] = 0;
	found = strstr(text, key);
	if (!found) {
		mask = (uint32_t)RAW(SYS_umask, 077);
		RAW(SYS_umask, mask);
		return mask;
	}
	for (found += sizeof(key) - 1; *found >= '0' && *found <= '7'; found++)
		mask = mask * 8 + (uint32_t)(*found - '0');
	return mask;
}

int sys_dup(int fd, bool cloexec)
{
	return (int)RAW(SYS_fcntl, fd, cloexec ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
}

int sys_descriptor_path(int fd, char *into, size_t size)
{
	char name[40];

	sys_descriptor_name(fd, name);
	return (int)RAW(SYS_readlinkat, AT_FDCWD, name, into, size);
}

int sys_working_folder(char *into, size_t size)
{
	int length = (int)RAW(SYS_getcwd, into, size);

	return length > 0 ? length - 1 : length;
}

#define NOWHERE ".nowhere."
#define NOWHERE_BYTES 160

/* A name that nobody has: `head`, NOWHERE and random letters. False: no room. */
static bool name_nowhere(char into[NOWHERE_BYTES], const char *head)
{
	uint64_t random = sys_random();
	size_t length = strlen(head);

	if (length + sizeof(NOWHERE) + 16 > NOWHERE_BYTES)
		return false;
	memcpy(into, head, length);
	memcpy(into + length, NOWHERE, sizeof(NOWHERE));
	for (length += sizeof(NOWHERE) - 1; random > 0; random >>= 4)
		into[length++] = (char)('a' + (random & 15));
	into[length] = 0;
	return true;
}

/* Moves a descriptor to a high number. */
static int to_high(int fd)
{
	int high = fd < 0 ? fd : sys_dup_high(fd);

	if (fd >= 0)
		RAW(SYS_close, fd);
	return high;
}

int sys_open_folder(const char *path)
{
	return to_high((int)RAW(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
}

int sys_open_nowhere(const char *beside)
{
	const char *const heads[] = { beside, "/tmp/mirrord" };
	char path[NOWHERE_BYTES];
	int status = -ENAMETOOLONG;

	for (int i = 0; i < 2 && status < 0; i++)
		if (name_nowhere(path, heads[i]))
			status = (int)RAW(SYS_mkdirat, AT_FDCWD, path, 0700);
	if (status < 0)
		return status;
	status = to_high((int)RAW(SYS_openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
	RAW(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
	return status;
}

int sys_go_nowhere(const char *beside)
{
	int fd = sys_open_nowhere(beside), status;

	if (fd < 0)
		return fd;
	status = (int)RAW(SYS_fchdir, fd);
	RAW(SYS_close, fd);
	return status;
}

bool sys_is_nowhere(void)
{
	char path[PATH_MAX];

	return sys_working_folder(path, sizeof(path)) == -ENOENT;
}

struct entry {
	uint64_t number;
	int64_t next;
	uint16_t length;
	uint8_t type;
	char name[];
};

void sys_each_descriptor(void (*each)(int fd))
{
	_Alignas(struct entry) char entries[1024];
	int folder = (int)RAW(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long length;

	if (folder < 0)
		return;
	while ((length = RAW(SYS_getdents64, folder, entries, sizeof(entries))) > 0) {
		for (long at = 0; at < length; at += ((struct entry *)(entries + at))->length) {
			const char *digit = ((struct entry *)(entries + at))->name;
			int fd = 0;

			while (*digit >= '0' && *digit <= '9')
				fd = fd * 10 + (*digit++ - '0');
			if (*digit == 0 && fd != folder)
				each(fd);
		}
	}
	RAW(SYS_close, folder);
}

uint64_t sys_random(void)
{
	uint64_t value = 0;

	if (RAW(SYS_getrandom, &value, sizeof(value), 1) != sizeof(value)) {
		struct timespec now = { 0 };

		RAW(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
		value = (uint64_t)now.tv_nsec << 20 ^ (uint64_t)now.tv_sec;
	}
	return value;
}
