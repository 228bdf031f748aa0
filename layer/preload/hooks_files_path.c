/* The hooks of open, and of watches for changes. What they decide is in ops/files/{open,watch}.c. */
#include <sys/fanotify.h>
#include <sys/inotify.h>

#include "../hooks.h"
#include "../ops/files/open.h"
#include "../ops/files/watch.h"
#include "edge_path.h"

int layer_open(const char *path, int flags, mode_t mode)
{
	struct files_call call;

	return EDGE_PATH(path, open_path(&call, flags, mode), next_open(call.path, flags, mode));
}

int layer_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	struct files_call call;

	return EDGE_PATH_AT(dirfd, path, 0, open_path(&call, flags, mode),
			    next_openat(call.dirfd, call.path, flags, mode));
}

int layer_creat(const char *path, mode_t mode)
{
	return layer_open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

/* What _FORTIFY_SOURCE makes of an open without a mode. */
int layer___open_2(const char *path, int flags)
{
	struct files_call call;

	return EDGE_PATH(path, open_path(&call, flags, 0), next___open_2(call.path, flags));
}

int layer___openat_2(int dirfd, const char *path, int flags)
{
	struct files_call call;

	return EDGE_PATH_AT(dirfd, path, 0, open_path(&call, flags, 0), next___openat_2(call.dirfd, call.path, flags));
}

int layer_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	struct files_call call;

	return EDGE_PATH(path, watch_path(&call, !(mask & IN_DONT_FOLLOW)), next_inotify_add_watch(fd, call.path, mask));
}

/* fanotify_mark(2): without a path it is about `dirfd` itself. */
int layer_fanotify_mark(int fd, unsigned int flags, uint64_t mask, int dirfd, const char *path)
{
	struct files_call call;

	if (!(flags & FAN_MARK_ADD))
		return next_fanotify_mark(fd, flags, mask, dirfd, path);
	return EDGE_PATH_AT(dirfd, path, path ? 0 : AT_EMPTY_PATH, watch_path(&call, !(flags & FAN_MARK_DONT_FOLLOW)),
			    next_fanotify_mark(fd, flags, mask, call.dirfd, call.path));
}
