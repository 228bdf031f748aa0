/*
 * The edges of the calls that start programs. Called by preload/. A vfork child comes here, whose memory is
 * its parent's: no guard is taken, and nothing but the stack is written.
 */
#include <errno.h>
#include <unistd.h>

#include "../hooks.h"
#include "../ops/files/cwd.h"
#include "../ops/processes/exec.h"
#include "edge_folder.h"
#include "guard.h"
#include "libc/shell.h"
#include "libc/spawn_folder.h"

/* A call of exec: of a path, or of what is open as `fd`. */
struct exec_call {
	const char *path;
	char *const *argv;
	int fd;
};

static int run_execve(const void *call, char *const envp[])
{
	const struct exec_call *one = call;

	return next_execve(one->path, one->argv, envp);
}

static int run_execvpe(const void *call, char *const envp[])
{
	const struct exec_call *one = call;

	return next_execvpe(one->path, one->argv, envp);
}

static int run_fexecve(const void *call, char *const envp[])
{
	const struct exec_call *one = call;

	return next_fexecve(one->fd, one->argv, envp);
}

static int start(char *const envp[], exec_run run, const struct exec_call *call)
{
	const struct exec_child child = { .folder = cwd_now(), .envp = envp, .places = guard_active() };

	return exec_start(&child, run, call);
}

static int fail(int status)
{
	errno = -status;
	return -1;
}

int layer_execve(const char *path, char *const argv[], char *const envp[])
{
	struct exec_call call = { .path = path, .argv = argv };
	struct files_call room;
	int status;

	if (!path || !guard_session())
		return next_execve(path, argv, envp);
	status = edge_program_path(cwd_now(), &call.path, &room);
	if (status < 0)
		return fail(status);
	exec_report(call.path, argv);
	return start(envp, run_execve, &call);
}

int layer_execv(const char *path, char *const argv[])
{
	return layer_execve(path, argv, environ);
}

int layer_execvpe(const char *file, char *const argv[], char *const envp[])
{
	struct exec_call call = { .path = file, .argv = argv };
	struct files_call room;
	int status;

	if (!file || !guard_session())
		return next_execvpe(file, argv, envp);
	status = edge_program_file(cwd_now(), &call.path, &room);
	if (status < 0)
		return fail(status);
	exec_report_found(call.path, argv);
	return start(envp, run_execvpe, &call);
}

int layer_execvp(const char *file, char *const argv[])
{
	return layer_execvpe(file, argv, environ);
}

int layer_fexecve(int fd, char *const argv[], char *const envp[])
{
	const struct exec_call call = { .fd = fd, .argv = argv };

	if (!guard_session())
		return next_fexecve(fd, argv, envp);
	exec_report_descriptor(fd, argv);
	return start(envp, run_fexecve, &call);
}

int layer_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		      const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	const struct spawn_call call = { .pid = pid, .path = path, .actions = actions, .attributes = attributes,
					 .argv = argv, .envp = envp };

	if (!path || !guard_session())
		return next_posix_spawn(pid, path, actions, attributes, argv, envp);
	return spawn_start(&call);
}

int layer_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	const struct spawn_call call = { .pid = pid, .path = file, .actions = actions, .attributes = attributes,
					 .argv = argv, .envp = envp, .searched = true };

	if (!file || !guard_session())
		return next_posix_spawnp(pid, file, actions, attributes, argv, envp);
	return spawn_start(&call);
}

int layer_system(const char *command)
{
	return command && cwd_now() ? shell_run(command) : next_system(command);
}

FILE *layer_popen(const char *command, const char *mode)
{
	return cwd_now() && shell_opens(mode) ? shell_open(command, mode) : next_popen(command, mode);
}

int layer_pclose(FILE *file)
{
	int status;

	return shell_close(file, &status) ? status : next_pclose(file);
}
