/*
 * syscall(2), by which programs make calls that are missing in their libc, or for which they do not want
 * libc: Netty sends and receives several datagrams this way, Node copies files, Rust and the JDK call
 * statx(2). The list is in syscalls.h.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../hooks.h"
#include "../ops/files/folder.h"
#include "../sys/sys.h"
#include "edge_path.h"
#include "symbols.h"
#include "syscalls.h"

/* struct open_how (linux/openat2.h), missing in old headers. */
struct syscalls_how {
	uint64_t flags, mode, resolve;
};

/*
 * The target's files are not looked for with conditions on the way to them: ENOSYS, as on a kernel before
 * 5.6, after which programs look at each part of the path themselves.
 */
long syscalls_openat2(int dirfd, const char *path, const struct syscalls_how *how, size_t size)
{
	if (!path || !how || size < sizeof(*how) || !edge_may_be(dirfd, path))
		return next_syscall(SYS_openat2, dirfd, (long)path, (long)how, (long)size, 0, 0);
	if (how->resolve == 0)
		return layer_openat(dirfd, path, (int)how->flags, (mode_t)how->mode);
	errno = ENOSYS;
	return -1;
}

/* The kernel's last argument holds a mask and its size; its time is what is left afterwards. */
int syscalls_pselect(int count, fd_set *reads, fd_set *writes, fd_set *others, struct timespec *timeout, const void *mask)
{
	return layer_pselect(count, reads, writes, others, timeout, mask ? *(const sigset_t *const *)mask : NULL);
}

int syscalls_utimensat(int dirfd, const char *path, const struct timespec *times, int flags)
{
	return path ? layer_utimensat(dirfd, path, times, flags) : layer_futimens(dirfd, times);
}

long syscalls_getcwd(char *into, size_t size)
{
	struct verdict verdict = folder_working(into, size);

	if (verdict.kind == VERDICT_LIBC)
		return next_syscall(SYS_getcwd, (long)into, (long)size, 0, 0, 0, 0);
	return edge_result(verdict);
}

#define CASE(number, call) \
	case number: \
		*result = (long)(call); \
		return true;

bool syscalls_call(long number, const long arguments[6], long *result)
{
	const long a = arguments[0], b = arguments[1], c = arguments[2], d = arguments[3], e = arguments[4], f = arguments[5];

	switch (number) {
		SYSCALLS(CASE)
	default:
		return false;
	}
}

/* More stack than lies between a call and the one that a library behind the layer makes of it. */
#define NEAR 65536

/*
 * A library behind the layer may make the call that it stands for by syscall(2): tcmalloc's mmap does. That
 * must not come back here for ever. The stack shows it, since a handler that jumps away (siglongjmp(3))
 * undoes nothing.
 */
static bool comes_back(uintptr_t outer)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	return here < outer && outer - here < NEAR;
}

long layer_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	static _Thread_local uintptr_t outer __attribute__((tls_model("initial-exec")));
	const long arguments[6] = { a, b, c, d, e, f };
	long result;
	bool done;

	if (symbols_next_to_libc())
		return syscalls_call(number, arguments, &result) ? result : next_syscall(number, a, b, c, d, e, f);
	if (comes_back(outer))
		return next_syscall(number, a, b, c, d, e, f);
	outer = (uintptr_t)__builtin_frame_address(0);
	done = syscalls_call(number, arguments, &result);
	outer = 0;
	return done ? result : next_syscall(number, a, b, c, d, e, f);
}
