/*
 * What libc computes from statfs and stat: statvfs, pathconf, ftok. For the target's files it is computed
 * here.
 */
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../../hooks.h"
#include "../../ops/files/stat.h"
#include "../edge_file.h"
#include "../edge_path.h"

/* statvfs(3) returns the mount's flags without the one by which statfs(2) marks them as valid. */
#define ST_VALID 0x20

static struct verdict system_as(struct files_call *call, struct statvfs *into)
{
	struct statfs from;
	struct verdict verdict = stat_file_system(call, &from);

	if (verdict.kind != VERDICT_VALUE)
		return verdict;
	memset(into, 0, sizeof(*into));
	into->f_bsize = (unsigned long)from.f_bsize;
	into->f_frsize = (unsigned long)(from.f_frsize ? from.f_frsize : from.f_bsize);
	into->f_blocks = from.f_blocks;
	into->f_bfree = from.f_bfree;
	into->f_bavail = from.f_bavail;
	into->f_files = from.f_files;
	into->f_ffree = from.f_ffree;
	into->f_favail = from.f_ffree;
	memcpy(&into->f_fsid, &from.f_fsid, sizeof(into->f_fsid));
	into->f_flag = (unsigned long)from.f_flags & ~(unsigned long)ST_VALID;
	into->f_namemax = (unsigned long)from.f_namelen;
	return verdict;
}

int layer_statvfs(const char *path, struct statvfs *into)
{
	struct files_call call;

	return EDGE_PATH(path, system_as(&call, into), next_statvfs(call.path, into));
}

int layer_fstatvfs(int fd, struct statvfs *into)
{
	struct files_call call;

	return EDGE_PATH_AT(fd, "", AT_EMPTY_PATH, system_as(&call, into), next_fstatvfs(fd, into));
}

/*
 * pathconf(3) of the target's files. What is not the file system's is Linux's, the same for both; of the file
 * system only the longest name is asked for in practice.
 */
static long limit(int name, const struct statvfs *status)
{
	return name == _PC_NAME_MAX ? (long)status->f_namemax : next_pathconf("/", name);
}

long layer_pathconf(const char *path, int name)
{
	struct statvfs status;

	if (!edge_may_be(AT_FDCWD, path))
		return next_pathconf(path, name);
	return layer_statvfs(path, &status) < 0 ? -1 : limit(name, &status);
}

long layer_fpathconf(int fd, int name)
{
	struct statvfs status;

	if (!edge_is_file(fd))
		return next_fpathconf(fd, name);
	return layer_fstatvfs(fd, &status) < 0 ? -1 : limit(name, &status);
}

/* The formula is glibc's own (ftok(3), NOTES). */
key_t layer_ftok(const char *path, int id)
{
	struct stat status;

	if (!edge_may_be(AT_FDCWD, path))
		return next_ftok(path, id);
	if (layer_stat(path, &status) < 0)
		return -1;
	return (key_t)((status.st_ino & 0xffff) | (status.st_dev & 0xff) << 16 | ((uint32_t)id & 0xff) << 24);
}
