/*
 * The kernel's own behind the calls that musl does not export (LAYER_NUMBERED_HOOKS), and getdents(2), which
 * only musl does. Called by preload/.
 */
#include <dirent.h>
#include <sys/syscall.h>

#include "../hooks.h"
#include "syscalls.h"

ssize_t next_getdents64(int fd, void *into, size_t size)
{
	return next_syscall(SYS_getdents64, fd, (long)into, (long)size, 0, 0, 0);
}

int layer_getdents(int fd, struct dirent *into, size_t size)
{
	return (int)layer_getdents64(fd, into, size);
}

int next_close_range(unsigned int first, unsigned int last, int flags)
{
	return (int)next_syscall(SYS_close_range, first, last, flags, 0, 0, 0);
}

int next_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	return (int)next_syscall(SYS_renameat2, from_dir, (long)from, to_dir, (long)to, flags, 0);
}

int next_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
	return (int)next_syscall(SYS_execveat, fd, (long)path, (long)argv, (long)envp, flags, 0);
}
