/*
 * sys.h on Linux: raw system calls, so that neither a hook of the layer nor one of another preloaded library
 * runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "sys.h"
#include "raw.h"
#include "../wire.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* Above select(2)'s limit of 1024 would be safest, but the usual soft RLIMIT_NOFILE is 1024. */
#define HIGH_FD WIRE_LINK_DESCRIPTOR
#define LOWEST_FD 3

pid_t sys_getpid(void)
{
	return (pid_t)RAW(SYS_getpid);
}

pid_t sys_getppid(void)
{
	return (pid_t)RAW(SYS_getppid);
}

pid_t sys_gettid(void)
{
	return (pid_t)RAW(SYS_gettid);
}

bool sys_thread_lives(pid_t tid)
{
	return RAW(SYS_tgkill, sys_getpid(), tid, 0) == 0;
}

bool sys_on_signal_stack(void)
{
	stack_t stack = { .ss_flags = 0 };

	return RAW(SYS_sigaltstack, NULL, &stack) == 0 && (stack.ss_flags & SS_ONSTACK);
}

int64_t sys_now(void)
{
	struct timespec now = { 0, 0 };

	RAW(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool sys_is_root(void)
{
	return RAW(SYS_geteuid) == 0;
}

void sys_block_signals(struct sys_signals *before)
{
	uint64_t all = ~(uint64_t)0;

	RAW(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before->mask, sizeof(all));
}

void sys_restore_signals(const struct sys_signals *before)
{
	RAW(SYS_rt_sigprocmask, SIG_SETMASK, &before->mask, NULL, sizeof(before->mask));
}

int sys_close(int fd)
{
	return (int)RAW(SYS_close, fd);
}

int sys_dup_high(int fd)
{
	struct rlimit limit = { 0, 0 };
	long high = HIGH_FD;
	int copy;

	copy = (int)RAW(SYS_fcntl, fd, F_DUPFD_CLOEXEC, high);
	if (copy >= 0)
		return copy;
	if (RAW(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit) == 0 && limit.rlim_cur < HIGH_FD)
		high = (long)limit.rlim_cur - 8;
	if (high < LOWEST_FD)
		high = LOWEST_FD;
	copy = (int)RAW(SYS_fcntl, fd, F_DUPFD_CLOEXEC, high);
	if (copy < 0)
		copy = (int)RAW(SYS_fcntl, fd, F_DUPFD_CLOEXEC, (long)LOWEST_FD);
	return copy;
}

int sys_connect_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(path);
	int fd, high, status;

	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, length + 1);
	fd = (int)RAW(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	do {
		status = (int)RAW(SYS_connect, fd, &address, sizeof(address));
	} while (status == -EINTR);
	if (status < 0)
		goto out;
	status = high = sys_dup_high(fd);
out:
	sys_close(fd);
	return status;
}

int sys_send_all(int fd, const void *bytes, size_t length)
{
	const char *at = bytes;
	long sent;

	while (length > 0) {
		sent = RAW(SYS_sendto, fd, at, length, MSG_NOSIGNAL, NULL, 0);
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
		got = RAW(SYS_recvfrom, fd, at, length, MSG_WAITALL, NULL, NULL);
		if (got == -EINTR)
			continue;
		if (got <= 0)
			return got == 0 ? -EPIPE : (int)got;
		at += got;
		length -= (size_t)got;
	}
	return 0;
}

/*
 * A blocking receive is the one wait that the kernel restarts as the app's handlers ask for; poll(2) never is
 * (signal(7)).
 */
int sys_await_bytes(int fd, int timeout, const struct sys_signals *let_in)
{
	struct sys_signals blocked;
	struct timespec left = { .tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000L };
	struct pollfd one = { .fd = fd, .events = POLLIN };
	char byte;
	long status;

	if (timeout < 0) {
		if (let_in)
			sys_restore_signals(let_in);
		status = RAW(SYS_recvfrom, fd, &byte, 1, MSG_PEEK, NULL, NULL);
		if (let_in)
			sys_block_signals(&blocked);
		return status == -EINTR ? -EINTR : 1;
	}
	status = RAW(SYS_ppoll, &one, 1, &left, let_in ? &let_in->mask : NULL, sizeof(let_in->mask));
	return status == 0 || status == -EINTR ? (int)status : 1;
}

int sys_getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
	return (int)RAW(SYS_getsockname, fd, address, length);
}

int sys_getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
	return (int)RAW(SYS_getpeername, fd, address, length);
}

int sys_socket_option(int fd, int option)
{
	int value = 0, status;
	socklen_t length = sizeof(value);

	status = (int)RAW(SYS_getsockopt, fd, SOL_SOCKET, option, &value, &length);
	return status < 0 ? status : value;
}

/* SO_PEERCRED (unix(7)); 0 stands for a process of a namespace that is not ours (pid_namespaces(7)). */
pid_t sys_peer_process(int fd)
{
	struct ucred peer = { .pid = 0 };
	socklen_t length = sizeof(peer);

	return RAW(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 ? 0 : peer.pid;
}

/* SO_COOKIE since Linux 4.12 (socket(7)); never used twice, unlike an inode number. */
static int socket_identity(int fd, struct sys_identity *identity)
{
	socklen_t length = sizeof(identity->number);

	identity->device = 0;
	return (int)RAW(SYS_getsockopt, fd, SOL_SOCKET, SO_COOKIE, &identity->number, &length);
}

/*
 * glibc's struct stat is the kernel's on x86_64 and aarch64. Device 0 is no device (proc_pid_mountinfo(5)).
 */
static int inode_identity(int fd, struct sys_identity *identity)
{
	struct stat status;
	int result = (int)RAW(SYS_fstat, fd, &status);

	if (result < 0)
		return result;
	identity->device = status.st_dev;
	identity->number = status.st_ino;
	return 0;
}

int sys_identity(int fd, struct sys_identity *identity)
{
	int status = socket_identity(fd, identity);

	return status == -ENOTSOCK ? inode_identity(fd, identity) : status;
}

bool sys_is(int fd, const struct sys_identity *identity)
{
	struct sys_identity found;
	int status = identity->device ? inode_identity(fd, &found) : socket_identity(fd, &found);

	return status == 0 && found.device == identity->device && found.number == identity->number;
}

/* connect(2): an address of family AF_UNSPEC dissolves the association; for a TCP listener, the listening. */
int sys_dissolve(int fd)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	return (int)RAW(SYS_connect, fd, &nobody, sizeof(nobody));
}

int sys_option(int fd, int level, int option)
{
	int value = 0, status;
	socklen_t length = level == IPPROTO_TCP && option == TCP_INFO ? 1 : sizeof(value);

	status = (int)RAW(SYS_getsockopt, fd, level, option, &value, &length);
	return status < 0 ? status : value;
}

int sys_set_option(int fd, int level, int option, int value)
{
	return (int)RAW(SYS_setsockopt, fd, level, option, &value, sizeof(value));
}

int sys_nonblocking(int fd)
{
	int flags = (int)RAW(SYS_fcntl, fd, F_GETFL, 0);

	return flags < 0 ? flags : (flags & O_NONBLOCK) != 0;
}

void sys_set_nonblocking(int fd, bool on)
{
	int flags = (int)RAW(SYS_fcntl, fd, F_GETFL, 0);

	if (flags >= 0)
		RAW(SYS_fcntl, fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

int sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	return (int)RAW(SYS_close_range, first, last, flags);
}

int sys_executable(char *path, size_t size)
{
	int length = (int)RAW(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path, size);

	return length < 0 ? 0 : length;
}

void *sys_map(size_t size, bool wiped)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	long memory = RAW(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (memory < 0 && memory > -4096)
		return NULL;
	RAW(SYS_madvise, memory, size, MADV_DONTDUMP);
	if (wiped)
		RAW(SYS_madvise, memory, size, MADV_WIPEONFORK);
	return (void *)memory;
}

void sys_unmap(void *memory, size_t size)
{
	RAW(SYS_munmap, memory, size);
}

int sys_wait_word(_Atomic(uint32_t) *word, uint32_t seen, int64_t timeout)
{
	struct timespec left = { .tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000L };
	int status = (int)RAW(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, timeout < 0 ? NULL : &left, NULL, 0);

	return status == -EINTR || status == -ETIMEDOUT ? status : 0;
}

void sys_wake_word(_Atomic(uint32_t) *word)
{
	RAW(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void sys_wake_all(_Atomic(uint32_t) *word)
{
	RAW(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/*
 * PR_SET_PDEATHSIG(2const): kept over execve, cleared in a fork child; the parent may be gone before it is
 * set.
 */
void sys_die_with(pid_t parent)
{
	RAW(SYS_prctl, PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	if (sys_getppid() != parent)
		RAW(SYS_kill, sys_getpid(), SIGTERM);
}
