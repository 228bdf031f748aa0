/*
 * musl's list of what a child of posix_spawn does first: linked, the last action first. See spawn_list.h.
 * A list is made by libc's public calls; those for folders came with musl 1.1.24.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "../symbols.h"
#include "spawn_list.h"

/* src/process/fdop.h of musl, from 0.9 on. */
struct link {
	struct link *next, *before;
	int kind, fd, from, flags;
	mode_t mode;
	char path[];
};

enum { CLOSE = 1, DUP2, OPEN, CHDIR, FCHDIR };

static const struct link *last_of(const posix_spawn_file_actions_t *actions)
{
	return actions->__actions;
}

bool spawn_actions_known(void)
{
	static const char path[] = "/probe";
	posix_spawn_file_actions_t probe;
	const struct link *last, *middle, *first;
	bool known = false;

	if (posix_spawn_file_actions_init(&probe) != 0)
		return false;
	if (posix_spawn_file_actions_addclose(&probe, 7) == 0 && posix_spawn_file_actions_adddup2(&probe, 8, 9) == 0 &&
	    posix_spawn_file_actions_addopen(&probe, 10, path, O_WRONLY, 0640) == 0) {
		last = last_of(&probe);
		middle = last ? last->next : NULL;
		first = middle ? middle->next : NULL;
		known = first && !first->next && first->kind == CLOSE && first->fd == 7 && middle->kind == DUP2 &&
			middle->from == 8 && middle->fd == 9 && last->kind == OPEN && last->fd == 10 &&
			strcmp(last->path, path) == 0 && last->flags == O_WRONLY && last->mode == 0640;
	}
	posix_spawn_file_actions_destroy(&probe);
	return known;
}

bool spawn_actions_any(const posix_spawn_file_actions_t *actions)
{
	return actions && last_of(actions);
}

int spawn_actions_count(const posix_spawn_file_actions_t *actions)
{
	int count = 0;

	for (const struct link *at = last_of(actions); at; at = at->next)
		count++;
	return count;
}

static struct spawn_action action_of(const struct link *link)
{
	/* Paths are only read behind this. */
	char *path = (char *)(uintptr_t)link->path;

	switch (link->kind) {
	case DUP2:
		return (struct spawn_action){ .kind = SPAWN_DUP2, .dup2 = { .from = link->from, .to = link->fd } };
	case OPEN:
		return (struct spawn_action){ .kind = SPAWN_OPEN,
					      .open = { .fd = link->fd, .path = path, .flags = link->flags, .mode = link->mode } };
	case CHDIR:
		return (struct spawn_action){ .kind = SPAWN_CHDIR, .chdir = { .path = path } };
	case FCHDIR:
		return (struct spawn_action){ .kind = SPAWN_FCHDIR, .fd = link->fd };
	default:
		return (struct spawn_action){ .kind = SPAWN_CLOSE, .fd = link->fd };
	}
}

struct spawn_action spawn_action_at(const posix_spawn_file_actions_t *actions, int index)
{
	const struct link *link = last_of(actions);

	for (int behind = spawn_actions_count(actions) - 1 - index; behind > 0; behind--)
		link = link->next;
	return action_of(link);
}

typedef int (*add_folder)(posix_spawn_file_actions_t *, const char *);
typedef int (*add_open_folder)(posix_spawn_file_actions_t *, int);

static int add(posix_spawn_file_actions_t *made, const struct spawn_action *one)
{
	add_folder to_path;
	add_open_folder to_open;

	switch (one->kind) {
	case SPAWN_CLOSE:
		return posix_spawn_file_actions_addclose(made, one->fd);
	case SPAWN_DUP2:
		return posix_spawn_file_actions_adddup2(made, one->dup2.from, one->dup2.to);
	case SPAWN_OPEN:
		return posix_spawn_file_actions_addopen(made, one->open.fd, one->open.path, one->open.flags, one->open.mode);
	case SPAWN_CHDIR:
		to_path = (add_folder)symbols_next("posix_spawn_file_actions_addchdir_np");
		return to_path ? to_path(made, one->chdir.path) : ENOSYS;
	case SPAWN_FCHDIR:
		to_open = (add_open_folder)symbols_next("posix_spawn_file_actions_addfchdir_np");
		return to_open ? to_open(made, one->fd) : ENOSYS;
	default:
		return ENOSYS;
	}
}

int spawn_actions_make(posix_spawn_file_actions_t *made, const posix_spawn_file_actions_t *instead, struct spawn_action *all,
		       int count)
{
	int failed = posix_spawn_file_actions_init(made);

	(void)instead;
	for (int i = 0; i < count && !failed; i++)
		failed = add(made, &all[i]);
	return failed;
}

void spawn_actions_end(posix_spawn_file_actions_t *made)
{
	posix_spawn_file_actions_destroy(made);
}
