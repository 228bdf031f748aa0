/*
 * read, write, seek and their relatives on a descriptor of a remote file. Of a whole file in memory the kernel reads.
 * The invariant: on every other descriptor these cost one load, and libc's call is made untouched.
 */
#include <limits.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../guard.h"
#include "../hooks.h"
#include "files.h"

/* Small pieces of a writev(2) go out as one, so that an append stays one. */
#define GATHERED_BYTES 16384

ssize_t layer_read(int fd, void *into, size_t count)
{
	struct files_open open;

	if (!files_remote(&open, fd))
		return next_read(fd, into, count);
	return files_leave(&open, files_read(&open.file, into, count, FILES_POSITION));
}

static long read_at(const struct files_open *open, void *into, size_t count, off_t offset)
{
	return offset < 0 ? -EINVAL : files_read(&open->file, into, count, (uint64_t)offset);
}

ssize_t layer_pread(int fd, void *into, size_t count, off_t offset)
{
	struct files_open open;

	if (!files_remote(&open, fd))
		return next_pread(fd, into, count, offset);
	return files_leave(&open, read_at(&open, into, count, offset));
}

ssize_t layer_write(int fd, const void *from, size_t count)
{
	struct files_open open;

	if (!files_remote(&open, fd))
		return next_write(fd, from, count);
	return files_leave(&open, files_write(&open.file, from, count, FILES_POSITION));
}

static long write_at(const struct files_open *open, const void *from, size_t count, off_t offset)
{
	return offset < 0 ? -EINVAL : files_write(&open->file, from, count, (uint64_t)offset);
}

ssize_t layer_pwrite(int fd, const void *from, size_t count, off_t offset)
{
	struct files_open open;

	if (!files_remote(&open, fd))
		return next_pwrite(fd, from, count, offset);
	return files_leave(&open, write_at(&open, from, count, offset));
}

static uint64_t advanced(uint64_t offset, size_t done)
{
	return offset == FILES_POSITION ? offset : offset + done;
}

static long read_parts(const struct fds_file *file, const struct iovec *parts, int count, uint64_t offset)
{
	size_t done = 0;

	if (count < 0 || count > IOV_MAX)
		return -EINVAL;
	for (int i = 0; i < count; i++) {
		long got = files_read(file, parts[i].iov_base, parts[i].iov_len, advanced(offset, done));

		if (got < 0)
			return done > 0 ? (long)done : got;
		done += (size_t)got;
		if ((size_t)got < parts[i].iov_len)
			break;
	}
	return (long)done;
}

static size_t total(const struct iovec *parts, int count)
{
	size_t sum = 0;

	for (int i = 0; i < count; i++)
		sum += parts[i].iov_len;
	return sum;
}

static long write_parts(const struct fds_file *file, const struct iovec *parts, int count, uint64_t offset)
{
	char gathered[GATHERED_BYTES];
	size_t done = 0;

	if (count < 0 || count > IOV_MAX)
		return -EINVAL;
	if (total(parts, count) <= sizeof(gathered)) {
		for (int i = 0; i < count; i++) {
			if (parts[i].iov_len > 0)
				memcpy(gathered + done, parts[i].iov_base, parts[i].iov_len);
			done += parts[i].iov_len;
		}
		return files_write(file, gathered, done, offset);
	}
	for (int i = 0; i < count; i++) {
		long sent = files_write(file, parts[i].iov_base, parts[i].iov_len, advanced(offset, done));

		if (sent < 0)
			return done > 0 ? (long)done : sent;
		done += (size_t)sent;
		if ((size_t)sent < parts[i].iov_len)
			break;
	}
	return (long)done;
}

ssize_t layer_readv(int fd, const struct iovec *parts, int count)
{
	struct files_open open;

	if (!files_remote(&open, fd))
		return next_readv(fd, parts, count);
	return files_leave(&open, read_parts(&open.file, parts, count, FILES_POSITION));
}

ssize_t layer_writev(int fd, const struct iovec *parts, int count)
{
	struct files_open open;

	if (!files_remote(&open, fd))
		return next_writev(fd, parts, count);
	return files_leave(&open, write_parts(&open.file, parts, count, FILES_POSITION));
}

static long parts_at(const struct files_open *open, const struct iovec *parts, int count, off_t offset, bool writes)
{
	if (offset < 0)
		return -EINVAL;
	if (writes)
		return write_parts(&open->file, parts, count, (uint64_t)offset);
	return read_parts(&open->file, parts, count, (uint64_t)offset);
}

ssize_t layer_preadv(int fd, const struct iovec *parts, int count, off_t offset)
{
	struct files_open open;

	if (!files_remote(&open, fd))
		return next_preadv(fd, parts, count, offset);
	return files_leave(&open, parts_at(&open, parts, count, offset, false));
}

ssize_t layer_pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	struct files_open open;

	if (!files_remote(&open, fd))
		return next_pwritev(fd, parts, count, offset);
	return files_leave(&open, parts_at(&open, parts, count, offset, true));
}

/* preadv2(2): -1 is the position; the flags are advice, or ask for what a network file need not know. */
static long parts_or_position(const struct files_open *open, const struct iovec *parts, int count, off_t offset,
			      bool writes)
{
	if (offset != -1)
		return parts_at(open, parts, count, offset, writes);
	if (writes)
		return write_parts(&open->file, parts, count, FILES_POSITION);
	return read_parts(&open->file, parts, count, FILES_POSITION);
}

ssize_t layer_preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
	struct files_open open;

	if (!files_remote(&open, fd))
		return next_preadv2(fd, parts, count, offset, flags);
	return files_leave(&open, parts_or_position(&open, parts, count, offset, false));
}

ssize_t layer_pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
	struct files_open open;

	if (!files_remote(&open, fd))
		return next_pwritev2(fd, parts, count, offset, flags);
	return files_leave(&open, parts_or_position(&open, parts, count, offset, true));
}

off_t layer_lseek(int fd, off_t offset, int whence)
{
	struct files_open open;

	if (!files_remote(&open, fd))
		return next_lseek(fd, offset, whence);
	return files_leave(&open, files_seek(&open.file, offset, whence));
}

/* What _FORTIFY_SOURCE makes of the calls: libc's own ends the app when `size`, the buffer's, is too small. */
ssize_t layer___read_chk(int fd, void *into, size_t count, size_t size)
{
	if (count > size || !fds_has(fd))
		return next___read_chk(fd, into, count, size);
	return layer_read(fd, into, count);
}

ssize_t layer___pread_chk(int fd, void *into, size_t count, off_t offset, size_t size)
{
	if (count > size || !fds_has(fd))
		return next___pread_chk(fd, into, count, offset, size);
	return layer_pread(fd, into, count, offset);
}
