/*
 * The edge of calls about a path. What the path means is found out before the guard: it is right for libc
 * also where the guard is taken, and most paths are local by the session's table, which takes neither guard
 * nor link. A `struct files_call call` is the hook's own; `libc` uses call.dirfd and call.path.
 */
#ifndef LAYER_EDGE_PATH_H
#define LAYER_EDGE_PATH_H

#include "../ops/files/files.h"
#include "edge.h"

#define EDGE_PATH(path, operation, libc) EDGE_IF(files_prepare(&call, AT_FDCWD, path), operation, libc)
/* Relative to `dirfd`; with AT_EMPTY_PATH in `flags` an empty path means that itself. */
#define EDGE_PATH_AT(dirfd, path, flags, operation, libc) \
	EDGE_IF(files_prepare_at(&call, dirfd, path, flags), operation, libc)

/*
 * Is the session to be asked about `path`? Leaves the guard, and `call` as libc is to be given it: for calls
 * that are then made of other hooked ones.
 */
bool edge_asked(struct files_call *call, int dirfd, const char *path);
/* The same where nothing else matters. */
bool edge_may_be(int dirfd, const char *path);

#endif
