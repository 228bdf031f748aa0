/* What glibc's streams of stdio do on a descriptor that is a remote file. See stream_calls_glibc.c. */
#ifndef LAYER_STREAM_CALLS_H
#define LAYER_STREAM_CALLS_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

bool streams_ours(const FILE *stream);
ssize_t streams_read(FILE *stream, void *into, ssize_t size);
ssize_t streams_write(FILE *stream, const void *from, ssize_t size);
off_t streams_seek(FILE *stream, off_t offset, int whence);
int streams_close(FILE *stream);
int streams_stat(FILE *stream, void *status);

#endif
