/*
 * The hooks of what _FORTIFY_SOURCE makes of some calls on open files, with glibc alone. libc's own ends the
 * app when `size`, the buffer's, is too small.
 */
#include "../hooks.h"
#include "edge_file.h"
#include "hooks_files_ready.h"
#include "hooks_sockets_outgoing.h"

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
