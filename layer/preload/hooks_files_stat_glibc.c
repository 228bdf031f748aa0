/*
 * The names that only glibc has for calls of stat's family, mknod and readlink: those with a version, and the
 * checked ones of fortified programs. Called by preload/.
 */
#include "../hooks.h"
#include "../ops/files/change.h"
#include "../ops/files/stat.h"
#include "edge_file.h"
#include "edge_path.h"

/*
 * The names behind stat and its family before glibc 2.33; `version` is that of struct stat, of which there is
 * one.
 */
int layer___xstat(int version, const char *path, struct stat *into)
{
	struct files_call call;

	return EDGE_PATH(path, stat_path_as(&call, 0, into), next___xstat(version, call.path, into));
}

int layer___lxstat(int version, const char *path, struct stat *into)
{
	struct files_call call;

	return EDGE_PATH(path, stat_path_as(&call, AT_SYMLINK_NOFOLLOW, into), next___lxstat(version, call.path, into));
}

int layer___fxstat(int version, int fd, struct stat *into)
{
	return EDGE_OPEN(fd, stat_open_as(&open, into), next___fxstat(version, fd, into));
}

int layer___fxstatat(int version, int dirfd, const char *path, struct stat *into, int flags)
{
	struct files_call call;

	return EDGE_PATH_AT(dirfd, path, flags, stat_path_as(&call, flags, into),
			    next___fxstatat(version, call.dirfd, call.path, into, flags));
}

int layer___xmknod(int version, const char *path, mode_t mode, dev_t *device)
{
	struct files_call call;

	return EDGE_PATH(path, change_make_node(&call, mode, *device), next___xmknod(version, call.path, mode, device));
}

int layer___xmknodat(int version, int dirfd, const char *path, mode_t mode, dev_t *device)
{
	struct files_call call;

	return EDGE_PATH_AT(dirfd, path, 0, change_make_node(&call, mode, *device),
			    next___xmknodat(version, call.dirfd, call.path, mode, device));
}

ssize_t layer___readlink_chk(const char *path, char *into, size_t count, size_t size)
{
	return count > size ? next___readlink_chk(path, into, count, size) : layer_readlink(path, into, count);
}

ssize_t layer___readlinkat_chk(int dirfd, const char *path, char *into, size_t count, size_t size)
{
	if (count > size)
		return next___readlinkat_chk(dirfd, path, into, count, size);
	return layer_readlinkat(dirfd, path, into, count);
}
