/* The hooks of watches for changes. What they decide is in ops/files/watch.c. */
#include <sys/fanotify.h>
#include <sys/inotify.h>

#include "../hooks.h"
#include "../ops/files/watch.h"
#include "edge_path.h"

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
