/*
 * The hooks of stat and its family, access and readlink. What they decide is in ops/files/stat.c. See also
 * hooks_files_stat_linux.c.
 */
#include "../hooks.h"
#include "../ops/files/stat.h"
#include "edge_file.h"
#include "edge_path.h"

int layer_stat(const char *path, struct stat *into)
{
	struct files_call call;

	return EDGE_PATH(path, stat_path_as(&call, 0, into), next_stat(call.path, into));
}

int layer_lstat(const char *path, struct stat *into)
{
	struct files_call call;

	return EDGE_PATH(path, stat_path_as(&call, AT_SYMLINK_NOFOLLOW, into), next_lstat(call.path, into));
}

int layer_fstat(int fd, struct stat *into)
{
	return EDGE_OPEN(fd, stat_open_as(&open, into), next_fstat(fd, into));
}

int layer_fstatat(int dirfd, const char *path, struct stat *into, int flags)
{
	struct files_call call;

	return EDGE_PATH_AT(dirfd, path, flags, stat_path_as(&call, flags, into),
			    next_fstatat(call.dirfd, call.path, into, flags));
}

int layer_access(const char *path, int mode)
{
	struct files_call call;

	return EDGE_PATH(path, stat_access(&call, mode, 0), next_access(call.path, mode));
}

int layer_faccessat(int dirfd, const char *path, int mode, int flags)
{
	struct files_call call;

	return EDGE_PATH_AT(dirfd, path, flags, stat_access(&call, mode, flags),
			    next_faccessat(call.dirfd, call.path, mode, flags));
}

ssize_t layer_readlink(const char *path, char *into, size_t size)
{
	struct files_call call;

	return EDGE_PATH(path, stat_read_link(&call, into, size), next_readlink(call.path, into, size));
}

ssize_t layer_readlinkat(int dirfd, const char *path, char *into, size_t size)
{
	struct files_call call;

	return EDGE_PATH_AT(dirfd, path, 0, stat_read_link(&call, into, size),
			    next_readlinkat(call.dirfd, call.path, into, size));
}
