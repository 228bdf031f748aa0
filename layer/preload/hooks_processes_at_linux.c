/*
 * The edge of execveat(2). Called by preload/. As in hooks_processes_linux.c no guard is taken, and nothing
 * but the stack is written.
 */
#include <errno.h>
#include <fcntl.h>

#include "../hooks.h"
#include "../ops/files/cwd.h"
#include "../ops/processes/exec.h"
#include "edge_folder.h"
#include "guard.h"

struct exec_call {
	int fd;
	const char *path;
	char *const *argv;
	int flags;
};

static int run_execveat(const void *call, char *const envp[])
{
	const struct exec_call *one = call;

	return next_execveat(one->fd, one->path, one->argv, envp, one->flags);
}

int layer_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
	struct exec_call call = { .path = path, .argv = argv, .fd = fd, .flags = flags };
	struct exec_child child = { .envp = envp };
	struct files_call room;
	int status;

	if (!path || !guard_session())
		return next_execveat(fd, path, argv, envp, flags);
	child.folder = cwd_now();
	child.places = guard_active();
	status = fd == AT_FDCWD ? edge_program_path(child.folder, &call.path, &room) : 0;
	if (status < 0) {
		errno = -status;
		return -1;
	}
	if (call.path[0] == '/' || fd == AT_FDCWD)
		exec_report(call.path, argv);
	else if (!call.path[0])
		exec_report_descriptor(fd, argv);
	return exec_start(&child, run_execveat, &call);
}
