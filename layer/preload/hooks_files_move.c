/* The hooks of the calls that take two paths. What they decide is in ops/files/move.c. */
#include <unistd.h>

#include "../hooks.h"
#include "../ops/files/move.h"
#include "edge_path.h"

#define EDGE_MOVE(from_dir, from, to_dir, to, libc) \
	EDGE_IF(move_prepare(&move, from_dir, from, to_dir, to), move_paths(&move, from, to), libc)

int layer_rename(const char *from, const char *to)
{
	struct move move = { .what = WIRE_MOVE_RENAME };

	return EDGE_MOVE(AT_FDCWD, from, AT_FDCWD, to, next_rename(move.from.path, move.to.path));
}

int layer_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	struct move move = { .what = WIRE_MOVE_RENAME };

	return EDGE_MOVE(from_dir, from, to_dir, to,
			 next_renameat(move.from.dirfd, move.from.path, move.to.dirfd, move.to.path));
}

#ifdef __linux__
int layer_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	struct move move = { .what = WIRE_MOVE_RENAME, .flags = (int)flags };

	return EDGE_MOVE(from_dir, from, to_dir, to,
			 next_renameat2(move.from.dirfd, move.from.path, move.to.dirfd, move.to.path, flags));
}
#endif

int layer_link(const char *from, const char *to)
{
	struct move move = { .what = WIRE_MOVE_LINK };

	return EDGE_MOVE(AT_FDCWD, from, AT_FDCWD, to, next_link(move.from.path, move.to.path));
}

int layer_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	struct move move = { .what = WIRE_MOVE_LINK, .flags = flags };

	return EDGE_MOVE(from_dir, from, to_dir, to,
			 next_linkat(move.from.dirfd, move.from.path, move.to.dirfd, move.to.path, flags));
}

int layer_symlink(const char *target, const char *path)
{
	struct move move = { .what = WIRE_MOVE_SYMLINK };

	return EDGE_IF(move_prepare_link(&move, AT_FDCWD, path), move_link(&move, target),
		       next_symlink(target, move.to.path));
}

int layer_symlinkat(const char *target, int dirfd, const char *path)
{
	struct move move = { .what = WIRE_MOVE_SYMLINK };

	return EDGE_IF(move_prepare_link(&move, dirfd, path), move_link(&move, target),
		       next_symlinkat(target, move.to.dirfd, move.to.path));
}
