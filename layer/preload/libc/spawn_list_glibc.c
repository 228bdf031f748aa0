/* glibc's list of what a child of posix_spawn does first: an array. See spawn_list.h. */
#include <fcntl.h>
#include <string.h>

#include "spawn_list.h"

static const struct spawn_action *list_of(const posix_spawn_file_actions_t *actions)
{
	return (const struct spawn_action *)(const void *)actions->__actions;
}

bool spawn_actions_known(void)
{
	static const char path[] = "/probe";
	posix_spawn_file_actions_t probe;
	const struct spawn_action *all;
	bool known = false;

	if (posix_spawn_file_actions_init(&probe) != 0)
		return false;
	if (posix_spawn_file_actions_addclose(&probe, 7) == 0 && posix_spawn_file_actions_adddup2(&probe, 8, 9) == 0 &&
	    posix_spawn_file_actions_addopen(&probe, 10, path, O_WRONLY, 0640) == 0 && probe.__used == 3) {
		all = list_of(&probe);
		known = all[0].kind == SPAWN_CLOSE && all[0].fd == 7 && all[1].kind == SPAWN_DUP2 && all[1].dup2.from == 8 &&
			all[1].dup2.to == 9 && all[2].kind == SPAWN_OPEN && all[2].open.fd == 10 &&
			strcmp(all[2].open.path, path) == 0 && all[2].open.flags == O_WRONLY && all[2].open.mode == 0640;
	}
	posix_spawn_file_actions_destroy(&probe);
	return known;
}

bool spawn_actions_any(const posix_spawn_file_actions_t *actions)
{
	return actions && actions->__used > 0;
}

int spawn_actions_count(const posix_spawn_file_actions_t *actions)
{
	return actions->__used;
}

struct spawn_action spawn_action_at(const posix_spawn_file_actions_t *actions, int index)
{
	return list_of(actions)[index];
}

int spawn_actions_make(posix_spawn_file_actions_t *made, const posix_spawn_file_actions_t *instead, struct spawn_action *all,
		       int count)
{
	*made = *instead;
	made->__actions = (void *)all;
	made->__used = made->__allocated = count;
	return 0;
}

/* It lies in the memory of its maker. */
void spawn_actions_end(posix_spawn_file_actions_t *made)
{
	(void)made;
}
