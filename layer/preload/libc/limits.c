/*
 * What libc computes from statfs and stat: statvfs, pathconf, ftok. For the target's files it is computed
 * here.
 */
#include <unistd.h>

#include "../../hooks.h"
#include "../edge_file.h"
#include "../edge_path.h"
#include "limits.h"

int layer_statvfs(const char *path, struct statvfs *into)
{
	struct files_call call;

	return EDGE_PATH(path, limits_as_statvfs(&call, into), next_statvfs(call.path, into));
}

int layer_fstatvfs(int fd, struct statvfs *into)
{
	struct files_call call;

	return EDGE_PATH_AT(fd, "", AT_EMPTY_PATH, limits_as_statvfs(&call, into), next_fstatvfs(fd, into));
}

/*
 * pathconf(3) of the target's files. What is not the file system's is this system's; of the file system only
 * the longest name is asked for in practice.
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

/* The formula is that of glibc (ftok(3), NOTES) and of Apple's libc. */
key_t layer_ftok(const char *path, int id)
{
	struct stat status;

	if (!edge_may_be(AT_FDCWD, path))
		return next_ftok(path, id);
	if (layer_stat(path, &status) < 0)
		return -1;
	return (key_t)(((uint32_t)status.st_ino & 0xffff) | ((uint32_t)status.st_dev & 0xff) << 16 | (uint32_t)id << 24);
}
