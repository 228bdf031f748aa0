/* Libraries that enter the kernel by themselves. See own_calls_linux.c. */
#ifndef LAYER_OWN_CALLS_H
#define LAYER_OWN_CALLS_H

#include "images.h"

/* Has the library no need of the C library, and calls of its own that open files or sockets? */
bool own_calls(const struct image *image);

#endif
