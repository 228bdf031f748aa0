/*
 * stream.h with glibc: libc's own streams. Those over a file of the target that the kernel does not hold are
 * led to the layer by streams_glibc.c of preload/.
 */
#include <fcntl.h>

#include "../../hooks.h"
#include "stream.h"

FILE *stream_open(int fd, const char *mode)
{
	return fdopen(fd, mode);
}

int stream_replace(FILE *stream, int fd, bool closes_on_exec)
{
	return layer_dup3(fd, fileno(stream), closes_on_exec ? O_CLOEXEC : 0);
}
