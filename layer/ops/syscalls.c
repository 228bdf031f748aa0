/*
 * syscall(2), by which some programs call what their libc lacks: Node and the JDK ask statx(2) so, Node copies files and
 * closes every descriptor so.
 * Only what such programs are known to use is looked at; every other number goes to the kernel as it is.
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "../guard.h"
#include "../hooks.h"
#include "cwd.h"
#include "files.h"

/* Numbers that old headers lack (asm/unistd.h). */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

long layer_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	switch (number) {
	case SYS_close:
		return layer_close((int)a);
	case SYS_statx:
		return layer_statx((int)a, (const char *)b, (int)c, (unsigned int)d, (void *)e);
	case SYS_copy_file_range:
		return layer_copy_file_range((int)a, (off_t *)b, (int)c, (off_t *)d, (size_t)e, (unsigned int)f);
	case SYS_renameat2:
		return layer_renameat2((int)a, (const char *)b, (int)c, (const char *)d, (unsigned int)e);
	case SYS_faccessat2:
		return layer_faccessat((int)a, (const char *)b, (int)c, (int)d);
	case SYS_getdents64:
		return layer_getdents64((int)a, (void *)b, (size_t)c);
	case SYS_inotify_add_watch:
		return layer_inotify_add_watch((int)a, (const char *)b, (uint32_t)c);
	case SYS_chdir:
		return layer_chdir((const char *)a);
	case SYS_fchdir:
		return layer_fchdir((int)a);
	case SYS_getcwd:
		return cwd_now() ? files_getcwd((char *)a, (size_t)b) : next_syscall(number, a, b, c, d, e, f);
	default:
		return next_syscall(number, a, b, c, d, e, f);
	}
}
