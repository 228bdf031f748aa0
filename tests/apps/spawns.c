/*
 * Starts a program by posix_spawn, with what it is told to do to the child's descriptors first:
 *   spawns ACTION... -- PROGRAM ARGUMENTS
 * ACTION: open:FD:FLAGS:PATH, dup2:FROM:TO, close:FD, closefrom:FD, chdir:PATH; FLAGS are numbers. Prints the
 * error's name when there is no child; ends as the child does.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int act(posix_spawn_file_actions_t *actions, const char *text)
{
	int one = 0, other = 0, at = 0;

	if (sscanf(text, "open:%i:%i:%n", &one, &other, &at) == 2 && at > 0)
		return posix_spawn_file_actions_addopen(actions, one, text + at, other, 0640);
	if (sscanf(text, "dup2:%i:%i", &one, &other) == 2)
		return posix_spawn_file_actions_adddup2(actions, one, other);
	if (sscanf(text, "close:%i", &one) == 1)
		return posix_spawn_file_actions_addclose(actions, one);
	if (sscanf(text, "closefrom:%i", &one) == 1)
		return posix_spawn_file_actions_addclosefrom_np(actions, one);
	if (strncmp(text, "chdir:", 6) == 0)
		return posix_spawn_file_actions_addchdir_np(actions, text + 6);
	return EINVAL;
}

int main(int count, char **arguments)
{
	posix_spawn_file_actions_t actions;
	int at = 1, status, error;
	pid_t child;

	posix_spawn_file_actions_init(&actions);
	for (; at < count && strcmp(arguments[at], "--") != 0; at++) {
		/* The list keeps a copy of its own of every path (POSIX). */
		char *text = strdup(arguments[at]);

		if (act(&actions, text) != 0)
			return 2;
		memset(text, 'x', strlen(text));
		free(text);
	}
	if (at + 1 >= count)
		return 2;
	error = posix_spawnp(&child, arguments[at + 1], &actions, NULL, arguments + at + 1, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error) {
		printf("%s\n", strerrorname_np(error));
		return 1;
	}
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}
