/*
 * The calls by which the kernel itself would move a file's content: mmap, sendfile, copy_file_range. Of a remote file
 * mmap gets a copy in memory; sendfile reads and writes here; copy_file_range says EXDEV, on which programs read and write.
 * The invariant: a writable shared map of a remote file is refused, for nobody would carry the changes.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../guard.h"
#include "../hooks.h"
#include "../sys.h"
#include "../sys_files.h"
#include "files.h"

#define STEP (1024u * 1024u)
#define SEND_STEP (256u * 1024u)

/* Copies [from, to) of a remote file to the same place of the memory file `into`, as far as there is any. 0 or -errno. */
static int copy_range(const struct fds_file *file, int into, uint64_t from, uint64_t to)
{
	char *bytes = sys_map(STEP, false);
	int status = bytes ? 0 : -ENOMEM;

	while (status == 0 && from < to) {
		size_t part = to - from < STEP ? (size_t)(to - from) : STEP;
		long got = files_read(file, bytes, part, from);

		if (got <= 0) {
			status = (int)got;
			break;
		}
		status = sys_fill(into, bytes, (size_t)got, from);
		from += (uint64_t)got;
	}
	if (bytes)
		sys_unmap(bytes, STEP);
	return status;
}

/* A sealed memory file with that range of the remote file; -errno. */
static int copy_to_memory(const struct fds_file *file, uint64_t from, uint64_t to)
{
	int memory = sys_memory_file("remote"), status;

	if (memory < 0)
		return memory;
	status = copy_range(file, memory, from, to);
	if (status == 0)
		status = sys_seal(memory, true, 0, NULL);
	if (status == 0)
		return memory;
	sys_close(memory);
	return status;
}

static long map(const struct files_open *open, void *at, size_t length, int protection, int flags, off_t offset)
{
	int memory;
	void *result;

	if (!files_is_regular(&open->file) || ((flags & MAP_SHARED) && (protection & PROT_WRITE)))
		return -ENODEV;
	if ((open->file.flags & O_ACCMODE) == O_WRONLY)
		return -EACCES;
	if (length == 0 || offset < 0)
		return -EINVAL;
	memory = copy_to_memory(&open->file, (uint64_t)offset, (uint64_t)offset + length);
	if (memory < 0)
		return memory;
	result = next_mmap(at, length, protection, flags, memory, offset);
	sys_close(memory);
	return result == MAP_FAILED ? -errno : (long)result;
}

void *layer_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	struct files_open open;

	if ((flags & MAP_ANONYMOUS) || fd < 0 || !files_remote(&open, fd))
		return next_mmap(at, length, protection, flags, fd, offset);
	return (void *)files_leave(&open, map(&open, at, length, protection, flags, offset));
}

/* The app's position or the one it keeps itself; NULL = the former. */
static ssize_t take(int from, void *bytes, size_t count, const off_t *offset)
{
	return offset ? layer_pread(from, bytes, count, *offset) : layer_read(from, bytes, count);
}

/* What was taken and could not be given. */
static void give_back(int from, ssize_t count, const off_t *offset)
{
	if (!offset && count > 0)
		layer_lseek(from, -count, SEEK_CUR);
}

ssize_t layer_sendfile(int to, int from, off_t *offset, size_t count)
{
	size_t done = 0;
	int saved = errno, failed = 0;
	char *bytes;

	if (!files_is(from, FDS_FILE) && !files_is(to, FDS_FILE))
		return next_sendfile(to, from, offset, count);
	bytes = sys_map(SEND_STEP, false);
	if (!bytes)
		failed = ENOMEM;
	while (done < count && failed == 0) {
		size_t part = count - done < SEND_STEP ? count - done : SEND_STEP;
		ssize_t got = take(from, bytes, part, offset), sent;

		if (got <= 0) {
			failed = got < 0 ? errno : 0;
			break;
		}
		sent = layer_write(to, bytes, (size_t)got);
		failed = sent < 0 ? errno : 0;
		sent = sent < 0 ? 0 : sent;
		give_back(from, got - sent, offset);
		done += (size_t)sent;
		if (offset)
			*offset += sent;
		if (sent < got)
			break;
	}
	if (bytes)
		sys_unmap(bytes, SEND_STEP);
	errno = done > 0 || failed == 0 ? saved : failed;
	return done > 0 || failed == 0 ? (ssize_t)done : -1;
}

static bool is_target(int fd)
{
	return files_is(fd, FDS_FILE);
}

ssize_t layer_copy_file_range(int from, off_t *from_offset, int to, off_t *to_offset, size_t count, unsigned int flags)
{
	if (!is_target(from) && !is_target(to))
		return next_copy_file_range(from, from_offset, to, to_offset, count, flags);
	errno = EXDEV;
	return -1;
}

ssize_t layer_splice(int from, off_t *from_offset, int to, off_t *to_offset, size_t count, unsigned int flags)
{
	if (!is_target(from) && !is_target(to))
		return next_splice(from, from_offset, to, to_offset, count, flags);
	errno = EINVAL;
	return -1;
}
