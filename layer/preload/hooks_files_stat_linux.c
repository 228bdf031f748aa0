/*
 * The hooks of the calls about the status of files that Linux alone has, or has in a form of its own. See
 * hooks_files_stat.c.
 */
#include "../hooks.h"
#include "../ops/files/stat.h"
#include "edge_path.h"

int layer_statx(int dirfd, const char *path, int flags, unsigned int mask, void *into)
{
	struct files_call call;

	return EDGE_PATH_AT(dirfd, path, flags, stat_path(&call, flags, into),
			    next_statx(call.dirfd, call.path, flags, mask, into));
}

int layer_eaccess(const char *path, int mode)
{
	struct files_call call;

	return EDGE_PATH(path, stat_access(&call, mode, AT_EACCESS), next_eaccess(call.path, mode));
}

int layer_statfs(const char *path, struct statfs *into)
{
	struct files_call call;

	return EDGE_PATH(path, stat_file_system(&call, into), next_statfs(call.path, into));
}

int layer_fstatfs(int fd, struct statfs *into)
{
	struct files_call call;

	return EDGE_PATH_AT(fd, "", AT_EMPTY_PATH, stat_file_system(&call, into), next_fstatfs(fd, into));
}
