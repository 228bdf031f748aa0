/* What _FORTIFY_SOURCE makes of an open without a mode, with glibc. See hooks_files_path.c. */
#include "../hooks.h"
#include "../ops/files/open.h"
#include "edge_path.h"

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
