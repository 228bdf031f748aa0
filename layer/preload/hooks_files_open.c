/*
 * The hooks of other calls on a descriptor that may be an open file of the target: maps, locks, and calls on
 * sockets, since a socket is behind it. What they decide is in ops/files/{map,control,itself}.c. See also
 * hooks_files_linux.c.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "../hooks.h"
#include "../ops/files/control.h"
#include "../ops/files/itself.h"
#include "../ops/files/map.h"
#include "../sys/sys.h"
#include "edge_file.h"

/* Not a file of the target; no descriptor. */
#define NO_FILE (-2)

void *layer_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	const struct file_range range = { protection, flags, offset, length };
	struct fds_handle open;
	void *result;
	int memory = NO_FILE;

	if (!(flags & MAP_ANONYMOUS) && fd >= 0)
		memory = EDGE_FILE(open, fd, file_map(&open, &range), NO_FILE);
	if (memory == NO_FILE)
		return next_mmap(at, length, protection, flags, fd, offset);
	if (memory < 0)
		return MAP_FAILED;
	result = next_mmap(at, length, protection, flags, memory, offset);
	sys_close(memory);
	return result;
}

int layer_flock(int fd, int operation)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_lock(), next_flock(fd, operation));
}

int layer_lockf(int fd, int command, off_t length)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_lock(), next_lockf(fd, command, length));
}

int layer_setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_no_socket(), next_setsockopt(fd, level, option, value, length));
}

int layer_shutdown(int fd, int how)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_no_socket(), next_shutdown(fd, how));
}
