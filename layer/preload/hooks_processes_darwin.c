/*
 * The edges of the calls that start programs, on Darwin. A vfork child comes here, whose memory is its
 * parent's: no guard is taken, and nothing but the stack is written. libc's shell would be started by calls
 * that no hook sees, so it is always started here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../hooks.h"
#include "../ops/files/cwd.h"
#include "../ops/processes/exec.h"
#include "../ops/processes/replaced.h"
#include "../sys/program.h"
#include "edge_file.h"
#include "edge_folder.h"
#include "edge_path.h"
#include "guard.h"
#include "libc/shell.h"

/* A call of exec or, with `spawns`, of posix_spawn. */
struct run_call {
	const char *path;
	char *const *argv;
	bool spawns;
	pid_t *pid;
	const posix_spawn_file_actions_t *actions;
	const posix_spawnattr_t *attributes;
};

static int run(const void *call, char *const envp[])
{
	const struct run_call *one = call;

	if (one->spawns)
		return next_posix_spawn(one->pid, one->path, one->actions, one->attributes, one->argv, envp);
	return next_execve(one->path, one->argv, envp);
}

/* As the call returns: exec -1 with errno, posix_spawn the errno. */
static int fail(const struct run_call *call, int error)
{
	if (call->spawns)
		return error;
	errno = error;
	return -1;
}

/* What the session wants started in its place, for macOS keeps the layer out of many programs. */
static int start_replaced(const struct exec_child *child, struct run_call *call)
{
	char *const nothing[] = { NULL }, *const *argv = call->argv ? call->argv : nothing;
	struct replaced answer;
	int status = replaced_ask(call->path, &answer);
	size_t count = 0;

	if (status < 0)
		return fail(call, -status);
	while (argv[count])
		count++;
	char *words[replaced_count(&answer) + count + 1];

	replaced_arguments(&answer, argv, words);
	call->path = answer.path;
	call->argv = words;
	exec_report(call->path, call->argv);
	return exec_start(child, run, call);
}

static int start(struct run_call *call, char *const envp[])
{
	const struct exec_child child = { .folder = cwd_now(), .envp = envp, .places = guard_active() };
	struct files_call room;
	int status;

	if (!call->path || !guard_session())
		return run(call, envp);
	status = edge_program_path(child.folder, &call->path, &room);
	if (status == 0 && guard_active())
		return start_replaced(&child, call);
	return status < 0 ? fail(call, -status) : exec_start(&child, run, call);
}

/*
 * What is called `file`, searched in `search`; libc tries one by one, and so reports EACCES where this is
 * ENOENT.
 */
static int start_found(struct run_call *call, const char *file, const char *search, char *const envp[])
{
	char path[PROGRAM_PATH_BYTES];

	if (!file || !*file || !program_find(file, search, path))
		return fail(call, file ? ENOENT : EFAULT);
	call->path = path;
	return start(call, envp);
}

int layer_execve(const char *path, char *const argv[], char *const envp[])
{
	struct run_call call = { .path = path, .argv = argv };

	return start(&call, envp);
}

int layer_execv(const char *path, char *const argv[])
{
	return layer_execve(path, argv, program_environment());
}

int layer_execvP(const char *file, const char *search, char *const argv[])
{
	struct run_call call = { .argv = argv };

	if (!guard_session())
		return next_execvP(file, search, argv);
	return start_found(&call, file, search, program_environment());
}

int layer_execvp(const char *file, char *const argv[])
{
	struct run_call call = { .argv = argv };

	if (!guard_session())
		return next_execvp(file, argv);
	return start_found(&call, file, getenv("PATH"), program_environment());
}

int layer_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		      const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	struct run_call call = { .path = path, .argv = argv, .spawns = true, .pid = pid, .actions = actions,
				 .attributes = attributes };

	return start(&call, envp);
}

int layer_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	struct run_call call = { .argv = argv, .spawns = true, .pid = pid, .actions = actions, .attributes = attributes };

	if (!guard_session())
		return next_posix_spawnp(pid, file, actions, attributes, argv, envp);
	return start_found(&call, file, getenv("PATH"), envp);
}

/* The kernel does these itself, in the child: what may be the target's is refused, not looked for here. */
int layer_posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *actions, int fd, const char *path, int flags,
					   mode_t mode)
{
	return edge_may_be(AT_FDCWD, path) ? ENOTSUP : next_posix_spawn_file_actions_addopen(actions, fd, path, flags, mode);
}

int layer_posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path)
{
	return edge_may_be(AT_FDCWD, path) ? ENOTSUP : next_posix_spawn_file_actions_addchdir_np(actions, path);
}

int layer_posix_spawn_file_actions_addfchdir_np(posix_spawn_file_actions_t *actions, int fd)
{
	return edge_is_file(fd) ? ENOTSUP : next_posix_spawn_file_actions_addfchdir_np(actions, fd);
}

int layer_system(const char *command)
{
	return command && guard_session() ? shell_run(command) : next_system(command);
}

FILE *layer_popen(const char *command, const char *mode)
{
	return guard_session() && shell_opens(mode) ? shell_open(command, mode) : next_popen(command, mode);
}

int layer_pclose(FILE *file)
{
	int status;

	return shell_close(file, &status) ? status : next_pclose(file);
}
