/* posix_spawn from a working directory of the target. See spawn_folder_linux.c. */
#ifndef LAYER_SPAWN_FOLDER_H
#define LAYER_SPAWN_FOLDER_H

#include "spawn.h"

/* A call of posix_spawn(3) or, `searched`, posix_spawnp(3). */
struct spawn_call {
	pid_t *pid;
	const char *path;
	const posix_spawn_file_actions_t *actions;
	const posix_spawnattr_t *attributes;
	char *const *argv;
	char *const *envp;
	bool searched;
};

/* Makes the call; what it returns. errno is left alone. */
int spawn_start(const struct spawn_call *call);

#endif
