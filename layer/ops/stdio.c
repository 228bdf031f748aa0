/*
 * fopen and its family, which open by a call inside libc that no hook sees. A file that came whole is a kernel object and
 * libc's own stream reads it; one that the session keeps gets a stream of functions (fopencookie(3)) over its descriptor.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../guard.h"
#include "../hooks.h"
#include "../sys.h"
#include "../sys_files.h"
#include "files.h"

/* A stream reads ahead anyway; libc's own step, 8 KiB or less for such streams, would be a question each. */
#define AHEAD_BYTES (256u * 1024u)

struct stream {
	int fd;
	uint32_t at, length; /* of what was read ahead */
	char ahead[AHEAD_BYTES];
};

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

static ssize_t stream_read(void *cookie, char *into, size_t size)
{
	struct stream *stream = cookie;
	ssize_t got;

	if (stream->at == stream->length && size >= sizeof(stream->ahead))
		return layer_read(stream->fd, into, size);
	if (stream->at == stream->length) {
		got = layer_read(stream->fd, stream->ahead, sizeof(stream->ahead));
		if (got <= 0)
			return got;
		stream->at = 0;
		stream->length = (uint32_t)got;
	}
	if (size > stream->length - stream->at)
		size = stream->length - stream->at;
	memcpy(into, stream->ahead + stream->at, size);
	stream->at += (uint32_t)size;
	return (ssize_t)size;
}

/* Forgets what was read ahead; the file's position goes back by it. */
static int settle(struct stream *stream)
{
	off_t over = (off_t)(stream->length - stream->at);

	stream->at = stream->length = 0;
	return over == 0 || layer_lseek(stream->fd, -over, SEEK_CUR) >= 0 ? 0 : -1;
}

static ssize_t stream_write(void *cookie, const char *from, size_t size)
{
	struct stream *stream = cookie;
	ssize_t written;

	if (settle(stream) < 0)
		return 0;
	written = layer_write(stream->fd, from, size);
	return written < 0 ? 0 : written;
}

static int stream_seek(void *cookie, off64_t *position, int whence)
{
	struct stream *stream = cookie;
	off_t found;

	if (settle(stream) < 0)
		return -1;
	found = layer_lseek(stream->fd, *position, whence);
	if (found < 0)
		return -1;
	*position = found;
	return 0;
}

static int stream_close(void *cookie)
{
	struct stream *stream = cookie;
	int result = layer_close(stream->fd);
	int saved = errno;

	sys_unmap(stream, sizeof(*stream));
	errno = saved;
	return result;
}

/* A stream of functions over the descriptor of a remote file; NULL with errno. */
static FILE *make_stream(int fd, const char *mode)
{
	const cookie_io_functions_t calls = {
		.read = stream_read,
		.write = stream_write,
		.seek = stream_seek,
		.close = stream_close,
	};
	struct stream *stream = sys_map(sizeof(*stream), false);
	FILE *file;

	if (!stream) {
		errno = ENOMEM;
		return NULL;
	}
	stream->fd = fd;
	file = fopencookie(stream, mode, calls);
	if (!file) {
		sys_unmap(stream, sizeof(*stream));
		return NULL;
	}
	/* fileno(3) of such a stream fails; the app finds the descriptor there, and its hooks know it. */
	file->_fileno = fd;
	return file;
}

static FILE *stream_of(int fd, const char *mode)
{
	return fds_seems(fd, FDS_FILE) ? make_stream(fd, mode) : next_fdopen(fd, mode);
}

/* Opens the path's file if it is the target's. False: it is local. */
static bool open_stream(struct files_call *call, const char *path, const char *mode, FILE **file)
{
	int flags = flags_of(mode), fd, saved;

	call->path = path;
	if (flags < 0 || !files_asks(call, AT_FDCWD, path) || !files_open_at(call, flags, 0666))
		return false;
	fd = (int)files_result(call);
	*file = fd < 0 ? NULL : stream_of(fd, mode);
	if (fd >= 0 && !*file) {
		saved = errno;
		layer_close(fd);
		errno = saved;
	}
	return true;
}

FILE *layer_fopen(const char *path, const char *mode)
{
	struct files_call call;
	FILE *file;

	return open_stream(&call, path, mode, &file) ? file : next_fopen(call.path, mode);
}

FILE *layer_fdopen(int fd, const char *mode)
{
	struct files_open open;

	if (flags_of(mode) < 0 || !files_remote(&open, fd))
		return next_fdopen(fd, mode);
	files_leave(&open, 0);
	return make_stream(fd, mode);
}

/*
 * The app keeps its FILE. For a file that came whole, libc opens it once more by the name of its descriptor. A stream of
 * functions cannot be put in the place of another: such a file is copied into memory if it is only read, and refused
 * otherwise.
 */
FILE *layer_freopen(const char *path, const char *mode, FILE *old)
{
	struct files_call call;
	char name[32];
	FILE *file;
	int fd;

	call.path = path;
	if (!path || flags_of(mode) < 0 || !files_asks(&call, AT_FDCWD, path) ||
	    !files_open_at(&call, flags_of(mode) | O_CLOEXEC, 0666))
		return next_freopen(call.path, mode, old);
	fd = (int)files_result(&call);
	if (fd >= 0 && fds_seems(fd, FDS_FILE))
		fd = files_copy(fd, flags_of(mode));
	if (fd < 0) {
		int saved = errno;

		fclose(old);
		errno = saved;
		return NULL;
	}
	sys_descriptor_name(fd, name);
	file = next_freopen(name, mode, old);
	layer_close(fd);
	return file;
}
