/*
 * posix_spawn, and where its child starts. That changes directory by calls inside of libc, as a list of actions tells it: what
 * has to do with a directory of the target is put right in a copy of the list, and relative paths of files that it opens
 * become whole, for spawn.c to open.
 * The form of the list is glibc's own: spawn.h. Called by preload/.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "../config.h"
#include "../guard.h"
#include "../hooks.h"
#include "../sys.h"
#include "../sys_files.h"
#include "cwd.h"
#include "exec.h"
#include "files.h"
#include "spawn.h"

/* A list put right, and where its child starts. */
struct plan {
	const struct cwd_folder *folder; /* NULL: where the kernel has it */
	const posix_spawn_file_actions_t *actions; /* the app's, or `copy` */
	posix_spawn_file_actions_t copy;
	void *memory; /* of the copy; NULL: none */
	size_t size;
	int nowhere; /* descriptor of a removed directory; -1: none */
};

static const struct spawn_action *list_of(const posix_spawn_file_actions_t *actions)
{
	return (const struct spawn_action *)(const void *)actions->__actions;
}

/* Is there anything in the list, if we can read it, that depends on the working directory? */
static bool concerns(const posix_spawn_file_actions_t *actions, bool placed)
{
	if (!actions || actions->__used <= 0 || !spawn_actions_known())
		return false;
	for (int i = 0; i < actions->__used; i++) {
		const struct spawn_action *one = &list_of(actions)[i];

		if (one->kind == SPAWN_CHDIR || one->kind == SPAWN_FCHDIR || (placed && one->kind == SPAWN_OPEN))
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
	char whole[PATH_MAX];
	const char *path;
	int status;

	switch (action->kind) {
	case SPAWN_OPEN:
		path = cwd_behind(plan->folder, action->open.path, text);
		if (!path || (path == text && paths_normalise(text, text) < 0))
			return -ENAMETOOLONG;
		action->open.path = (char *)path;
		return 0;
	case SPAWN_CHDIR:
		path = cwd_behind(plan->folder, action->chdir.path, whole);
		if (!path)
			return -ENAMETOOLONG;
		if (path[0] != '/')
			return 0;
		status = files_find_folder(path, &plan->folder, text);
		action->chdir.path = text;
		break;
	case SPAWN_FCHDIR:
		status = files_open_as_folder(action->fd, &plan->folder);
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
	count = (size_t)actions->__used;
	plan->size = count * (sizeof(*list) + PATH_MAX);
	plan->memory = sys_map(plan->size, false);
	if (!plan->memory)
		return -ENOMEM;
	list = memcpy(plan->memory, list_of(actions), count * sizeof(*list));
	texts = (char *)(list + count);
	for (size_t i = 0; i < count && status == 0; i++)
		status = put_right(plan, &list[i], texts + i * PATH_MAX);
	plan->copy = *actions;
	plan->copy.__actions = (void *)list;
	plan->actions = &plan->copy;
	return status;
}

static void forget(struct plan *plan)
{
	if (plan->memory)
		sys_unmap(plan->memory, plan->size);
	if (plan->nowhere >= 0)
		sys_close(plan->nowhere);
}

struct spawn_call {
	pid_t *pid;
	const char *path;
	const posix_spawn_file_actions_t *actions;
	const posix_spawnattr_t *attributes;
	char *const *argv;
	char *const *envp;
	const struct cwd_folder *folder;
	exec_run run;
};

static int run_spawn(const void *call, char *const envp[])
{
	const struct spawn_call *one = call;

	return next_posix_spawn(one->pid, one->path, one->actions, one->attributes, one->argv, envp);
}

static int run_spawnp(const void *call, char *const envp[])
{
	const struct spawn_call *one = call;

	return next_posix_spawnp(one->pid, one->path, one->actions, one->attributes, one->argv, envp);
}

static int spawn_within(const void *call, const posix_spawn_file_actions_t *actions)
{
	struct spawn_call one = *(const struct spawn_call *)call;

	one.actions = actions;
	return exec_start(one.folder, one.envp, one.run, &one);
}

/* Names of programs are looked for as the caller's `find` does; the error is what the call returns, errno is left alone. */
static int spawn(struct spawn_call *call, const char *name, const posix_spawn_file_actions_t *actions,
		 const char *(*find)(const struct cwd_folder *, const char *, char *),
		 void (*report)(const char *, char *const[]))
{
	char whole[PATH_MAX];
	int saved = errno, status;
	struct plan plan;

	status = -make(&plan, actions);
	call->folder = plan.folder;
	if (status == 0 && !(call->path = find(plan.folder, name, whole)))
		status = errno;
	if (status == 0) {
		report(call->path, call->argv);
		status = spawn_opening(plan.actions, spawn_within, call);
	}
	forget(&plan);
	errno = saved;
	return status;
}

int layer_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		      const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	struct spawn_call call = { .pid = pid, .attributes = attributes, .argv = argv, .envp = envp, .run = run_spawn };

	if (!path || !guard_session())
		return next_posix_spawn(pid, path, actions, attributes, argv, envp);
	return spawn(&call, path, actions, exec_path, exec_report);
}

int layer_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	struct spawn_call call = { .pid = pid, .attributes = attributes, .argv = argv, .envp = envp, .run = run_spawnp };

	if (!file || !guard_session())
		return next_posix_spawnp(pid, file, actions, attributes, argv, envp);
	return spawn(&call, file, actions, exec_file, exec_report_found);
}
