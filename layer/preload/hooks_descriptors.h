/* The edge of dup2, fcntl and their relatives. See hooks_descriptors.c. */
#ifndef LAYER_HOOKS_DESCRIPTORS_H
#define LAYER_HOOKS_DESCRIPTORS_H

#include <stdbool.h>

/*
 * Does dup2(2) touch what is noted or held? Then the guard is taken, and `to` is free to be replaced.
 */
bool edge_replaces(int from, int to, int *saved);
/* After it: `result`, what libc's call said, as the hook returns it. */
int edge_replaced(int from, int to, int saved, int result);

typedef int (*edge_fcntl_call)(int fd, int command, long argument);
int edge_fcntl(edge_fcntl_call next, int fd, int command, long argument);

/* close_range(2) in parts, so that the layer's own between them stay. 0 or -errno. */
int edge_close_around(unsigned int first, unsigned int last, int flags);

#endif
