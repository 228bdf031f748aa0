/* The hooks of open. What they decide is in ops/files/open.c. */
#include "../hooks.h"
#include "../ops/files/open.h"
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
