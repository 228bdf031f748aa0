/*
 * The calls by which the kernel itself would move a file's content: mmap, copy_file_range, splice. For a
 * remote file mmap gets a copy in memory; copy_file_range fails with EXDEV, after which programs read and
 * write.
 * The invariant: a writable shared map of a remote file is refused, since nothing would carry the changes to
 * the target.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "../../sys/sys.h"
#include "../../sys/sys_files.h"
#include "map.h"

#define STEP (1024u * 1024u)

/*
 * Copies [from, to) of a remote file to the same place of the memory file `into`, as far as there is any. 0
 * or -errno.
 */
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

static long map(const struct fds_file *file, const struct file_range *range)
{
	if (!files_is_regular(file) || ((range->flags & MAP_SHARED) && (range->protection & PROT_WRITE)))
		return -ENODEV;
	if ((file->flags & O_ACCMODE) == O_WRONLY)
		return -EACCES;
	if (range->length == 0 || range->offset < 0)
		return -EINVAL;
	return copy_to_memory(file, (uint64_t)range->offset, (uint64_t)range->offset + range->length);
}

struct verdict file_map(const struct fds_handle *open, const struct file_range *range)
{
	return verdict_descriptor(map(&open->note.file, range));
}

static bool is_among(int one, int other)
{
	return files_is_found(one, FDS_FILE) || files_is_found(other, FDS_FILE);
}

struct verdict file_copy_range(int from, int to)
{
	return is_among(from, to) ? verdict_result(-EXDEV) : verdict_libc();
}

struct verdict file_splice(int from, int to)
{
	return is_among(from, to) ? verdict_result(-EINVAL) : verdict_libc();
}
