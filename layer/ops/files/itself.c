/*
 * Calls on a descriptor of a remote file that are meant for another kind of object, or that ask about its
 * content: they give a file's answer, not that of the socket behind it (remote.c). Called by the doors'
 * edges.
 * The invariant: a call without an answer here fails as on a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../sys/sys_files.h"
#include "itself.h"
#include "status.h"

/* Linux alone has these two (asm-generic/ioctls.h, linux/fs.h). */
#define IOCTL_SIZE 0x5460ul
#define IOCTL_BLOCK 2ul
/* linux/fs.h: SYNC_FILE_RANGE_* */
#define RANGE_FLAGS 7u

struct verdict file_no_socket(void)
{
	return verdict_result(-ENOTSOCK);
}

/* FIONREAD: the bytes behind the position, of a regular file (ioctl_fionread in linux/fs/ioctl.c). */
static long readable(const struct fds_file *file, void *into)
{
	struct files_status status;
	long result, at;
	int bytes;

	if (!files_is_regular(file))
		return -ENOTTY;
	result = files_fstat(file, &status);
	at = result < 0 ? result : files_seek(file, 0, SEEK_CUR);
	if (at < 0)
		return at;
	bytes = (int)((int64_t)status.size - at);
	memcpy(into, &bytes, sizeof(bytes));
	return 0;
}

static long sizes(const struct fds_file *file, unsigned long request, void *into)
{
	struct files_status status;
	long result = files_fstat(file, &status);
	int64_t size;
	int block;

	if (result < 0)
		return result;
	size = (int64_t)status.blocks * 512;
	block = (int)status.blksize;
	if (request == IOCTL_BLOCK)
		memcpy(into, &block, sizeof(block));
	else if (files_is_regular(file) || files_is_folder(file))
		memcpy(into, &size, sizeof(size));
	else
		return -ENOTTY;
	return 0;
}

struct verdict file_ioctl(const struct fds_handle *open, unsigned long request, void *argument)
{
	bool asks = request == FIONREAD || request == IOCTL_SIZE || request == IOCTL_BLOCK;
	const struct fds_file *file = &open->note.file;

	if (request == FIOCLEX || request == FIONCLEX || request == FIONBIO)
		return verdict_result(sys_ioctl(open->fd, request, argument));
	if (!asks)
		return verdict_result(-ENOTTY);
	if (!argument)
		return verdict_result(-EFAULT);
	return verdict_result(request == FIONREAD ? readable(file, argument) : sizes(file, request, argument));
}

/* The session reads ahead by itself. */
struct verdict file_readahead(const struct fds_handle *open)
{
	if ((open->note.file.flags & O_ACCMODE) == O_WRONLY)
		return verdict_result(-EBADF);
	return verdict_result(files_is_regular(&open->note.file) ? 0 : -EINVAL);
}

/* What is written is with the target already: nothing is kept back here. */
struct verdict file_sync_range(const struct fds_handle *open, off_t offset, off_t count, unsigned int flags)
{
	if (offset < 0 || count < 0 || (flags & ~RANGE_FLAGS))
		return verdict_result(-EINVAL);
	return verdict_result(files_is_regular(&open->note.file) || files_is_folder(&open->note.file) ? 0 : -ESPIPE);
}
