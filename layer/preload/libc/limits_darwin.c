/* limits.h on Darwin, and its own form of statfs: of Linux's struct statfs, as the wire has it. */
#include <string.h>

#include "../../hooks.h"
#include "../../ops/files/stat.h"
#include "../edge_file.h"
#include "../edge_path.h"
#include "limits.h"

/* struct statfs of Linux on 64-bit machines (asm-generic/statfs.h). */
struct place {
	int64_t type, block;
	uint64_t blocks, free, available, files, free_files;
	int32_t id[2];
	int64_t name, fragment, flags, spare[4];
};
_Static_assert(sizeof(struct place) == WIRE_FILE_SYSTEM_BYTES, "statfs(2)");

static struct verdict as_statfs(struct files_call *call, struct statfs *into)
{
	struct place from;
	struct verdict verdict = stat_file_system(call, &from);

	if (verdict.kind != VERDICT_VALUE)
		return verdict;
	memset(into, 0, sizeof(*into));
	into->f_bsize = (uint32_t)from.block;
	into->f_iosize = 128 * 1024;
	into->f_blocks = from.blocks;
	into->f_bfree = from.free;
	into->f_bavail = from.available;
	into->f_files = from.files;
	into->f_ffree = from.free_files;
	memcpy(&into->f_fsid, from.id, sizeof(into->f_fsid));
	into->f_type = (uint32_t)from.type;
	strcpy(into->f_fstypename, "mirrord");
	return verdict;
}

struct verdict limits_as_statvfs(struct files_call *call, struct statvfs *into)
{
	struct place from;
	struct verdict verdict = stat_file_system(call, &from);

	if (verdict.kind != VERDICT_VALUE)
		return verdict;
	memset(into, 0, sizeof(*into));
	into->f_bsize = (unsigned long)from.block;
	into->f_frsize = (unsigned long)(from.fragment ? from.fragment : from.block);
	into->f_blocks = (fsblkcnt_t)from.blocks;
	into->f_bfree = (fsblkcnt_t)from.free;
	into->f_bavail = (fsblkcnt_t)from.available;
	into->f_files = (fsfilcnt_t)from.files;
	into->f_ffree = into->f_favail = (fsfilcnt_t)from.free_files;
	into->f_namemax = (unsigned long)from.name;
	return verdict;
}

int layer_statfs(const char *path, struct statfs *into)
{
	struct files_call call;

	return EDGE_PATH(path, as_statfs(&call, into), next_statfs(call.path, into));
}

int layer_fstatfs(int fd, struct statfs *into)
{
	struct files_call call;

	return EDGE_PATH_AT(fd, "", AT_EMPTY_PATH, as_statfs(&call, into), next_fstatfs(fd, into));
}
