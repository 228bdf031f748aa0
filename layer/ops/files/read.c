/*
 * read, write, seek and their relatives on a descriptor of a remote file. A whole file in memory is read by
 * the kernel. Called by the doors' edges.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "../../sys/sys.h"
#include "read.h"

struct verdict file_read(const struct fds_handle *open, void *into, size_t count)
{
	return verdict_result(files_read(&open->note.file, into, count, FILES_POSITION));
}

struct verdict file_pread(const struct fds_handle *open, void *into, size_t count, off_t offset)
{
	return verdict_result(offset < 0 ? -EINVAL : files_read(&open->note.file, into, count, (uint64_t)offset));
}

struct verdict file_write(const struct fds_handle *open, const void *from, size_t count)
{
	return verdict_result(files_write(&open->note.file, from, count, FILES_POSITION));
}

struct verdict file_pwrite(const struct fds_handle *open, const void *from, size_t count, off_t offset)
{
	return verdict_result(offset < 0 ? -EINVAL : files_write(&open->note.file, from, count, (uint64_t)offset));
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
	size_t done = 0, sum;
	char *gathered;

	if (count < 0 || count > IOV_MAX)
		return -EINVAL;
	/* What one question may write goes out as one, so that an append stays one. */
	sum = total(parts, count);
	gathered = count > 1 && sum > 0 && sum <= FILES_CHUNK ? sys_map(sum, false) : NULL;
	if (gathered) {
		long result;

		for (int i = 0; i < count; i++) {
			if (parts[i].iov_len > 0)
				memcpy(gathered + done, parts[i].iov_base, parts[i].iov_len);
			done += parts[i].iov_len;
		}
		result = files_write(file, gathered, done, offset);
		sys_unmap(gathered, sum);
		return result;
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

struct verdict file_readv(const struct fds_handle *open, const struct iovec *parts, int count)
{
	return verdict_result(read_parts(&open->note.file, parts, count, FILES_POSITION));
}

struct verdict file_writev(const struct fds_handle *open, const struct iovec *parts, int count)
{
	return verdict_result(write_parts(&open->note.file, parts, count, FILES_POSITION));
}

struct verdict file_preadv(const struct fds_handle *open, const struct iovec *parts, int count, off_t offset)
{
	return verdict_result(offset < 0 ? -EINVAL : read_parts(&open->note.file, parts, count, (uint64_t)offset));
}

struct verdict file_pwritev(const struct fds_handle *open, const struct iovec *parts, int count, off_t offset)
{
	return verdict_result(offset < 0 ? -EINVAL : write_parts(&open->note.file, parts, count, (uint64_t)offset));
}

/* linux/fs.h: RWF_HIPRI, RWF_DSYNC, RWF_SYNC, RWF_NOWAIT and RWF_DONTCACHE */
#define ADVICE (1 | 2 | 4 | 8 | 0x80)

/* preadv2(2): the flags are advice, or refused: where to write is none. 0 or -errno. */
static long refusal(const struct fds_handle *open, int flags, int forbidden)
{
	if ((open->note.file.flags & O_ACCMODE) == (uint32_t)forbidden)
		return -EBADF;
	return flags & ~ADVICE ? -EOPNOTSUPP : 0;
}

/* -1 is the position. */
struct verdict file_preadv2(const struct fds_handle *open, const struct iovec *parts, int count, off_t offset, int flags)
{
	long refused = refusal(open, flags, O_WRONLY);

	if (refused < 0)
		return verdict_result(refused);
	return offset == -1 ? file_readv(open, parts, count) : file_preadv(open, parts, count, offset);
}

struct verdict file_pwritev2(const struct fds_handle *open, const struct iovec *parts, int count, off_t offset, int flags)
{
	long refused = refusal(open, flags, O_RDONLY);

	if (refused < 0)
		return verdict_result(refused);
	return offset == -1 ? file_writev(open, parts, count) : file_pwritev(open, parts, count, offset);
}

struct verdict file_lseek(const struct fds_handle *open, off_t offset, int whence)
{
	return verdict_result(files_seek(&open->note.file, offset, whence));
}
