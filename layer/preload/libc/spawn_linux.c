/*
 * Files that posix_spawn opens for a child. libc opens them in the child by system calls of its own, past
 * every hook, and would open this machine's: one that is the target's is opened here before, and the child
 * gets it by dup2. What it gets is a file in memory, or the socket by which remote.c knows an inherited file.
 * Called by spawn_folder_linux.c. The invariant: the app's object is never changed; a list of actions in an
 * unknown form is not run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "../guard.h"
#include "../edge_path.h"
#include "../../hooks.h"
#include "../../sys/sys.h"
#include "../../ops/files/open.h"
#include "spawn.h"
#include "spawn_list.h"
#include "walk.h"

/* Does the action leave another file at number `fd`, in the child? */
static bool touches(const struct spawn_action *action, int fd)
{
	switch (action->kind) {
	case SPAWN_CLOSE:
		return action->fd == fd;
	case SPAWN_OPEN:
		return action->open.fd == fd;
	case SPAWN_DUP2:
		return action->dup2.to == fd;
	case SPAWN_CLOSE_FROM:
		return fd >= action->fd;
	default:
		return false;
	}
}

#define AS_IT_SAYS (-2)

/*
 * Opens what `action` would open, if that is another file than the action names: *fd, a number out of the
 * child's way, or -errno.
 */
static bool opens(const struct spawn_action *action, int *fd)
{
	const char *path = action->open.path;
	struct files_call call;
	int opened, saved = errno, flags = action->open.flags | O_CLOEXEC;

	/*
	 * Relative to where the child is by then: this machine's, for spawn_folder_linux.c made the others
	 * whole.
	 */
	if (path[0] != '/')
		return false;
	/* A rule of the session's may lead to another path here, which lives no longer than this function. */
	opened = EDGE_PATH(path, open_path(&call, flags, action->open.mode),
			   call.path == path ? AS_IT_SAYS : next_open(call.path, flags, action->open.mode));
	if (opened == AS_IT_SAYS)
		return false;
	*fd = opened < 0 ? -errno : sys_dup_high(opened);
	if (opened >= 0)
		layer_close(opened);
	errno = saved;
	return true;
}

/* The app's actions as the child will do them. */
struct changed {
	struct spawn_action *all;
	int count;
	int *opened; /* by us, for the child */
	int opened_count;
};

/*
 * Changes action `at` if it opens another file than it names. The number may not be one that an earlier
 * action closes, since the child has the layer's file from the start.
 */
static int change(struct changed *changed, int at)
{
	struct spawn_action *action = &changed->all[at];
	int to = action->open.fd, fd;

	if (action->kind != SPAWN_OPEN || !opens(action, &fd))
		return 0;
	if (fd < 0)
		return -fd;
	changed->opened[changed->opened_count++] = fd;
	for (int i = 0; i < at; i++)
		if (touches(&changed->all[i], fd))
			return ENOTSUP;
	/*
	 * dup2 takes close-on-exec away. Unless another file gets this number, the file must not stay there.
	 */
	if (action->open.flags & O_CLOEXEC)
		changed->all[changed->count++] = (struct spawn_action){ .kind = SPAWN_CLOSE, .dup2 = { .from = to, .to = fd } };
	action->kind = SPAWN_DUP2;
	action->dup2.from = fd;
	action->dup2.to = to;
	return 0;
}

/*
 * Of the closes that were added, which know the file besides its number, those stay whose number still is the
 * file's.
 */
static void drop_closes(struct changed *changed, int given)
{
	const struct spawn_action *last = NULL;
	int kept = given;

	for (int added = given; added < changed->count; added++) {
		const struct spawn_action one = changed->all[added];

		for (int i = 0; i < given; i++)
			if (touches(&changed->all[i], one.fd))
				last = &changed->all[i];
		if (last && last->kind == SPAWN_DUP2 && last->dup2.from == one.dup2.to)
			changed->all[kept++] = one;
	}
	changed->count = kept;
}

static int run_changed(const posix_spawn_file_actions_t *actions, spawn_run run, const void *call)
{
	const int given = spawn_actions_count(actions);
	struct spawn_action all[2 * given];
	int opened[given], result = 0;
	struct changed changed = { .all = all, .count = given, .opened = opened };
	posix_spawn_file_actions_t copy;

	for (int i = 0; i < given; i++)
		all[i] = spawn_action_at(actions, i);
	for (int i = 0; result == 0 && i < given; i++)
		result = change(&changed, i);
	drop_closes(&changed, given);
	if (result == 0 && changed.opened_count == 0) {
		result = run(call, actions);
	} else if (result == 0) {
		result = spawn_actions_make(&copy, actions, all, changed.count);
		if (result == 0)
			result = run(call, &copy);
		spawn_actions_end(&copy);
	}
	while (changed.opened_count > 0)
		sys_close(opened[--changed.opened_count]);
	return result;
}

int spawn_opening(const posix_spawn_file_actions_t *actions, spawn_run run, const void *call)
{
	if (!spawn_actions_any(actions) || guard_inside || !guard_active() || !link_owns() || !walk_meets("/"))
		return run(call, actions);
	return spawn_actions_known() ? run_changed(actions, run, call) : ENOTSUP;
}
