/* The calls that watch files for changes. See watch.c. */
#ifndef LAYER_WATCH_H
#define LAYER_WATCH_H

#include "files.h"

/* Refuses what is the target's and there; with `follow`, where a link leads. */
struct verdict watch_path(struct files_call *call, bool follow);

#endif
