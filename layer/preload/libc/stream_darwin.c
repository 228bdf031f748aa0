/*
 * stream.h on Darwin: a stream reads and writes by functions that stand in it (funopen(3)), which stdio.h
 * shows. libc's make system calls that no hook sees; over a file of the target that the kernel does not hold
 * they are replaced by these.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../../hooks.h"
#include "../edge_file.h"
#include "stream.h"

/* The cookie of such a stream is the stream itself, as libc's own. */
static int stream_read(void *stream, char *into, int count)
{
	return (int)layer_read(fileno(stream), into, (size_t)count);
}

static int stream_write(void *stream, const char *from, int count)
{
	return (int)layer_write(fileno(stream), from, (size_t)count);
}

static fpos_t stream_seek(void *stream, fpos_t offset, int whence)
{
	return layer_lseek(fileno(stream), offset, whence);
}

static int stream_close(void *stream)
{
	return layer_close(fileno(stream));
}

static void lead(FILE *stream)
{
	if (!stream || !edge_is_file(fileno(stream)))
		return;
	stream->_read = stream_read;
	stream->_write = stream_write;
	stream->_seek = stream_seek;
	stream->_close = stream_close;
}

FILE *stream_open(int fd, const char *mode)
{
	FILE *stream = next_fdopen(fd, mode);

	lead(stream);
	return stream;
}

FILE *layer_fdopen(int fd, const char *mode)
{
	return stream_open(fd, mode);
}

int stream_replace(FILE *stream, int fd, bool closes_on_exec)
{
	if (layer_dup2(fd, fileno(stream)) < 0)
		return -1;
	lead(stream);
	return closes_on_exec ? layer_fcntl(fileno(stream), F_SETFD, FD_CLOEXEC) : 0;
}
