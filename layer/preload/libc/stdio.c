/*
 * Streams of stdio over the target's files. libc opens, reads and writes them by internal calls that no hook
 * sees: this file opens them; stream_calls_glibc.c, stream_musl.c and
 * stream_darwin.c read and write.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../guard.h"
#include "../edge_path.h"
#include "../../hooks.h"
#include "../../ops/files/open.h"
#include "stream.h"

#define MODE_BYTES 8

/* Flags of open(2) for a mode of fopen(3); -1 for none. */
static int flags_of(const char *mode)
{
	int flags;

	switch (mode ? *mode : 0) {
	case 'r':
		flags = O_RDONLY;
		break;
	case 'w':
		flags = O_WRONLY | O_CREAT | O_TRUNC;
		break;
	case 'a':
		flags = O_WRONLY | O_CREAT | O_APPEND;
		break;
	default:
		return -1;
	}
	for (mode++; *mode && *mode != ','; mode++) {
		if (*mode == '+')
			flags = (flags & ~O_ACCMODE) | O_RDWR;
		else if (*mode == 'x')
			flags |= O_EXCL;
		else if (*mode == 'e')
			flags |= O_CLOEXEC;
	}
	return flags;
}

#define LIBCS (-2)

/* Opens the path's file if it is the target's; *fd is -1 with errno if it cannot be. False: it is local. */
static bool opens(struct files_call *call, const char *path, const char *mode, int *fd)
{
	int flags = flags_of(mode);

	call->path = path;
	if (flags < 0)
		return false;
	*fd = EDGE_IF(files_prepare(call, AT_FDCWD, path), open_path(call, flags, 0666), LIBCS);
	return *fd != LIBCS;
}

/* Closes `fd`; errno stays. */
static void undo(int fd)
{
	int saved = errno;

	layer_close(fd);
	errno = saved;
}

/* A stream over `fd`, which is closed if there can be none. */
static FILE *stream_over(int fd, const char *mode)
{
	FILE *file = fd >= 0 ? stream_open(fd, mode) : NULL;

	if (fd >= 0 && !file)
		undo(fd);
	return file;
}

FILE *layer_fopen(const char *path, const char *mode)
{
	struct files_call call;
	int fd;

	return opens(&call, path, mode, &fd) ? stream_over(fd, mode) : next_fopen(call.path, mode);
}

#ifdef __linux__
/* Lists of mounts (getmntent(3)) are streams that libc opens itself, and closes on exec. */
FILE *layer_setmntent(const char *path, const char *mode)
{
	struct files_call call;
	int fd;

	if (!opens(&call, path, mode, &fd))
		return next_setmntent(call.path, mode);
	if (fd >= 0)
		layer_fcntl(fd, F_SETFD, FD_CLOEXEC);
	return stream_over(fd, mode);
}
#endif

/* The app keeps its FILE: libc reopens it on nothing, and the file replaces that. */
FILE *layer_freopen(const char *path, const char *mode, FILE *old)
{
	struct files_call call;
	char plain[MODE_BYTES];
	size_t length = 0;
	FILE *file;
	int fd;

	if (!path || !opens(&call, path, mode, &fd))
		return next_freopen(path ? call.path : NULL, mode, old);
	/* "x" would have /dev/null not be there. */
	for (const char *at = mode; *at && *at != ',' && length < sizeof(plain) - 1; at++)
		if (*at != 'x')
			plain[length++] = *at;
	plain[length] = 0;
	if (fd < 0) {
		int saved = errno;

		fclose(old);
		errno = saved;
		return NULL;
	}
	file = next_freopen("/dev/null", plain, old);
	if (file && stream_replace(file, fd, flags_of(mode) & O_CLOEXEC) < 0)
		file = NULL;
	undo(fd);
	return file;
}
