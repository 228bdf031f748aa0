/*
 * Streams of stdio whose descriptor is a remote file. See preload/streams_linux.c and
 * preload/libc/stream_calls_glibc.c.
 */
#ifndef LAYER_STREAMS_H
#define LAYER_STREAMS_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Leads libc's streams to the functions below, once. False: this libc cannot be led. */
bool streams_lead(void);

bool streams_ours(const FILE *stream);
ssize_t streams_read(FILE *stream, void *into, ssize_t size);
ssize_t streams_write(FILE *stream, const void *from, ssize_t size);
off_t streams_seek(FILE *stream, off_t offset, int whence);
int streams_close(FILE *stream);
int streams_stat(FILE *stream, void *status);

#endif
