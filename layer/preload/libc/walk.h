/*
 * Whether a walk of libc over a tree of folders, which no hook sees, may meet the target's files. See walk.c.
 */
#ifndef LAYER_WALK_H
#define LAYER_WALK_H

#include <stdbool.h>

/*
 * May something at or below `path` be the target's? Of a path relative to a folder of this machine, nothing;
 * of one relative to the target's or to the root, all. Takes no guard.
 */
bool walk_meets(const char *path);

#endif
