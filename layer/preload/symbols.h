/* libc's own of a call, behind the layer in the order of symbols. See symbols_linux.c. */
#ifndef LAYER_SYMBOLS_H
#define LAYER_SYMBOLS_H

#include <stdbool.h>

/* dlsym(3) with RTLD_NEXT as the layer asks it. */
void *symbols_next(const char *name);
/*
 * Does no library that the program started with stand between the layer and libc, with calls of hooks.h of
 * its own?
 */
bool symbols_next_to_libc(void);

#endif
