/*
 * posix_spawn, and the directory where its child starts. The child changes directory by calls inside of libc,
 * by a list of actions: actions with a directory of the target are corrected in a copy of the list, and
 * relative paths of files that it opens become absolute, for spawn_linux.c to open. The form of the list is
 * libc's own: spawn_list.h. Called by hooks_processes_linux.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "../../link/config.h"
#include "../edge_folder.h"
#include "../guard.h"
#include "../../hooks.h"
#include "../../sys/sys.h"
#include "../../sys/sys_files.h"
#include "../../ops/files/cwd.h"
#include "../../ops/processes/exec.h"
#include "../../ops/files/files.h"
#include "spawn_folder.h"
#include "spawn_list.h"
#include "../../writable.h"

/* A list put right, and where its child starts. */
struct plan {
	const struct cwd_folder *folder; /* NULL: where the kernel has it */
	const posix_spawn_file_actions_t *actions; /* the app's, or `copy` */
	posix_spawn_file_actions_t copy;
	bool copied;
	void *memory; /* of the copy's paths; NULL: none */
	size_t size;
	int nowhere; /* descriptor of a removed directory; -1: none */
};

/* Is there anything in the list, if we can read it, that depends on the working directory? */
static bool concerns(const posix_spawn_file_actions_t *actions, bool placed)
{
	int count = spawn_actions_any(actions) && spawn_actions_known() ? spawn_actions_count(actions) : 0;

	for (int i = 0; i < count; i++) {
		const enum spawn_kind kind = spawn_action_at(actions, i).kind;

		if (kind == SPAWN_CHDIR || kind == SPAWN_FCHDIR || (placed && kind == SPAWN_OPEN))
			return true;
	}
	return false;
}

/* The child is to be where nothing is, as everybody in a directory of the target. */
static int put_nowhere(struct plan *plan, struct spawn_action *action)
{
	if (plan->nowhere < 0)
		plan->nowhere = sys_open_nowhere(config_socket());
	action->kind = SPAWN_FCHDIR;
	action->fd = plan->nowhere;
	return plan->nowhere < 0 ? plan->nowhere : 0;
}

/* Puts one action right; `text` is memory for its path. 0 or -errno. */
static int put_right(struct plan *plan, struct spawn_action *action, char *text)
{
	const char *path;
	int status;

	switch (action->kind) {
	case SPAWN_OPEN:
		path = cwd_behind(plan->folder, action->open.path, text);
		if (!path || (path == text && paths_normalise(text, text) < 0))
			return -ENAMETOOLONG;
		action->open.path = writable(path);
		return 0;
	case SPAWN_CHDIR:
		path = cwd_behind(plan->folder, action->chdir.path, text);
		if (!path)
			return -ENAMETOOLONG;
		if (path[0] != '/')
			return 0;
		status = edge_find_folder(path, &plan->folder, text);
		action->chdir.path = text;
		break;
	case SPAWN_FCHDIR:
		status = edge_open_as_folder(action->fd, &plan->folder);
		break;
	default:
		return 0;
	}
	return status == 0 && plan->folder ? put_nowhere(plan, action) : status;
}

/* Makes the plan. 0 or -errno; forget() it then. */
static int make(struct plan *plan, const posix_spawn_file_actions_t *actions)
{
	struct spawn_action *list;
	size_t count;
	char *texts;
	int status = 0;

	*plan = (struct plan){ .folder = cwd_now(), .actions = actions, .nowhere = -1 };
	if (!guard_active() || !concerns(actions, plan->folder != NULL))
		return 0;
	count = (size_t)spawn_actions_count(actions);
	plan->size = count * (sizeof(*list) + PATH_MAX);
	plan->memory = sys_map(plan->size, false);
	if (!plan->memory)
		return -ENOMEM;
	list = plan->memory;
	texts = (char *)(list + count);
	for (size_t i = 0; i < count; i++)
		list[i] = spawn_action_at(actions, (int)i);
	for (size_t i = 0; i < count && status == 0; i++)
		status = put_right(plan, &list[i], texts + i * PATH_MAX);
	if (status == 0) {
		status = -spawn_actions_make(&plan->copy, actions, list, (int)count);
		plan->copied = true;
		plan->actions = &plan->copy;
	}
	return status;
}

static void forget(struct plan *plan)
{
	if (plan->copied)
		spawn_actions_end(&plan->copy);
	if (plan->memory)
		sys_unmap(plan->memory, plan->size);
	if (plan->nowhere >= 0)
		sys_close(plan->nowhere);
}

/* A call, put right. */
struct start {
	struct spawn_call call;
	struct exec_child child;
};

static int run(const void *context, char *const envp[])
{
	const struct spawn_call *call = &((const struct start *)context)->call;

	if (call->searched)
		return next_posix_spawnp(call->pid, call->path, call->actions, call->attributes, call->argv, envp);
	return next_posix_spawn(call->pid, call->path, call->actions, call->attributes, call->argv, envp);
}

static int start_with(const void *context, const posix_spawn_file_actions_t *actions)
{
	struct start start = *(const struct start *)context;

	start.call.actions = actions;
	return exec_start(&start.child, run, &start);
}

int spawn_start(const struct spawn_call *call)
{
	struct start start = { .call = *call, .child = { .envp = call->envp, .places = guard_active() } };
	int saved = errno, status;
	struct plan plan;
	struct files_call *room;

	status = make(&plan, call->actions);
	start.child.folder = plan.folder;
	/* Small stacks have no room for it; outside of the target's folders nothing is put there. */
	room = status == 0 && plan.folder ? sys_map(sizeof(*room), false) : NULL;
	if (plan.folder && !room && status == 0)
		status = -ENOMEM;
	if (status == 0)
		status = (call->searched ? edge_program_file : edge_program_path)(plan.folder, &start.call.path, room);
	if (status == 0) {
		(call->searched ? exec_report_found : exec_report)(start.call.path, call->argv);
		status = -spawn_opening(plan.actions, start_with, &start);
	}
	if (room)
		sys_unmap(room, sizeof(*room));
	forget(&plan);
	errno = saved;
	return -status;
}
