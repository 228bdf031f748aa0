/* The files that a child of posix_spawn opens. See spawn_linux.c. */
#ifndef LAYER_SPAWN_H
#define LAYER_SPAWN_H

#include <spawn.h>

/* Starts the child with these actions in place of the app's; what posix_spawn(3) returns. */
typedef int (*spawn_run)(const void *call, const posix_spawn_file_actions_t *actions);

/*
 * Runs with `actions`, of which those that open a file of the target are changed into ones that the child can
 * do.
 */
int spawn_opening(const posix_spawn_file_actions_t *actions, spawn_run run, const void *call);

#endif
