/*
 * Starts a program with an empty environment: execs CALL PROGRAM ARGUMENTS. CALL is the libc call to make; "vfork" runs it by
 * execve in a vfork child. Ends as the program does.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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
		printf("%s\n", strerrorname_np(error));
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

	clearenv();
	if (strncmp(call, "posix_spawn", 11) == 0)
		return spawn(call, argv);
	if (strcmp(call, "vfork") == 0)
		return in_vfork_child(argv);
	if (strcmp(call, "execve") == 0)
		execve(argv[0], argv, nothing);
	else if (strcmp(call, "execv") == 0)
		execv(argv[0], argv);
	else if (strcmp(call, "execvp") == 0)
		execvp(argv[0], argv);
	else if (strcmp(call, "execvpe") == 0)
		execvpe(argv[0], argv, nothing);
	else if (strcmp(call, "execl") == 0)
		execl(argv[0], argv[0], argv[1], (char *)NULL);
	else if (strcmp(call, "execlp") == 0)
		execlp(argv[0], argv[0], argv[1], (char *)NULL);
	else if (strcmp(call, "execle") == 0)
		execle(argv[0], argv[0], argv[1], (char *)NULL, nothing);
	else if (strcmp(call, "fexecve") == 0)
		fexecve(open(argv[0], O_RDONLY | O_CLOEXEC), argv, nothing);
	else if (strcmp(call, "execveat") == 0)
		execveat(AT_FDCWD, argv[0], argv, nothing, 0);
	printf("%s\n", strerrorname_np(errno));
	return 127;
}
