/*
 * The calls by which glibc's streams read and write once streams_glibc.c has redirected their table of
 * functions here: the hooked ones. Knows the insides of glibc's FILE.
 */
#include <stdio.h>

#include "../../hooks.h"
#include "../edge_file.h"
#include "stream_calls.h"

/* bits/types/struct_FILE.h of glibc */
#ifndef _IO_ERR_SEEN
#define _IO_ERR_SEEN 0x0020
#endif

bool streams_ours(const FILE *stream)
{
	return edge_is_file(stream->_fileno);
}

ssize_t streams_read(FILE *stream, void *into, ssize_t size)
{
	return layer_read(stream->_fileno, into, (size_t)size);
}

/* As libc's own does: what was written, and the stream's error flag. */
ssize_t streams_write(FILE *stream, const void *from, ssize_t size)
{
	ssize_t written = layer_write(stream->_fileno, from, (size_t)size);

	if (written < size)
		stream->_flags |= _IO_ERR_SEEN;
	if (written < 0)
		return 0;
	if (stream->_offset >= 0)
		stream->_offset += written;
	return written;
}

off_t streams_seek(FILE *stream, off_t offset, int whence)
{
	return layer_lseek(stream->_fileno, offset, whence);
}

int streams_close(FILE *stream)
{
	return layer_close(stream->_fileno);
}

int streams_stat(FILE *stream, void *status)
{
	return layer_fstat(stream->_fileno, status);
}
