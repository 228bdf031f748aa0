/*
 * sys.h on Darwin: libSystem's calls, which dyld does not interpose for the library that interposes. What
 * sockets need is sys_sockets_darwin.c. Waiting threads use __ulock_wait(2), as libc++ does (macOS 10.12).
 */
#include <fcntl.h>
#include <libproc.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "calls_darwin.h"
#include "sys.h"
#include "../wire.h"

#define LOWEST_FD 3

/* bsd/sys/ulock.h, which no SDK has; the timeout is in microseconds, 0 is none. */
#define UL_COMPARE_AND_WAIT 1u
#define ULF_WAKE_ALL 0x100u
#define ULF_NO_ERRNO 0x1000000u
extern int __ulock_wait(uint32_t operation, void *address, uint64_t value, uint32_t timeout);
extern int __ulock_wake(uint32_t operation, void *address, uint64_t value);

pid_t sys_getpid(void)
{
	return getpid();
}

pid_t sys_getppid(void)
{
	return getppid();
}

/* The name of the thread's port, which no other thread of this process has while it lives. */
pid_t sys_gettid(void)
{
	return (pid_t)pthread_mach_thread_np(pthread_self());
}

bool sys_thread_lives(pid_t tid)
{
	return pthread_from_mach_thread_np((mach_port_t)tid) != NULL;
}

bool sys_on_signal_stack(void)
{
	stack_t stack = { .ss_flags = 0 };

	return CALL(sigaltstack(NULL, &stack)) == 0 && (stack.ss_flags & SS_ONSTACK);
}

int64_t sys_now(void)
{
	return (int64_t)(clock_gettime_nsec_np(CLOCK_UPTIME_RAW) / 1000000);
}

bool sys_is_root(void)
{
	return geteuid() == 0;
}

void sys_block_signals(struct sys_signals *before)
{
	sigset_t all = ~(sigset_t)0, old = 0;

	pthread_sigmask(SIG_SETMASK, &all, &old);
	before->mask = old;
}

void sys_restore_signals(const struct sys_signals *before)
{
	sigset_t mask = (sigset_t)before->mask;

	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

int sys_close(int fd)
{
	return (int)CALL(call_close(fd));
}

/* The usual soft limit is 256 here: then the highest numbers below it. */
int sys_dup_high(int fd)
{
	struct rlimit limit = { 0, 0 };
	int high = WIRE_LINK_DESCRIPTOR, copy = (int)CALL(call_fcntl(fd, F_DUPFD_CLOEXEC, high));

	if (copy >= 0)
		return copy;
	if (CALL(getrlimit(RLIMIT_NOFILE, &limit)) == 0 && limit.rlim_cur < WIRE_LINK_DESCRIPTOR)
		high = (int)limit.rlim_cur - 8;
	if (high < LOWEST_FD)
		high = LOWEST_FD;
	copy = (int)CALL(call_fcntl(fd, F_DUPFD_CLOEXEC, high));
	return copy < 0 ? (int)CALL(call_fcntl(fd, F_DUPFD_CLOEXEC, LOWEST_FD)) : copy;
}

int sys_nonblocking(int fd)
{
	int flags = (int)CALL(call_fcntl(fd, F_GETFL, 0));

	return flags < 0 ? flags : (flags & O_NONBLOCK) != 0;
}

void sys_set_nonblocking(int fd, bool on)
{
	int flags = (int)CALL(call_fcntl(fd, F_GETFL, 0));

	if (flags >= 0)
		CALL(call_fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}

int sys_executable(char *path, size_t size)
{
	char whole[PROC_PIDPATHINFO_MAXSIZE];
	int length = (int)CALL(proc_pidpath(getpid(), whole, sizeof(whole)));

	if (length <= 0)
		return 0;
	if ((size_t)length > size)
		length = (int)size;
	memcpy(path, whole, (size_t)length);
	return length;
}

/*
 * Memory that a fork child must find zeroed: the kernel copies it (minherit(2) knows no wiping), so the child
 * maps new pages in its place. There are few such places, and none is ever left.
 */
static struct {
	_Atomic(void *) memory;
	size_t size;
} wiped_places[8];
static _Atomic(uint32_t) wiped_count;

static void note_wiped(void *memory, size_t size)
{
	uint32_t at = atomic_fetch_add(&wiped_count, 1);

	if (at >= sizeof(wiped_places) / sizeof(wiped_places[0]))
		return;
	wiped_places[at].size = size;
	atomic_store(&wiped_places[at].memory, memory);
}

static void wipe(void)
{
	for (size_t i = 0; i < sizeof(wiped_places) / sizeof(wiped_places[0]); i++) {
		void *memory = atomic_load(&wiped_places[i].memory);

		if (memory)
			mmap(memory, wiped_places[i].size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1, 0);
	}
}

void *sys_map(size_t size, bool wiped)
{
	void *memory;
	int saved = errno;

	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
	errno = saved;
	if (memory == MAP_FAILED)
		return NULL;
	if (wiped)
		note_wiped(memory, size);
	return memory;
}

/* Of two threads that make one such place, the slower one gives its own back: it is no place any more. */
void sys_unmap(void *memory, size_t size)
{
	for (size_t i = 0; i < sizeof(wiped_places) / sizeof(wiped_places[0]); i++) {
		void *noted = memory;

		atomic_compare_exchange_strong(&wiped_places[i].memory, &noted, NULL);
	}
	CALL(munmap(memory, size));
}

int sys_wait_word(_Atomic(uint32_t) *word, uint32_t seen, int64_t timeout)
{
	const int64_t longest = UINT32_MAX / 1000;
	uint32_t limit = timeout < 0 ? 0 : (uint32_t)((timeout < longest ? timeout : longest) * 1000);
	int status;

	if (timeout == 0)
		return atomic_load(word) == seen ? -ETIMEDOUT : 0;
	status = __ulock_wait(UL_COMPARE_AND_WAIT | ULF_NO_ERRNO, (void *)word, seen, limit);
	return status == -EINTR || status == -ETIMEDOUT ? status : 0;
}

void sys_wake_word(_Atomic(uint32_t) *word)
{
	__ulock_wake(UL_COMPARE_AND_WAIT | ULF_NO_ERRNO, (void *)word, 0);
}

void sys_wake_all(_Atomic(uint32_t) *word)
{
	__ulock_wake(UL_COMPARE_AND_WAIT | ULF_WAKE_ALL | ULF_NO_ERRNO, (void *)word, 0);
}

void sys_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
	/* Handlers of the child run in the order in which they were given. */
	pthread_atfork(before, parent, wipe);
	pthread_atfork(NULL, NULL, child);
}

/* Nothing here ends a process with its parent; the session's end is what such a process meets (EIO). */
void sys_die_with(pid_t parent)
{
	(void)parent;
}
