/* What a stream of stdio is made over, and led to: implemented per platform here. */
#ifndef LAYER_STREAM_H
#define LAYER_STREAM_H

#include <stdbool.h>
#include <stdio.h>

/* fdopen(3), also over a file of the target. */
FILE *stream_open(int fd, const char *mode);
/* The stream's descriptor becomes another one of `fd`'s file. 0, or -1 with errno. */
int stream_replace(FILE *stream, int fd, bool closes_on_exec);

#endif
