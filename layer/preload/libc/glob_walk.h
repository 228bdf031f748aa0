/* glob(3) where libc does not let its caller choose how folders are read. See glob_walk_musl.c. */
#ifndef LAYER_GLOB_WALK_H
#define LAYER_GLOB_WALK_H

#include <glob.h>

#include "../../hooks_files.h"

/* glob(3), made of hooked calls. */
int glob_walk(const char *pattern, int flags, hooks_failed failed, glob_t *result);

#endif
