/*
 * The hooks of calls on open files that Linux alone has. What they do on a file of the target is in
 * ops/files/; see hooks_files_{read,open,ready}.c for the others.
 */
#include "../hooks.h"
#include "../ops/files/control.h"
#include "../ops/files/entries.h"
#include "../ops/files/itself.h"
#include "../ops/files/map.h"
#include "../ops/files/read.h"
#include "edge_file.h"
#include "hooks_files_ready.h"
#include "hooks_sockets_outgoing.h"

ssize_t layer_preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_preadv2(&open, parts, count, offset, flags),
			 next_preadv2(fd, parts, count, offset, flags));
}

ssize_t layer_pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_pwritev2(&open, parts, count, offset, flags),
			 next_pwritev2(fd, parts, count, offset, flags));
}

static bool seems_among(int one, int other)
{
	return fds_seems(one, FDS_FILE) || fds_seems(other, FDS_FILE);
}

ssize_t layer_copy_file_range(int from, off_t *from_offset, int to, off_t *to_offset, size_t count, unsigned int flags)
{
	return EDGE_IF(seems_among(from, to), file_copy_range(from, to),
		       next_copy_file_range(from, from_offset, to, to_offset, count, flags));
}

ssize_t layer_splice(int from, off_t *from_offset, int to, off_t *to_offset, size_t count, unsigned int flags)
{
	return EDGE_IF(seems_among(from, to), file_splice(from, to),
		       outgoing_told(to, outgoing_told(from, next_splice(from, from_offset, to, to_offset, count, flags))));
}

ssize_t layer_readahead(int fd, off_t offset, size_t count)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_readahead(&open), next_readahead(fd, offset, count));
}

int layer_sync_file_range(int fd, off_t offset, off_t count, unsigned int flags)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_sync_range(&open, offset, count, flags),
			 next_sync_file_range(fd, offset, count, flags));
}

int layer_epoll_ctl(int queue, int operation, int fd, void *event)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_queue(), next_epoll_ctl(queue, operation, fd, event));
}

static const struct timespec no_time;

int layer_ppoll(struct pollfd *all, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	if (!edge_has_file(all, count))
		return next_ppoll(all, count, timeout, mask);
	return edge_with_files(all, count, next_ppoll(all, count, &no_time, mask));
}

ssize_t layer_getdents64(int fd, void *into, size_t size)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_getdents64(&open, into, size), next_getdents64(fd, into, size));
}
