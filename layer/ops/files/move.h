/* The calls that take two paths: rename, link, symlink. See move.c. */
#ifndef LAYER_MOVE_H
#define LAYER_MOVE_H

#include "files.h"

struct move {
	enum wire_move_what what;
	int flags;
	bool from_may, to_may; /* what files_prepare() said of the two */
	struct files_call from, to;
};

/*
 * May it be the session's to decide? Reads memory only. Otherwise libc gets dirfd and path of both, as of
 * files_prepare().
 */
bool move_prepare(struct move *move, int from_dir, const char *from, int to_dir, const char *to);
/* rename(2), link(2). The paths as the app has them. */
struct verdict move_paths(struct move *move, const char *from, const char *to);

/* symlink(2): the link's text is taken as it is; only where the link stands, move->to, matters. */
bool move_prepare_link(struct move *move, int dirfd, const char *path);
struct verdict move_link(struct move *move, const char *target);

#endif
