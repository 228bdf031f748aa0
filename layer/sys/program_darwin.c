/*
 * program.h on Darwin: whether dyld(1) loads what DYLD_INSERT_LIBRARIES names. It does not into what System
 * Integrity Protection restricts (chflags(2), SF_RESTRICTED), nor into a program that becomes another user.
 * The caller's memory only, since exec in a vfork child comes here too.
 */
#include <crt_externs.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls_darwin.h"
#include "program.h"
#include "sys.h"

/* A script's first line, as far as the kernel looks (IMG_SHSIZE), and how deep scripts may run scripts. */
#define LINE_BYTES 512
#define SCRIPT_DEPTH 4

char **program_environment(void)
{
	return *_NSGetEnviron();
}

const char *program_called_as(void)
{
	return getprogname();
}

bool program_exists(const char *path)
{
	struct stat status;

	return CALL(stat(path, &status)) == 0 && S_ISREG(status.st_mode) && CALL(access(path, X_OK)) == 0;
}

void program_follow(char path[PROGRAM_PATH_BYTES])
{
	char line[LINE_BYTES];
	size_t at, end;
	long got;
	int fd;

	for (int depth = 0; depth < SCRIPT_DEPTH; depth++) {
		fd = (int)CALL(call_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0));
		if (fd < 0)
			return;
		got = CALL(call_read(fd, line, sizeof(line) - 1));
		sys_close(fd);
		if (got < 3 || line[0] != '#' || line[1] != '!')
			return;
		line[got] = 0;
		at = 2 + strspn(line + 2, " \t");
		end = at + strcspn(line + at, " \t\n");
		if (end == at)
			return;
		memcpy(path, line + at, end - at);
		path[end - at] = 0;
	}
}

const char *program_obstacle(const char *path, const char *preload)
{
	struct stat status;

	(void)preload;
	if (CALL(stat(path, &status)) < 0)
		return NULL;
	if (status.st_flags & SF_RESTRICTED)
		return "macOS protects it (System Integrity Protection)";
	if ((status.st_mode & S_ISUID && status.st_uid != getuid()) || (status.st_mode & S_ISGID && status.st_gid != getgid()))
		return "it is set-user-ID";
	return NULL;
}

const char *program_bare(const char *library)
{
	if (!library[0] || CALL(access(library, R_OK)) == 0)
		return NULL;
	return "it cannot read mirrord's library (another user)";
}
