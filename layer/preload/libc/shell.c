/*
 * system(3) and popen(3). libc starts their shell by internal calls, with the environment unchanged: that
 * shell would not learn of a working directory of the target. While there is one, the shell is started here,
 * by posix_spawn of spawn_folder_linux.c. A stream of the layer's is recognized by its place in a table;
 * libc's pclose(3) never sees it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../hooks.h"
#include "../../sys/program.h"
#include "shell.h"
#include "../../writable.h"

#define SHELL "/bin/sh"
#define STREAMS 64

/* An open stream of popen() and its shell; file NULL: free, or about to be one. */
static struct stream {
	_Atomic(pid_t) child; /* 0 = free */
	_Atomic(FILE *) file;
} streams[STREAMS];

static int start(pid_t *child, const char *command, const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attributes)
{
	char *const argv[] = { "sh", "-c", writable(command), NULL };

	return layer_posix_spawn(child, SHELL, actions, attributes, argv, program_environment());
}

static int wait_for(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

/*
 * As POSIX has it: the caller ignores SIGINT and SIGQUIT and gets no SIGCHLD meanwhile; the shell has them
 * as they were.
 */
int shell_run(const char *command)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, interrupt, quit;
	posix_spawnattr_t attributes;
	sigset_t block, before, reset;
	int saved = errno, status, failed;
	pid_t child;

	sigaction(SIGINT, &ignore, &interrupt);
	sigaction(SIGQUIT, &ignore, &quit);
	sigemptyset(&block);
	sigaddset(&block, SIGCHLD);
	sigprocmask(SIG_BLOCK, &block, &before);
	sigemptyset(&reset);
	if (interrupt.sa_handler != SIG_IGN)
		sigaddset(&reset, SIGINT);
	if (quit.sa_handler != SIG_IGN)
		sigaddset(&reset, SIGQUIT);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &before);
	posix_spawnattr_setsigdefault(&attributes, &reset);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	failed = start(&child, command, NULL, &attributes);
	/* "As if the shell ended by _exit(127)" */
	status = failed ? 127 << 8 : wait_for(child);
	posix_spawnattr_destroy(&attributes);
	if (status >= 0)
		errno = saved;
	failed = errno;
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGQUIT, &quit, NULL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = failed;
	return status;
}

static struct stream *reserve(void)
{
	for (int i = 0; i < STREAMS; i++) {
		pid_t none = 0;

		if (atomic_compare_exchange_strong(&streams[i].child, &none, -1))
			return &streams[i];
	}
	return NULL;
}

/*
 * Starts the shell with its standard input or output at `theirs`; the other streams of popen() are not its
 * business.
 */
static int start_at(pid_t *child, const char *command, int theirs, int number)
{
	posix_spawn_file_actions_t actions;
	int failed = posix_spawn_file_actions_init(&actions);

	for (int i = 0; i < STREAMS && !failed; i++) {
		FILE *file = atomic_load(&streams[i].file);

		if (file && fileno(file) != number)
			failed = posix_spawn_file_actions_addclose(&actions, fileno(file));
	}
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&actions, theirs, number);
	if (!failed)
		failed = start(child, command, &actions, NULL);
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

bool shell_opens(const char *mode)
{
	return (mode[0] == 'r' || mode[0] == 'w') && strlen(mode) <= 1 + (size_t)(strchr(mode, 'e') != NULL);
}

#ifdef __linux__
static int make_pipe(int ends[2])
{
	return pipe2(ends, O_CLOEXEC);
}
#else
static int make_pipe(int ends[2])
{
	if (pipe(ends) < 0)
		return -1;
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	return 0;
}
#endif

FILE *shell_open(const char *command, const char *mode)
{
	bool reads = mode[0] == 'r', kept = strchr(mode, 'e') != NULL;
	int ends[2], failed, ours = reads ? 0 : 1;
	struct stream *stream;
	FILE *file = NULL;
	pid_t child = 0;

	stream = reserve();
	if (!stream) {
		errno = EMFILE;
		return NULL;
	}
	if (make_pipe(ends) < 0)
		goto out;
	failed = start_at(&child, command, ends[1 - ours], reads ? 1 : 0);
	layer_close(ends[1 - ours]);
	if (!failed) {
		file = fdopen(ends[ours], reads ? "r" : "w");
		failed = file ? 0 : errno;
	}
	if (failed) {
		layer_close(ends[ours]);
		errno = failed;
		goto out;
	}
	if (!kept)
		fcntl(ends[ours], F_SETFD, 0);
	atomic_store(&stream->child, child);
	atomic_store(&stream->file, file);
	return file;
out:
	atomic_store(&stream->child, 0);
	return NULL;
}

bool shell_close(FILE *file, int *status)
{
	pid_t child;

	for (int i = 0; i < STREAMS && file; i++) {
		if (atomic_load(&streams[i].file) != file)
			continue;
		child = atomic_load(&streams[i].child);
		atomic_store(&streams[i].file, NULL);
		atomic_store(&streams[i].child, 0);
		fclose(file);
		*status = wait_for(child);
		return true;
	}
	return false;
}
