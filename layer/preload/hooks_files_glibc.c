/*
 * The hooks of calls on open files that glibc alone has: getdents64, and what _FORTIFY_SOURCE makes of some
 * calls. Of the latter libc's own ends the app when `size`, the buffer's, is too small.
 */
#include "../hooks.h"
#include "../ops/files/entries.h"
#include "edge_file.h"
#include "hooks_files_ready.h"
#include "hooks_sockets_outgoing.h"

ssize_t layer_getdents64(int fd, void *into, size_t size)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_getdents64(&open, into, size), next_getdents64(fd, into, size));
}

ssize_t layer___read_chk(int fd, void *into, size_t count, size_t size)
{
	if (count > size || !fds_has(fd))
		return outgoing_told(fd, next___read_chk(fd, into, count, size));
	return layer_read(fd, into, count);
}

ssize_t layer___pread_chk(int fd, void *into, size_t count, off_t offset, size_t size)
{
	if (count > size || !fds_has(fd))
		return next___pread_chk(fd, into, count, offset, size);
	return layer_pread(fd, into, count, offset);
}

int layer___poll_chk(struct pollfd *all, nfds_t count, int timeout, size_t size)
{
	return edge_has_file(all, count) ? layer_poll(all, count, timeout) : next___poll_chk(all, count, timeout, size);
}
