/*
 * The hooks of read, write, lseek and their relatives. What they do on a file of the target is in
 * ops/files/read.c. Those of Linux and of glibc alone are in hooks_files_linux.c and hooks_files_glibc.c. The
 * invariant: on every other descriptor these cost one load, and libc's call is made unchanged.
 */
#include <sys/uio.h>
#include <unistd.h>

#include "../hooks.h"
#include "../ops/files/read.h"
#include "edge_file.h"
#include "hooks_sockets_outgoing.h"

ssize_t layer_read(int fd, void *into, size_t count)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_read(&open, into, count), outgoing_told(fd, next_read(fd, into, count)));
}

ssize_t layer_pread(int fd, void *into, size_t count, off_t offset)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_pread(&open, into, count, offset), next_pread(fd, into, count, offset));
}

ssize_t layer_write(int fd, const void *from, size_t count)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_write(&open, from, count), outgoing_told(fd, next_write(fd, from, count)));
}

ssize_t layer_pwrite(int fd, const void *from, size_t count, off_t offset)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_pwrite(&open, from, count, offset), next_pwrite(fd, from, count, offset));
}

ssize_t layer_readv(int fd, const struct iovec *parts, int count)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_readv(&open, parts, count), outgoing_told(fd, next_readv(fd, parts, count)));
}

ssize_t layer_writev(int fd, const struct iovec *parts, int count)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_writev(&open, parts, count), outgoing_told(fd, next_writev(fd, parts, count)));
}

ssize_t layer_preadv(int fd, const struct iovec *parts, int count, off_t offset)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_preadv(&open, parts, count, offset), next_preadv(fd, parts, count, offset));
}

ssize_t layer_pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_pwritev(&open, parts, count, offset), next_pwritev(fd, parts, count, offset));
}

off_t layer_lseek(int fd, off_t offset, int whence)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_lseek(&open, offset, whence), next_lseek(fd, offset, whence));
}
