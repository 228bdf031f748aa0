/* The files that a child of posix_spawn opens, and libc's list of what it does first. See spawn_glibc.c. */
#ifndef LAYER_SPAWN_H
#define LAYER_SPAWN_H

#include <spawn.h>
#include <stdbool.h>

/* posix/spawn_int.h of glibc, the same since 2.2 but for kinds that were added at the end. */
enum spawn_kind { SPAWN_CLOSE, SPAWN_DUP2, SPAWN_OPEN, SPAWN_CHDIR, SPAWN_FCHDIR, SPAWN_CLOSE_FROM };

struct spawn_action {
	enum spawn_kind kind;
	union {
		int fd; /* SPAWN_CLOSE, SPAWN_FCHDIR; of SPAWN_CLOSE_FROM the first */
		struct {
			int from;
			int to;
		} dup2;
		struct {
			int fd;
			char *path;
			int flags;
			mode_t mode;
		} open;
		struct {
			char *path;
		} chdir;
	};
};

/* Is libc's list made of these? A list made by its public calls shows it. */
bool spawn_actions_known(void);

/* Starts the child with these actions in place of the app's; what posix_spawn(3) returns. */
typedef int (*spawn_run)(const void *call, const posix_spawn_file_actions_t *actions);

/*
 * Runs with `actions`, of which those that open a file of the target are changed into ones that the child can
 * do.
 */
int spawn_opening(const posix_spawn_file_actions_t *actions, spawn_run run, const void *call);

#endif
