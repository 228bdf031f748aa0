/*
 * Starts a program with an empty environment: execs CALL PROGRAM ARGUMENTS. CALL is the libc call to make;
 * "vfork" runs it by execve in a vfork child, "chdir:DIR" and "fchdir:DIR" by posix_spawn with an action that
 * goes there first, and out of the way before. Ends as the program does.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __APPLE__
#include <crt_externs.h>
#endif

#include "errno_name.h"

static char *nothing[] = { NULL };

static int wait_for(pid_t child)
{
	int status;

	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

static int spawn(const char *call, char **argv)
{
	int (*start)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, char *const[],
		     char *const[]) = strcmp(call, "posix_spawn") == 0 ? posix_spawn : posix_spawnp;
	pid_t child;
	int error = start(&child, argv[0], NULL, NULL, argv, nothing);

	if (error) {
		printf("%s\n", errno_name(error));
		return 1;
	}
	return wait_for(child);
}

/* By posix_spawn, whose child goes to a directory named in `call`, "chdir:" or "fchdir:" before it. */
static int spawn_in(const char *call, char **argv)
{
	const char *folder = strchr(call, ':') + 1;
	posix_spawn_file_actions_t actions;
	pid_t child;
	int error;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addchdir_np(&actions, "/usr");
	if (call[0] == 'f')
		posix_spawn_file_actions_addfchdir_np(&actions, open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	else
		posix_spawn_file_actions_addchdir_np(&actions, folder);
	error = posix_spawnp(&child, argv[0], &actions, NULL, argv, nothing);
	posix_spawn_file_actions_destroy(&actions);
	if (error) {
		printf("%s\n", errno_name(error));
		return 1;
	}
	return wait_for(child);
}

static int in_vfork_child(char **argv)
{
	pid_t child = vfork();

	if (child == 0) {
		execve(argv[0], argv, nothing);
		_exit(127);
	}
	return wait_for(child);
}

int main(int count, char **arguments)
{
	const char *call = count > 2 ? arguments[1] : "";
	char **argv = arguments + 2;

#ifdef __linux__
	clearenv();
#else
	*_NSGetEnviron() = nothing;
#endif
	if (strncmp(call, "posix_spawn", 11) == 0)
		return spawn(call, argv);
	if (strncmp(call, "chdir:", 6) == 0 || strncmp(call, "fchdir:", 7) == 0)
		return spawn_in(call, argv);
	if (strcmp(call, "vfork") == 0)
		return in_vfork_child(argv);
	if (strcmp(call, "execve") == 0)
		execve(argv[0], argv, nothing);
	else if (strcmp(call, "execv") == 0)
		execv(argv[0], argv);
	else if (strcmp(call, "execvp") == 0)
		execvp(argv[0], argv);
	else if (strcmp(call, "execl") == 0)
		execl(argv[0], argv[0], argv[1], (char *)NULL);
	else if (strcmp(call, "execlp") == 0)
		execlp(argv[0], argv[0], argv[1], (char *)NULL);
	else if (strcmp(call, "execle") == 0)
		execle(argv[0], argv[0], argv[1], (char *)NULL, nothing);
#ifdef __linux__
	else if (strcmp(call, "execvpe") == 0)
		execvpe(argv[0], argv, nothing);
	else if (strcmp(call, "fexecve") == 0)
		fexecve(open(argv[0], O_RDONLY | O_CLOEXEC), argv, nothing);
	else if (strcmp(call, "execveat") == 0)
		execveat(AT_FDCWD, argv[0], argv, nothing, 0);
#else
	else if (strcmp(call, "execvP") == 0)
		execvP(argv[0], "/usr/bin", argv);
#endif
	printf("%s\n", errno_name(errno));
	return 127;
}
